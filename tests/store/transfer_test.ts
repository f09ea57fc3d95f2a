import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { Account } from "../../src/account/account.ts";
import { Failure } from "../../src/platform/failure.ts";
import type { Entry } from "../../src/store/account_entry.ts";
import { importAccounts, previewImport } from "../../src/store/import_accounts.ts";
import { compareTokens, sameSeat } from "../../src/store/import_order.ts";
import { type Candidate, readImportSource, type Refusal } from "../../src/store/import_source.ts";
import type { LocalStore } from "../../src/store/local.ts";
import { deriveKey, openEnvelope, readEnvelope } from "../../src/store/seal.ts";
import {
  accountsToExport,
  isExport,
  readExport,
  sealExport,
  writeExport,
} from "../../src/store/transfer.ts";
import { failNth, faultyFiles } from "../platform/faulty_files.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { FIXTURES, inFolder, testAccount, testCredentials } from "./store_folder.ts";

const CONTEXT = { issuer: "https://auth.openai.com", now: FIXTURE_NOW };

interface Person {
  readonly email: string;
  readonly workspace: string;
  readonly accountUserId: string;
  readonly refreshToken: string;
  readonly accessTokenValidTo2100: string;
  readonly accessTokenExpired: string;
}
const PEOPLE: Record<string, Person> =
  JSON.parse(readFileSync(join(FIXTURES, "identities.json"), "utf8")).identities;

function person(name: string): Person {
  const found = PEOPLE[name];
  assert.ok(found);
  return found;
}

function authJson(name: string): unknown {
  return JSON.parse(readFileSync(join(FIXTURES, "auth-json", name), "utf8"));
}

function items(json: unknown): readonly (Candidate | Refusal)[] {
  return readImportSource(json, CONTEXT).items;
}

/** What an export of these accounts offers. */
function exported(...accounts: Account[]): readonly (Candidate | Refusal)[] {
  return items(JSON.parse(writeExport(accounts, FIXTURE_NOW)));
}

const OPTIONS = { now: FIXTURE_NOW };

async function actions(store: LocalStore, from: readonly (Candidate | Refusal)[]) {
  return (await importAccounts(store, from, OPTIONS)).map(({ alias, action }) => [alias, action]);
}

function whyOf(item: Candidate | Refusal | undefined): string {
  assert.ok(item && "why" in item, "it was not refused");
  return item.why;
}

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
    for (const alias of ["a", "b"]) await store.add(testAccount(alias));
    await store.beginRefresh("id-a", 1);
    const { accounts, interrupted } = await accountsToExport(store, FIXTURE_NOW);
    assert.deepEqual(interrupted, ["a"]);
    assert.deepEqual(accounts.map(({ setAside }) => setAside?.reason), [
      "needs login (refresh interrupted)",
      undefined,
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

Deno.test("two members of one workspace; one person in two workspaces with one email", () =>
  inFolder(async (folder) => {
    const names = ["personal", "side", "work", "mate"];
    assert.equal(person("personal").email, person("side").email);
    assert.equal(person("work").workspace, person("mate").workspace);
    const list = names.map((name) => ({
      access_token: person(name).accessTokenValidTo2100,
      refresh_token: person(name).refreshToken,
    }));
    const store = await folder.open();
    // All four: in one file, one after another into one store, and once more.
    for (const login of list) await importAccounts(store, items(login), OPTIONS);
    await importAccounts(store, items(list), OPTIONS);
    const { accounts } = await store.load();
    assert.deepEqual(
      accounts.map(({ identity, credentials }) => [
        identity?.workspaceId,
        identity?.memberId,
        credentials.refreshToken,
      ]),
      names.map(person).map((one) => [one.workspace, one.accountUserId, one.refreshToken]),
    );
    assert.equal(new Set(accounts.map(({ id }) => id)).size, 4);
    assert.equal(new Set(accounts.map(({ alias }) => alias)).size, 4);
    const other = await (await inOther(items(list))).load();
    assert.deepEqual(other.accounts.map(({ id }) => id), accounts.map(({ id }) => id));

    async function inOther(from: readonly (Candidate | Refusal)[]): Promise<LocalStore> {
      const fresh = await folder.open();
      for (const { id } of accounts) await fresh.remove(id);
      await importAccounts(fresh, from, OPTIONS);
      return fresh;
    }
  }));

Deno.test("older backup restored: a superseded refresh token is never sent", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("a"));
    const backup = exported(...(await store.load()).accounts);
    await store.swapCredentials("id-a", 1, testCredentials("a", 2));
    assert.deepEqual(await actions(store, backup), [["a", "refused"]]);
    // Not under another name either, nor as an account of its own once ours is gone.
    const renamed = backup.map((item) =>
      "account" in item
        ? { alias: "z", account: { ...item.account, id: "other" }, ours: false }
        : item
    );
    assert.deepEqual(await actions(store, renamed), [["a", "refused"]]);
    await store.remove("id-a");
    assert.deepEqual(await actions(store, backup), [["a", "refused"]]);
    assert.deepEqual((await store.load()).accounts, []);
  }));

