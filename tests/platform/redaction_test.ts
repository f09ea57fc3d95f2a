import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { redact } from "../../src/platform/redaction.ts";

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8"));

/** Whether any part of a secret of five letters or more is still there. */
function leaks(text: string, secret: string): boolean {
  for (let at = 0; at + 5 <= secret.length; at++) {
    if (text.includes(secret.slice(at, at + 5))) return true;
  }
  return false;
}

Deno.test("every token of the fixtures disappears, wherever it stands", () => {
  const { identities } = fixture("identities.json") as {
    identities: Record<string, Record<string, string>>;
  };
  const secrets = Object.values(identities).flatMap((one) =>
    Object.entries(one).filter(([key]) => /Token/.test(key)).map(([, value]) => value)
  );
  assert.ok(secrets.length >= 15);
  for (const secret of secrets) {
    for (
      const text of [
        secret,
        `Authorization: Bearer ${secret}`,
        JSON.stringify({ refresh_token: secret }),
        `grant_type=refresh_token&refresh_token=${secret}&client_id=x`,
        `failed (${secret}), trying again`,
        `"${secret}"`,
      ]
    ) {
      const clean = redact(text);
      assert.ok(!leaks(clean, secret.split(".").at(1) ?? secret), clean);
      assert.ok(!clean.includes(secret));
    }
  }
});

Deno.test("codes, verifiers and states disappear from addresses and forms", () => {
  const urls = fixture("oauth/authorize-urls.json");
  for (const url of [urls.seed, urls.callbacks.good]) {
    const clean = redact(`callback ${url} came`);
    assert.ok(!clean.includes("ac_fixture_code"), clean);
    assert.ok(!clean.includes("8f14e45fceea167a5a36dedd4bea2543"), clean);
    assert.ok(!clean.includes(urls.pkce.challenge), clean);
  }
  assert.ok(!redact(`code_verifier=${urls.pkce.verifier}`).includes(urls.pkce.verifier));
});

Deno.test("the words of the older projects' log stand in their place", () => {
  assert.equal(redact("answer held eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln"), "answer held [jwt]");
  assert.equal(redact("and sk-abcdefgh12345"), "and [token]");
});

Deno.test("ordinary text stays as it is", () => {
  for (
    const text of [
      "personal: usage limit, blocked until 2026-11-23T20:00:00.000Z (headers)",
      "session moves from personal to work",
      "wrote /home/dev/.config/opencode-multi-auth/accounts.json",
      "model map: gpt-5.2-codex -> gpt-5.3-codex",
      "workspace 5b1c0a52-3f0e-4d0b-9a51-0f2f6f5d1a01, session ses_df65b8d46ffeLz34Lm40VL2I4q",
      "the issuer refuses the refresh token (refresh_token_reused)",
    ]
  ) assert.equal(redact(text), text);
});

Deno.test("property: no JWT, refresh token or random secret survives in any surroundings", () => {
  const part = fc.stringMatching(/^[A-Za-z0-9_-]{20,60}$/);
  const secret = fc.oneof(
    fc.tuple(part, part, part).map(([a, b, c]) => `eyJ${a}.eyJ${b}.${c}`),
    part.map((text) => `rt_${text}`),
    part.map((text) => `rt.1.${text}`),
    part.map((text) => `sk-${text}`),
    fc.stringMatching(/^[A-Za-z0-9_-]{43}$/).filter((text) =>
      /\d/.test(text) && /[a-z]/i.test(text)
    ),
  );
  const around = fc.string({ maxLength: 20 }).map((text) => text.replace(/[A-Za-z0-9_-]$/, " "));
  fc.assert(
    fc.property(around, secret, around, (before, token, after) => {
      const clean = redact(`${before} ${token} ${after}`);
      const core = token.slice(8, 40);
      assert.ok(!clean.includes(core), clean);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("property: redacting twice changes nothing more", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const once = redact(text);
    assert.equal(redact(once), once);
  }));
});
