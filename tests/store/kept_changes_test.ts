import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { type Database, loadSqlite } from "../../src/store/sqlite.ts";
import { faultyFiles } from "../platform/faulty_files.ts";
import { inFolder, type StoreFolder, testCredentials } from "./store_folder.ts";
import { withTwoAccounts } from "./two_accounts.ts";

/** A store that has renewed tokens of "a" which it cannot save: the disk is full. */
async function withUnsavedTokens(folder: StoreFolder) {
  await withTwoAccounts(folder);
  const faulty = faultyFiles();
  const store = await folder.open({}, { files: faulty.files });
  await store.load();
  await store.beginRefresh("id-a", 1);
  faulty.fail = (name, path) =>
    name === "open" && path?.includes("accounts.json.tmp") ? "ENOSPC" : undefined;
  const tokens = testCredentials("a", 2);
  await assert.rejects(store.swapCredentials("id-a", 1, tokens), /ENOSPC/);
  let saved: number | undefined;
  void store.keepCredentials("id-a", 1, tokens).then((account) => saved = account?.generation);
  return { store, faulty, saved: () => saved, makeRoom: () => faulty.fail = () => undefined };
}

/** What another process finds: the generation of "a", its uses, and whether its refresh token may be consumed. */
async function found(folder: StoreFolder) {
  const other = await folder.open();
  const { accounts, figures } = await other.load();
  return {
    generation: accounts[0]?.generation,
    token: accounts[0]?.credentials.refreshToken,
    uses: figures.get("id-a")?.uses ?? 0,
    open: await other.openRefresh("id-a"),
  };
}

const SAVED = { generation: 2, token: "refresh-a-2", uses: 0, open: undefined };

Deno.test("tokens that could not be saved are saved as soon as there is room", () =>
  inFolder(async (folder) => {
    const { makeRoom, saved } = await withUnsavedTokens(folder);
    await folder.clock.advance(10_000);
    assert.equal((await found(folder)).generation, 1);
    assert.equal((await found(folder)).open, 1, "the old token is not sent again");
    makeRoom();
    await folder.clock.advance(30_000);
    assert.equal(saved(), 2);
    assert.deepEqual(await found(folder), SAVED);
  }));

for (const [how, end] of [["is closed", "close"], ["ends by a signal", "flushNow"]] as const) {
  Deno.test(`tokens that could not be saved are saved when the store ${how}`, () =>
    inFolder(async (folder) => {
      const { store, makeRoom } = await withUnsavedTokens(folder);
      makeRoom();
      await store[end]();
      assert.deepEqual(await found(folder), SAVED);
    }));
}

Deno.test("tokens that cannot be saved keep no figures from being saved", () =>
  inFolder(async (folder) => {
    const { store, makeRoom } = await withUnsavedTokens(folder);
    store.observe({ accountId: "id-a", uses: 3 });
    await assert.rejects(store.flush(), /ENOSPC/);
    assert.equal((await found(folder)).uses, 3);
    makeRoom();
    await store.flush();
    assert.deepEqual(await found(folder), { ...SAVED, uses: 3 });
  }));

Deno.test("tokens that were kept never replace newer ones", () =>
  inFolder(async (folder) => {
    const { store, makeRoom } = await withUnsavedTokens(folder);
    makeRoom();
    const other = await folder.open();
    await other.swapCredentials("id-a", 1, testCredentials("login", 1));
    await store.flush();
    assert.equal((await found(folder)).token, "refresh-login-1");
  }));

Deno.test("a process that ends at once saves what it counted, although it has not opened state.db yet", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const store = await folder.open();
    // As while the disk has no room for the memory that SQLite's processes share.
    let opens = false;
    const sqlite = await loadSqlite();
    const late = await folder.open({}, {
      sqlite: () =>
        Promise.resolve((path): Database => {
          if (!opens) throw Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR" });
          return sqlite(path);
        }),
    });
    for (const one of [store, late]) one.observe({ accountId: "id-a", uses: 2 });
    await assert.rejects(late.flush(), /disk I\/O error/);
    // A moment in which SQLite is found.
    await Promise.resolve();
    store.flushNow();
    assert.equal((await found(folder)).uses, 2);
    opens = true;
    late.flushNow();
    assert.equal((await found(folder)).uses, 4);
  }));

Deno.test("what state.db has yet to learn of a saved change is saved when the process ends", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const sqlite = await loadSqlite();
    let full = false;
    const store = await folder.open({}, {
      sqlite: () =>
        Promise.resolve((path) => {
          const db = sqlite(path);
          return {
            ...db,
            exec(sql) {
              if (full && sql === "COMMIT") {
                throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
              }
              db.exec(sql);
            },
          };
        }),
    });
    await store.setPin(null);
    const backup = folder.text();
    full = true;
    await store.swapCredentials("id-a", 1, testCredentials("a", 2));
    full = false;
    store.flushNow();
    assert.deepEqual(await found(folder), SAVED);
    writeFileSync(folder.paths.accounts, backup);
    assert.equal((await found(folder)).open, 1, "the token of a backup is known to be spent");
  }));

Deno.test("what is counted at whatever moment of a save is saved within a second", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const store = await folder.open();
    await store.load();
    for (let moment = 0; moment < 20; moment++) {
      store.observe({ accountId: "id-a", uses: 1 });
      const saving = store.flush();
      for (let passed = 0; passed < moment; passed++) await Promise.resolve();
      store.observe({ accountId: "id-a", uses: 1 });
      await saving;
      await folder.clock.advance(1_000);
      assert.equal((await found(folder)).uses, 2 * moment + 2, `moment ${moment}`);
    }
  }));