Deno.test("older backup restored into a store that remembers nothing: the newer tokens stay", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("a", { generation: 5, credentials: testCredentials("a", 5) }));
    const backup = exported(testAccount("a", { generation: 4 }));
    assert.deepEqual(await actions(store, backup), [["a", "kept"]]);
    const [account] = (await store.load()).accounts;
    assert.equal(account?.credentials.refreshToken, "refresh-a-5");
  }));

Deno.test("imports of any snapshots in any order leave the newest tokens, and none is sent that was replaced", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }),
      (rounds) =>
        inFolder(async (folder) => {
          const store = await folder.open();
          for (const round of rounds) {
            const snapshot = testAccount("a", {
              generation: round,
              credentials: testCredentials("a", round),
            });
            await importAccounts(store, exported(snapshot), OPTIONS);
          }
          const { accounts: [account] } = await store.load();
          const newest = Math.max(...rounds);
          assert.equal(account?.credentials.refreshToken, `refresh-a-${newest}`);
          assert.equal(await store.openRefresh("id-a"), undefined);
        }),
    ),
    { numRuns: 20 },
  ));

Deno.test("newer tokens are taken; what the person wrote here stays, the set-aside mark goes", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    const here = testAccount("mine", {
      id: "id-a",
      identity: { workspaceId: "w", memberId: "m", userId: "u" },
      notes: "ours",
      tags: ["ours"],
      enabled: false,
      setAside: { at: 1, reason: "needs login" },
    });
    await store.add(here);
    const there = testAccount("theirs", {
      identity: { workspaceId: "w", memberId: "m" },
      credentials: { ...testCredentials("a", 9), expiresAt: 4102444800_001 },
      generation: 40,
      notes: "theirs",
      plan: "pro",
    });
    assert.deepEqual(await actions(store, exported(there)), [["mine", "update"]]);
    const { accounts: [account] } = await store.load();
    const { setAside: _lifted, ...expected } = here;
    assert.deepEqual(account, {
      ...expected,
      credentials: there.credentials,
      email: "theirs@example.com",
      plan: "pro",
      // What the other machine has counted, so that its next renewal is newer here too.
      generation: 40,
    });
    assert.deepEqual(await actions(store, exported(there)), [["mine", "unchanged"]]);
  }));

Deno.test("newer tokens that were set aside as dead on the other machine do not replace ours", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("a"));
    const dead = testAccount("a", {
      generation: 2,
      credentials: testCredentials("a", 2),
      setAside: { at: 1, reason: "needs login" },
    });
    assert.deepEqual(await actions(store, exported(dead)), [["a", "kept"]]);
  }));

Deno.test("one seat twice in a file is taken once, with its newer tokens", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    const identity = { workspaceId: "w", memberId: "m" };
    const later = { ...testCredentials("x", 2), expiresAt: 4102444800_001 };
    const twins = exported(
      testAccount("old", { identity }),
      testAccount("new", { identity, credentials: later }),
    );
    assert.deepEqual(await actions(store, twins), [["old", "refused"], ["new", "add"]]);
  }));

Deno.test("an alias that stands for somebody else here gets a number", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("work"));
    const other = testAccount("work", {
      identity: { workspaceId: "w2", memberId: "m2" },
      credentials: testCredentials("other", 1),
    });
    assert.deepEqual(await actions(store, exported(other)), [["work-2", "add"]]);
    const { accounts } = await store.load();
    assert.deepEqual(accounts.map(({ alias }) => alias), ["work", "work-2"]);
  }));

Deno.test("an opaque account that may or may not be the one of that alias is refused, not merged", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    const { identity: _i, email: _e, ...opaque } = testAccount("a");
    await store.add(opaque);
    const other = { ...opaque, credentials: testCredentials("b", 1), generation: 9 };
    assert.deepEqual(await actions(store, exported(other)), [["a", "refused"]]);
    const [row] = await importAccounts(store, exported(other), { ...OPTIONS, alias: "b" });
    assert.deepEqual([row?.alias, row?.action], ["b", "add"]);
  }));

