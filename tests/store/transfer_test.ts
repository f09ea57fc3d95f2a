import assert from "node:assert/strict";
import fc from "fast-check";
import { Failure } from "../../src/platform/failure.ts";
import type { Entry } from "../../src/store/account_entry.ts";
import { readImportSource } from "../../src/store/import_source.ts";
import { deriveKey, openEnvelope, readEnvelope } from "../../src/store/seal.ts";
import {
  accountsToExport,
  isExport,
  readExport,
  sealExport,
  writeExport,
} from "../../src/store/transfer.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { inFolder, testAccount } from "./store_folder.ts";
import { authJson, CONTEXT, items, person, whyOf } from "./import_scene.ts";

Deno.test("an export gives back every account as it was, whatever its texts are", () =>
  fc.assert(fc.property(
    fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 5 }),
    fc.string(),
    fc.array(fc.string()),
    fc.boolean(),
    (aliases, notes, tags, enabled) => {
      const accounts = ["__proto__", ...aliases.filter((alias) => alias !== "__proto__")]
        .map((alias) => testAccount(alias, { notes, tags, enabled, addedAt: 1, generation: 7 }));
      const read = readExport(JSON.parse(writeExport(accounts, FIXTURE_NOW)), FIXTURE_NOW);
      assert.deepEqual(read.map(({ account }: Entry) => account), accounts);
    },
  )));

Deno.test("a sealed export calls itself one, holds no token and opens with its passphrase alone", async () => {
  const text = writeExport([testAccount("a")], FIXTURE_NOW);
  const sealed = await sealExport(text, "secret");
  assert.ok(!sealed.includes("refresh-a-1") && !sealed.includes("secret"));
  const json: unknown = JSON.parse(sealed);
  assert.ok(isExport(json));
  assert.equal(json["N"], 131_072);
  const envelope = readEnvelope(json);
  assert.ok(envelope);
  assert.equal(openEnvelope(envelope, await deriveKey("secret", envelope)), text);
  assert.equal(openEnvelope(envelope, await deriveKey("secret ", envelope)), undefined);
});

Deno.test("an export of a newer version is refused", () => {
  const json = { ...JSON.parse(writeExport([], FIXTURE_NOW)), version: 2 };
  assert.throws(() => readExport(json, 0), (error: unknown) => {
    assert.ok(error instanceof Failure);
    return /version 2, which is newer/.test(error.message);
  });
});

Deno.test("an account whose refresh has not ended is exported as one that needs a login", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    for (const alias of ["a", "b", "c"]) await store.add(testAccount(alias));
    await store.beginRefresh("id-a", 1);
    await store.refuseRefresh(testAccount("c"));
    const { accounts, interrupted } = await accountsToExport(store, FIXTURE_NOW);
    assert.deepEqual(interrupted, ["a", "c"]);
    assert.deepEqual(accounts.map(({ setAside }) => setAside?.reason), [
      "needs login (refresh interrupted)",
      undefined,
      "needs login",
    ]);
  }));

for (
  const name of ["modern", "older", "tokens-only", "flat-snake", "flat-camel", "unknown-keys"]
) {
  Deno.test(`a Codex auth.json of the form "${name}" becomes its account`, () => {
    const { kind, items: [item] } = readImportSource(authJson(`${name}.json`), CONTEXT);
    assert.equal(kind, "Codex auth.json");
    assert.ok(item && "account" in item);
    const { account } = item;
    assert.equal(account.email, "you@personal.example");
    assert.equal(account.identity?.workspaceId, person("personal").workspace);
    assert.equal(account.identity?.memberId, person("personal").accountUserId);
    assert.equal(account.plan, "plus");
    assert.equal(account.source, "codex");
    assert.equal(account.credentials.refreshToken, "rt_fixture_personal_0");
    assert.equal(account.credentials.expiresAt, 4102444800_000);
  });
}

