import assert from "node:assert/strict";
import fc from "fast-check";
import { Failure } from "../../src/platform/failure.ts";
import { importAccounts, previewImport } from "../../src/store/import_accounts.ts";
import type { Candidate, Refusal } from "../../src/store/import_source.ts";
import type { LocalStore } from "../../src/store/local.ts";
import { failNth, faultyFiles } from "../platform/faulty_files.ts";
import { inFolder, testAccount, testCredentials } from "./store_folder.ts";
import { actions, exported, items, OPTIONS, person } from "./import_scene.ts";

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