Deno.test("a preview writes nothing, not even a folder, and says what the import then does", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    const from = exported(testAccount("a"), testAccount("b"));
    const planned = await previewImport(store, from, OPTIONS);
    assert.deepEqual(folder.names(), []);
    assert.deepEqual(await importAccounts(store, from, OPTIONS), planned);
  }));

Deno.test("an import that cannot be saved leaves every account as it was", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("a"));
    await store.close();
    const before = folder.text();
    // Every call of the save of accounts.json itself: open, write, fsync, rename.
    for (let nth = 1; nth <= 4; nth++) {
      const faulty = faultyFiles();
      const full = await folder.open({}, { files: faulty.files });
      await full.load();
      faulty.fail = failNth(nth, "ENOSPC");
      const newer = testAccount("a", { generation: 2, credentials: testCredentials("a", 2) });
      await assert.rejects(
        importAccounts(full, exported(newer, testAccount("b")), OPTIONS),
        Failure,
        `call ${nth}`,
      );
      faulty.fail = () => undefined;
      assert.equal(folder.text(), before, `call ${nth}`);
    }
  }));

const IDENTITY = { workspaceId: "w", memberId: "m", userId: "u" };
const bare = (fields: Partial<Account>, ours = true) => {
  const { identity: _i, email: _e, ...rest } = testAccount("a");
  return { account: { ...rest, ...fields }, ours };
};
const tokens = (name: string) => ({ credentials: testCredentials(name, 1) });

for (
  const [name, a, b, same] of [
    ["the same member", { identity: IDENTITY }, { identity: IDENTITY }, true],
    ["two members of one workspace", { identity: IDENTITY }, {
      identity: { ...IDENTITY, memberId: "n" },
    }, false],
    ["one member, two workspaces, one email", { identity: IDENTITY, email: "e" }, {
      identity: { ...IDENTITY, workspaceId: "v" },
      email: "e",
    }, false],
    [
      "an unnamed member with the same email in the workspace",
      {
        identity: IDENTITY,
        email: "e",
      },
      { identity: { workspaceId: "w" }, email: "e" },
      true,
    ],
    ["an unnamed member with another email", { identity: IDENTITY, email: "e" }, {
      identity: { workspaceId: "w" },
      email: "f",
    }, false],
    ["an unnamed member without an email", { identity: IDENTITY }, {
      identity: { workspaceId: "w" },
    }, false],
    ["one id and nothing else", {}, {}, false],
    ["one id, given at one moment", { addedAt: 5 }, { addedAt: 5 }, true],
    ["one id, given at two moments", { addedAt: 5 }, { addedAt: 6 }, false],
    ["one email and no workspace", { email: "e" }, { email: "e" }, false],
  ] as const
) {
  Deno.test(`one seat or two: ${name}`, () => {
    const [one, other] = [bare({ ...tokens("x"), ...a }), bare({ ...tokens("y"), ...b })];
    assert.equal(sameSeat(one, other), same);
    assert.equal(sameSeat(other, one), same);
  });
}

const jwt = (claims: unknown) => `e30.${btoa(JSON.stringify(claims))}.x`;
const issued = (iat: number) => ({
  credentials: { ...testCredentials("j", iat), accessToken: jwt({ iat }) },
});

for (
  const [name, older, newer] of [
    [
      "the issuer's stamp, whatever the generations say",
      bare({ ...issued(1), generation: 9 }),
      bare({
        ...issued(2),
        generation: 1,
      }),
    ],
    [
      "the generation of one id",
      bare({ ...tokens("x"), generation: 1 }),
      bare({
        ...tokens("y"),
        generation: 2,
      }),
    ],
    [
      "the end of the token, where the ids are not ours",
      bare({
        credentials: { ...testCredentials("x", 1), expiresAt: 1 },
        generation: 9,
      }, false),
      bare({ credentials: { ...testCredentials("y", 1), expiresAt: 2 } }, false),
    ],
    [
      "the last refresh, where nothing else differs",
      bare({ refreshedAt: 1 }),
      bare({
        refreshedAt: 2,
      }),
    ],
  ] as const
) {
  Deno.test(`tokens are newer by ${name}`, () => {
    assert.ok(compareTokens(older, newer) > 0);
    assert.ok(compareTokens(newer, older) < 0);
    assert.equal(compareTokens(older, older), 0);
  });
}