Deno.test("an expired Codex auth.json keeps its own end, and nanoseconds are read", () => {
  const [item] = items(authJson("expired.json"));
  assert.ok(item && "account" in item);
  assert.equal(item.account.credentials.expiresAt, 1795453200_000);
  const [modern] = items(authJson("modern.json"));
  assert.ok(modern && "account" in modern);
  assert.equal(modern.account.refreshedAt, Date.parse("2026-11-23T17:00:00Z"));
});

const OPAQUE = { access_token: "opaque", refresh_token: "rt", account_id: "w" };

for (
  const [name, json, why] of [
    ["access-only", authJson("access-only.json"), /access token only, which nobody can renew/],
    ["an API key", authJson("api-key.json"), /API key and no ChatGPT login/],
    ["foreign-issuer", authJson("foreign-issuer.json"), /issuer https:\/\/auth\.attacker\.example/],
    ["a flat foreign issuer", {
      ...OPAQUE,
      oauth_provenance: { issuer: "http://auth.openai.com" },
    }, /issuer http:\/\/auth\.openai\.com, not/],
    ["an issuer that is no text", { tokens: { ...OPAQUE, oauth_provenance: { issuer: 1 } } }, /no/],
    ["provenance that is no object", { tokens: { ...OPAQUE, oauth_provenance: "x" } }, /cannot be/],
    ["another client", {
      tokens: { ...OPAQUE, oauth_provenance: { issuer: CONTEXT.issuer, client_id: "app_other" } },
    }, /belong to the program app_other/],
    ["another kind of login", { auth_mode: "agentIdentity" }, /kind "agentIdentity"/],
    ["no tokens", { tokens: {} }, /no access token/],
  ] as const
) {
  Deno.test(`a Codex auth.json is refused with the reason: ${name}`, () => {
    assert.match(whyOf(items(json)[0]), why);
  });
}

Deno.test("an issuer with a slash at its end is the same issuer", () => {
  const tokens = { ...OPAQUE, oauth_provenance: { issuer: `${CONTEXT.issuer}/` } };
  assert.ok("account" in (items({ tokens })[0] ?? {}));
});

Deno.test("an entry of an accounts.json or of an export that names a foreign issuer is refused", () => {
  const entry = {
    accessToken: "a",
    refreshToken: "r",
    expiresAt: 1,
    oauth_provenance: { issuer: "https://evil.example" },
  };
  assert.match(whyOf(items({ accounts: { a: entry } })[0]), /evil\.example/);
  assert.match(whyOf(items([entry])[0]), /evil\.example/);
});

Deno.test("an opaque token without an end lives 8 days from its last refresh, as Codex has it", () => {
  const [item] = items({ tokens: OPAQUE, last_refresh: "2026-11-20T00:00:00Z" });
  assert.ok(item && "account" in item);
  assert.equal(item.account.credentials.expiresAt, Date.parse("2026-11-28T00:00:00Z"));
  assert.deepEqual(item.account.identity, { workspaceId: "w" });
});

for (
  const json of [1, "x", null, {}, { version: 9, accounts: {} }, { openai: { type: "oauth" } }]
) {
  Deno.test(`${JSON.stringify(json)} is no file of accounts`, () => {
    assert.throws(() => items(json), Failure);
  });
}

Deno.test("a list takes entries and logins mixed, and names what is wrong with the rest", () => {
  const found = items([
    { alias: "a", accessToken: "a", refreshToken: "r1", expiresAt: 1, tags: ["x"] },
    authJson("modern.json"),
    { type: "oauth", access: "acc", refresh: "r2", expires: 1795456800000, accountId: "w" },
    7,
  ]);
  assert.deepEqual(
    found.map((item) =>
      "account" in item ? [item.alias, item.account.credentials.refreshToken] : item.why
    ),
    [["a", "r1"], [undefined, "rt_fixture_personal_0"], [undefined, "r2"], "it is no object"],
  );
});
