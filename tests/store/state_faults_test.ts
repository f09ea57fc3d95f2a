import assert from "node:assert/strict";
import { Failure } from "../../src/platform/failure.ts";
import { type Database, loadSqlite, type OpenDatabase } from "../../src/store/sqlite.ts";
import type { LocalStore } from "../../src/store/local.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { inFolder, type StoreFolder, testCredentials } from "./store_folder.ts";
import { withTwoAccounts } from "./two_accounts.ts";

/** SQLite whose n-th call from 1 on fails, and with `stays` every one after it. */
function failing(sqlite: OpenDatabase, n: number, stays: boolean, message: string) {
  const state = { calls: 0, off: false };
  const call = <T>(work: () => T): T => {
    state.calls++;
    if (!state.off && (state.calls === n || (stays && state.calls > n))) {
      throw Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR" });
    }
    return work();
  };
  const open: OpenDatabase = (path) => {
    const db: Database = call(() => sqlite(path));
    return {
      // Taking back what is in a write-ahead log needs no disk.
      exec: (sql) => sql === "ROLLBACK" ? db.exec(sql) : call(() => db.exec(sql)),
      prepare(sql) {
        const statement = call(() => db.prepare(sql));
        return {
          run: (...values) => call(() => statement.run(...values)),
          get: (...values) => call(() => statement.get(...values)),
          all: (...values) => call(() => statement.all(...values)),
        };
      },
      close: () => db.close(),
    };
  };
  return { state, sqlite: () => Promise.resolve(open) };
}

/** What a process does in its life, in order; each step may fail without harm to the next. */
function life(store: LocalStore, now: number): readonly (() => unknown)[] {
  return [
    () => store.affinity("s"),
    () => store.observe({ accountId: "id-a", uses: 1, usedAt: now }),
    () => store.flush(),
    () => store.lease("refresh", 1_000),
    () => store.openRefresh("id-a"),
    () => store.beginRefresh("id-a", 1),
    () => store.swapCredentials("id-a", 1, testCredentials("a", 2)),
    () => store.endRefresh("id-a"),
    () => store.edit("id-b", (account) => ({ ...account, notes: "noted" })),
    () =>
      store.block({
        subject: accountSubject("id-a"),
        model: "",
        reason: "usage limit",
        until: now + 1_000,
        source: "body",
        since: now,
      }),
    () => store.setPin({ accountId: "id-a", until: null }),
  ];
}

/** @returns How many calls a whole life makes. */
async function liveThrough(folder: StoreFolder, n: number, stays: boolean, message: string) {
  await withTwoAccounts(folder);
  const { state, sqlite } = failing(await loadSqlite(), n, stays, message);
  const store = await folder.open({}, { sqlite });
  let generation = 1;
  const aliases = async () => (await store.load()).accounts.map(({ alias }) => alias);
  assert.deepEqual(await aliases(), ["a", "b"], "before anything");
  for (const [step, work] of life(store, folder.clock.now()).entries()) {
    try {
      const result = await work();
      if (step === 6) generation = (result as { generation: number }).generation;
    } catch (error) {
      assert.ok(error instanceof Failure, `step ${step}: ${error}`);
      assert.match(error.message, /state\.db/);
    }
    assert.deepEqual(await aliases(), ["a", "b"], `after step ${step}`);
  }
  const { calls } = state;
  state.off = true;
  // Whoever lives through it has lost nothing and can do everything.
  const token = (await store.load()).accounts[0]?.credentials.refreshToken;
  assert.equal(token, `refresh-a-${generation}`);
  store.observe({ accountId: "id-a", uses: 1 });
  await store.flush();
  await store.beginRefresh("id-a", generation);
  const renewed = await store.swapCredentials("id-a", generation, testCredentials("a", 9));
  assert.equal(renewed?.generation, generation + 1);
  await store.close();
  const other = await folder.open();
  const { accounts, figures } = await other.load();
  assert.equal(accounts[0]?.credentials.refreshToken, "refresh-a-9");
  assert.equal(figures.get("id-a")?.uses, 2, "every use is counted once");
  assert.equal(await other.openRefresh("id-a"), undefined);
  assert.deepEqual(other.warnings, []);
  return calls;
}

const FAULTS: readonly (readonly [message: string, stays: boolean])[] = [
  ["disk I/O error", false],
  ["disk I/O error", true],
  ["database or disk is full", true],
  ["database is locked", false],
];

// Each fault takes every fourth call, another one each, so that together they meet them all.
for (const [start, [message, stays]] of FAULTS.entries()) {
  const after = stays ? ", and all after it" : "";
  Deno.test(`each call to state.db fails in turn${after} (${message}): accounts stay readable and usable`, async () => {
    let n = start + 1;
    for (let calls = n; n <= calls; n += FAULTS.length) {
      await inFolder(async (folder) => {
        calls = await liveThrough(folder, n, stays, message);
      });
    }
    assert.ok(n > 50, `only ${n} calls`);
  });
}

Deno.test("while state.db cannot be read, what it said last goes on: nobody who is blocked is sent", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const native = await loadSqlite();
    let fails = false;
    const sqlite = () =>
      Promise.resolve((path: string) => {
        const db = native(path);
        return {
          ...db,
          exec(sql: string) {
            if (fails && sql === "BEGIN") {
              throw Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR" });
            }
            db.exec(sql);
          },
        };
      });
    const store = await folder.open({}, { sqlite });
    const now = folder.clock.now();
    store.observe({ accountId: "id-a", uses: 7 });
    await store.flush();
    await store.block({
      subject: accountSubject("id-a"),
      model: "",
      reason: "usage limit",
      until: now + 1_000,
      source: "body",
      since: now,
    });
    await store.load();
    fails = true;
    const { blocks, figures, accounts } = await store.load();
    assert.deepEqual([blocks.length, figures.get("id-a")?.uses, accounts.length], [1, 7, 2]);
    assert.match(store.warnings.join(), /state\.db cannot be used \(disk I\/O error\)/);
    fails = false;
    await store.load();
    assert.deepEqual(store.warnings, [], "what is over is not said any more");
  }));
