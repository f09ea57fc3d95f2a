import { match, notStrictEqual, strictEqual as equal } from "node:assert/strict";
import { authorizationUrl, newLoginSecrets } from "../../src/oauth/authorization.ts";
import { callbackUrl, issuerEndpoints, mayBeInsecure } from "../../src/oauth/issuer.ts";
import { sameState } from "../../src/oauth/state.ts";
import urls from "../fixtures/oauth/authorize-urls.json" with { type: "json" };

Deno.test("the login page's address is that of OpenCode with the Codex CLI's originator", async () => {
  const url = await authorizationUrl({
    issuer: "https://auth.openai.com",
    redirectUri: callbackUrl(1455),
    secrets: { state: "8f14e45fceea167a5a36dedd4bea2543", verifier: urls.pkce.verifier },
  });
  equal(url, urls.opencode_1_18_33.replace("originator=opencode", "originator=codex_cli_rs"));
  equal(url, urls.seed.replace("&audience=https%3A%2F%2Fapi.openai.com%2Fv1", ""));
});

Deno.test("a verifier has 32 random bytes, a state 16", () => {
  const lengths: number[] = [];
  const { state, verifier } = newLoginSecrets((length) => {
    lengths.push(length);
    return Uint8Array.from({ length }, (_, index) => 255 - index);
  });
  equal(lengths.toSorted((a, b) => a - b).join(), "16,32");
  equal(state, "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0");
  equal(verifier, "__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA");
});

Deno.test("without a source of its own a login has secrets that nobody had before", () => {
  const one = newLoginSecrets();
  const two = newLoginSecrets();
  match(one.verifier, /^[A-Za-z0-9_-]{43}$/);
  match(one.state, /^[0-9a-f]{32}$/);
  notStrictEqual(one.verifier, two.verifier);
  notStrictEqual(one.state, two.state);
});

Deno.test("states are the same only when they are, of whatever length", () => {
  equal(sameState("8f14e45f", "8f14e45f"), true);
  for (const other of ["", "8", "8f14e45", "8f14e45e", "8f14e45f0", "8F14E45F"]) {
    equal(sameState(other, "8f14e45f"), false, other);
  }
});

Deno.test("only an issuer on this machine may be spoken to without TLS", () => {
  equal(mayBeInsecure("http://127.0.0.1:4000"), true);
  equal(mayBeInsecure("http://localhost:4000"), true);
  equal(mayBeInsecure("http://[::1]:4000"), true);
  equal(mayBeInsecure("http://auth.openai.com"), false);
  equal(mayBeInsecure("http://127.0.0.1.example"), false);
  equal(mayBeInsecure("https://auth.openai.com"), false);
  equal(mayBeInsecure("nonsense"), false);
});

Deno.test("an issuer's addresses have one slash between their parts", () => {
  equal(issuerEndpoints("https://issuer.example/").token, "https://issuer.example/oauth/token");
  equal(issuerEndpoints("https://issuer.example/a").userinfo, "https://issuer.example/a/userinfo");
});
