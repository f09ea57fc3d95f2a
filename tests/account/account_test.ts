import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { checkAlias, freeAlias, isAlias, printable } from "../../src/account/alias.ts";
import { readClaims } from "../../src/account/claims.ts";
import { type Identity, identityOf, sameIdentity } from "../../src/account/identity.ts";
import { Failure } from "../../src/platform/failure.ts";

interface FixtureIdentity {
  email: string;
  workspace: string;
  user: string;
  plan: string;
  accountUserId: string;
  accessTokenValidTo2100: string;
  idTokenValidTo2100: string;
}

const { identities } = JSON.parse(
  readFileSync(new URL("../fixtures/identities.json", import.meta.url), "utf8"),
) as { identities: Record<string, FixtureIdentity> };

const identity = (one: FixtureIdentity): Identity => {
  const found = identityOf(
    readClaims(one.accessTokenValidTo2100),
    readClaims(one.idTokenValidTo2100),
  );
  assert.ok(found);
  return found;
};

function jwt(claims: unknown): string {
  const part = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${part({ alg: "none" })}.${part(claims)}.x`;
}

Deno.test("claims of every fixture are read", () => {
  for (const one of Object.values(identities)) {
    const claims = readClaims(one.accessTokenValidTo2100);
    assert.equal(claims?.email, one.email);
    assert.equal(claims?.workspaceId, one.workspace);
    assert.equal(claims?.memberId, one.accountUserId);
    assert.equal(claims?.userId, one.user);
    assert.equal(claims?.plan, one.plan);
    assert.equal(claims?.expiresAt, 4_102_444_800_000);
    assert.equal(claims?.residency, undefined, "no_constraint is none");
  }
});

Deno.test("two members of one workspace; one person in two workspaces with one email", () => {
  const all = Object.values(identities).map(identity);
  assert.equal(all.length, 5);
  for (const [i, a] of all.entries()) {
    for (const [j, b] of all.entries()) assert.equal(sameIdentity(a, b), i === j);
  }
});

Deno.test("a newer token that names the member is still the same seat", () => {
  const older = { workspaceId: "w", userId: "u" };
  const newer = { workspaceId: "w", userId: "u", memberId: "u__w" };
  assert.ok(sameIdentity(older, newer));
  assert.ok(!sameIdentity({ workspaceId: "w" }, { workspaceId: "w" }), "nobody knows who that is");
  assert.ok(!sameIdentity(newer, { ...newer, memberId: "other" }));
});

Deno.test("claims that changed their type cost nothing but themselves", () => {
  const claims = readClaims(jwt({
    exp: "soon",
    email: 5,
    "https://api.openai.com/auth": {
      chatgpt_account_id: "w",
      chatgpt_plan_type: 7,
      chatgpt_compute_residency: "eu",
      organizations: "none",
    },
  }));
  assert.deepEqual(claims, { workspaceId: "w", residency: "eu" });
});

Deno.test("the account id's last resorts", () => {
  assert.equal(readClaims(jwt({ chatgpt_account_id: "top" }))?.workspaceId, "top");
  const organizations = [{ id: "org-1" }];
  const claims = readClaims(jwt({ "https://api.openai.com/auth": { organizations } }));
  assert.equal(claims?.workspaceId, "org-1");
});

Deno.test("property: no text makes the claims' reader throw", () => {
  fc.assert(fc.property(fc.string(), fc.json(), (text, json) => {
    readClaims(text);
    readClaims(`x.${btoa(unescape(encodeURIComponent(json)))}.y`);
  }));
});

Deno.test("alias with spaces, emoji, `..`, `__proto__`, 300 letters", () => {
  for (
    const alias of [
      "",
      "a b",
      "🙂",
      "..",
      ".",
      "../x",
      "a/b",
      "__proto__",
      "x".repeat(300),
      "-x",
      "a\n",
      "é",
    ]
  ) {
    assert.equal(isAlias(alias), false, alias);
    assert.throws(() => checkAlias(alias), (error) => {
      assert.ok(error instanceof Failure);
      assert.match(error.message, /1 to 64 characters/);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }
  for (
    const alias of ["personal", "work-2", "a", "you@work.example", "x".repeat(64), "constructor"]
  ) {
    assert.equal(checkAlias(alias), alias);
  }
});

Deno.test("aliases of older stores cannot play with the terminal", () => {
  assert.equal(printable("a\u001b[31mb\u0007\u202ec"), "a\uFFFD[31mb\uFFFD\uFFFDc");
  assert.equal(printable("x".repeat(300)).length, 80);
  assert.equal(printable("é 🙂"), "é 🙂");
});

Deno.test("property: a free alias is an alias, and free", () => {
  fc.assert(
    fc.property(
      fc.option(fc.emailAddress(), { nil: undefined }),
      fc.array(fc.string()),
      (email, more) => {
        const first = freeAlias(email, new Set(more));
        const second = freeAlias(email, new Set([...more, first]));
        assert.ok(isAlias(first) && isAlias(second));
        assert.notEqual(first, second);
        assert.ok(!more.includes(first));
      },
    ),
  );
});
