import assert from "node:assert/strict";
import type { Identity } from "../../src/account/identity.ts";
import { admit, type Newcomer } from "../../src/store/admission.ts";
import { accountId } from "../../src/store/account_id.ts";
import { MemoryStore } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { testAccount, testCredentials } from "./store_folder.ts";

const NOW = 1_800_000_000_000;

/** A store that holds "a" and "b", each with an identity of its own. */
function setUp() {
  const store = new MemoryStore(new VirtualClock(), [testAccount("a"), testAccount("b")]);
  const enter = (alias: string, newcomer: Newcomer) => admit(store, alias, newcomer, "login", NOW);
  return { store, enter };
}

/** What the login of a person brings; "a" and "b" are those of {@linkcode setUp}. */
function login(name: string, identity: Identity | undefined = testAccount(name).identity) {
  return {
    credentials: testCredentials(`${name}-login`, 1),
    ...(identity ? { identity } : {}),
    email: `${name}@login.example`,
    plan: "team",
  };
}

Deno.test("a new login is added at the end, as a new account", async () => {
  const { store, enter } = setUp();
  const newcomer = login("c");
  const { account, added } = await enter("work", newcomer);
  assert.equal(added, true);
  assert.deepEqual(account, {
    ...newcomer,
    id: accountId(newcomer.identity, "work"),
    alias: "work",
    generation: 1,
    enabled: true,
    addedAt: NOW,
    refreshedAt: NOW,
    tags: [],
    notes: "",
    source: "login",
  });
  assert.deepEqual(store.accounts.map(({ alias }) => alias), ["a", "b", "work"]);
});

Deno.test("a login that names nobody is added with what it has", async () => {
  const { enter } = setUp();
  const { account } = await enter("work", { credentials: testCredentials("x", 1) });
  assert.deepEqual(
    [account.identity, account.email, account.plan, account.id],
    [undefined, undefined, undefined, accountId(undefined, "work")],
  );
});

Deno.test("the same account signs in again in its place: its words stay, what kept it away goes", async () => {
  const { store, enter } = setUp();
  await store.edit("id-a", (one) => ({
    ...one,
    notes: "mine",
    tags: ["x"],
    setAside: { at: 1, reason: "needs login" },
  }));
  await store.beginRefresh("id-a", 1);
  const { account, added } = await enter("a", login("a"));
  assert.equal(added, false);
  assert.deepEqual(
    [account.id, account.generation, account.notes, account.tags, account.setAside],
    ["id-a", 2, "mine", ["x"], undefined],
  );
  assert.deepEqual(
    [account.credentials, account.email, account.plan, account.refreshedAt],
    [testCredentials("a-login", 1), "a@login.example", "team", NOW],
  );
  assert.deepEqual(store.accounts.map(({ alias }) => alias), ["a", "b"]);
  assert.equal(await store.openRefresh("id-a"), undefined, "no refresh is in doubt any more");
});

Deno.test("a refresh that comes between does not cost the login", async () => {
  const { store, enter } = setUp();
  const { swapCredentials } = store;
  let races = 2;
  store.swapCredentials = async (id, generation, ...rest) => {
    if (races-- > 0) {
      const now = store.accounts[0]?.generation ?? 0;
      await swapCredentials.call(store, id, now, testCredentials("refresh", now));
    }
    return await swapCredentials.call(store, id, generation, ...rest);
  };
  const { account } = await enter("a", login("a"));
  assert.deepEqual(account.credentials, testCredentials("a-login", 1));
  assert.equal(account.generation, 4);
});

Deno.test("an account that is removed during its login is not brought back by half", async () => {
  const { store, enter } = setUp();
  const { swapCredentials } = store;
  store.swapCredentials = async (...swap) => {
    await store.remove("id-a");
    return await swapCredentials.apply(store, swap);
  };
  await assert.rejects(enter("a", login("a")), /"a" was removed by another process.*Add it again/);
  assert.deepEqual(store.accounts.map(({ alias }) => alias), ["b"]);
});

const MEMBERLESS = { workspaceId: "workspace-a" };
const PERSON = { workspaceId: "workspace-a", userId: "someone" };

const REFUSED: readonly (readonly [string, string, Newcomer, RegExp])[] = [
  ["an account that another alias holds", "c", login("a"), /stored as "a".*add a$/],
  ["somebody else under a known alias", "a", login("c"), /stands for a@example.com, but c@login/],
  ["another seat of the same person", "a", login("b"), /stored as "b"/],
  ["another member of the same workspace", "a", {
    ...login("a"),
    identity: { ...MEMBERLESS, memberId: "other" },
  }, /stands for a@example.com/],
  ["an alias against the rule", " ", login("c"), /alias/i],
];

for (const [name, alias, newcomer, why] of REFUSED) {
  Deno.test(`a login is refused and changes nothing: ${name}`, async () => {
    const { store, enter } = setUp();
    const before = structuredClone(store.accounts);
    await assert.rejects(enter(alias, newcomer), (error: Error) => {
      assert.equal(error.name, "Failure");
      assert.match(error.message, why);
      return true;
    });
    assert.deepEqual(store.accounts, before);
  });
}

Deno.test("an older token that names no member may be any seat of its workspace", async () => {
  for (const [known, coming] of [[MEMBERLESS, PERSON], [PERSON, MEMBERLESS]] as const) {
    const { store, enter } = setUp();
    await store.edit("id-a", (one) => ({ ...one, identity: known }));
    const { account, added } = await enter("a", login("a", coming));
    assert.deepEqual([added, account.identity], [false, coming]);
  }
});

Deno.test("nobody is let into a locked store", async () => {
  const { store, enter } = setUp();
  store.isLocked = true;
  await assert.rejects(enter("c", login("c")), /locked.*CODEX_SOFT_STORE_PASSPHRASE/);
  assert.equal(store.accounts.length, 2);
});
