import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { systemFiles } from "../../src/platform/files.ts";
import { loadSqlite } from "../../src/store/sqlite.ts";
import { HISTORY_POINTS, MAX_SESSIONS, SESSION_MS } from "../../src/store/state_write.ts";
import { NO_END } from "../../src/quota/block.ts";
import { readHistory } from "./one_history.ts";
import { inFolder, type StoreFolder, testAccount, testCredentials } from "./store_folder.ts";

/** Opens the folder's `state.db` beside our own code. */
async function sqlite(folder: StoreFolder) {
  return (await loadSqlite())(folder.paths.state);
}

async function withFigures(folder: StoreFolder): Promise<void> {
  const store = await folder.open();
  await store.add(testAccount("a"));
  store.observe({ accountId: "id-a", uses: 7 });
  await store.close();
}

Deno.test("a load after one change reads what changed and nothing else", () =>
  inFolder(async (folder) => {
    const read: number[] = [];
    const native = await loadSqlite();
    const counting = () =>
      Promise.resolve((path: string) => {
        const db = native(path);
        return {
          ...db,
          prepare(sql: string) {
            const statement = db.prepare(sql);
            return {
              ...statement,
              all(...values: (string | number | null)[]) {
                const rows = statement.all(...values);
                if (sql.includes("revision")) read.push(rows.length);
                return rows;
              },
            };
          },
        };
      });
    const writer = await folder.open();
    const store = await folder.open({}, { sqlite: counting });
    const accounts = Array.from({ length: 200 }, (_, n) => testAccount(`a${n}`));
    mkdirSync(folder.paths.folder);
    await writer.add(accounts[0] ?? testAccount("a0"));
    const json = JSON.parse(folder.text());
    const [raw] = Object.values<object>(json.accounts);
    for (const { alias, id } of accounts) json.accounts[alias] = { ...raw, id };
    writeFileSync(folder.paths.accounts, JSON.stringify(json));
    const window = { bucket: "codex", minutes: 300, usedPercent: 1, resetsAt: null, observedAt: 1 };
    for (const { id } of accounts) writer.observe({ accountId: id, uses: 1, windows: [window] });
    await writer.flush();
    assert.equal((await store.load()).figures.size, 200);
    read.length = 0;
    writer.observe({ accountId: "id-a7", uses: 1 });
    await writer.flush();
    assert.equal(store.changed(), true);
    const { figures } = await store.load();
    assert.equal(figures.get("id-a7")?.uses, 2);
    assert.equal(figures.get("id-a8")?.uses, 1);
    assert.deepEqual(figures.get("id-a7")?.windows, [window]);
    assert.ok(read.length > 0 && read.reduce((sum, rows) => sum + rows, 0) <= 1, read.join());
  }));

Deno.test("a lease that another process takes is no change for snapshots", () =>
  inFolder(async (folder) => {
    await withFigures(folder);
    const [store, other] = [await folder.open(), await folder.open()];
    await store.load();
    await other.lease("refresh", 1_000);
    assert.equal(store.changed(), false);
    await other.setPin(null);
    assert.equal(store.changed(), true);
  }));

Deno.test("a lease of a process that has ended on this machine is free at once", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.lease("dead", 60_000);
    await store.lease("elsewhere", 60_000);
    const db = await sqlite(folder);
    const set = db.prepare("UPDATE leases SET holder = ? WHERE name = ?");
    set.run(`${hostname()}:999999:x`, "dead");
    set.run(`another-${hostname()}:999999:x`, "elsewhere");
    db.close();
    assert.ok(await store.lease("dead", 60_000));
    assert.equal(await store.lease("elsewhere", 60_000), undefined);
  }));

Deno.test("history notes changes only, and keeps the newest points of each window", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("a"));
    const window = { bucket: "codex", minutes: 300, resetsAt: null };
    const points = HISTORY_POINTS + 40;
    for (let n = 0; n < points; n++) {
      for (const observedAt of [2 * n, 2 * n + 1]) {
        const observed = { ...window, usedPercent: n % 100, observedAt };
        store.observe({ accountId: "id-a", windows: [observed, { ...observed, minutes: 10_080 }] });
        await store.flush();
      }
    }
    const history = (await readHistory(store, "id-a")).filter(({ minutes }) => minutes === 300);
    assert.equal(history.length, HISTORY_POINTS);
    assert.deepEqual(
      history.map(({ observedAt }) => observedAt),
      Array.from(
        { length: HISTORY_POINTS },
        (_, n) => 2 * (n + 40),
      ),
    );
    assert.equal((await readHistory(store, "id-a")).length, 2 * HISTORY_POINTS);
  }));

Deno.test("sessions that nobody uses any more are forgotten", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    store.setAffinity({ session: "old", accountId: "a", at: folder.clock.now() });
    await store.flush();
    await folder.clock.advance(SESSION_MS - 1);
    const other = await folder.open();
    other.setAffinity({ session: "new", accountId: "a", at: folder.clock.now() });
    await other.flush();
    assert.ok(await other.affinity("old"));
    await folder.clock.advance(2);
    const later = await folder.open();
    later.setAffinity({ session: "newer", accountId: "a", at: folder.clock.now() });
    await later.flush();
    assert.equal(await later.affinity("old"), undefined);
    assert.ok(await later.affinity("new"));
  }));

Deno.test("the newest 100,000 sessions are kept", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    const now = folder.clock.now();
    const remember = async (from: number, to: number) => {
      for (let n = from; n < to; n++) {
        store.setAffinity({ session: `s${n}`, accountId: "a", at: now - 200_000 + n });
      }
      await store.flush();
    };
    await remember(0, 60_000);
    await remember(60_000, 60_000 + MAX_SESSIONS - 100);
    const db = await sqlite(folder);
    const count = db.prepare("SELECT count(*) AS n, min(at) AS oldest FROM affinity").get();
    db.close();
    assert.equal(count?.["n"], MAX_SESSIONS);
    assert.equal(count?.["oldest"], now - 200_000 + 60_000 - 100);
  }));

Deno.test("lifted blocks are forgotten after a while, and other processes hear of it", () =>
  inFolder(async (folder) => {
    const [store, other] = [await folder.open(), await folder.open()];
    const block = (subject: string) => ({
      subject,
      model: "",
      reason: "usage limit" as const,
      until: NO_END,
      source: "none" as const,
      since: folder.clock.now(),
    });
    await store.block(block("account:a"));
    assert.equal((await other.load()).blocks.length, 1);
    await store.unblock(block("account:a"), folder.clock.now() + 1);
    await folder.clock.advance(8 * 86_400_000);
    const fresh = block("account:b");
    await store.block(fresh);
    const db = await sqlite(folder);
    assert.equal(db.prepare("SELECT count(*) AS n FROM blocks").get()?.["n"], 1);
    db.close();
    assert.equal(other.changed(), true);
    assert.deepEqual((await other.load()).blocks, [fresh]);
  }));

Deno.test("a new file that another process is just preparing is waited for", () =>
  inFolder(async (folder) => {
    const native = await loadSqlite();
    let locked = 3;
    const busy = () =>
      Promise.resolve((path: string) => {
        const db = native(path);
        return {
          ...db,
          prepare(sql: string) {
            if (/journal_mode/.test(sql) && locked-- > 0) throw new Error("database is locked");
            return db.prepare(sql);
          },
        };
      });
    const store = await folder.open({}, { sqlite: busy });
    await store.add(testAccount("a"));
    assert.ok(locked < 0);
    assert.deepEqual(store.warnings, []);
  }));

Deno.test("a file saved twice within one tick of the clock is read again", () =>
  inFolder(async (folder) => {
    const writer = await folder.open();
    await writer.add(testAccount("a"));
    // A file system whose times and numbers repeat; the sizes are the same by themselves.
    const stat = (path: string) =>
      Object.assign(Object.create(systemFiles.stat(path)), { ino: 1, mtimeMs: 1, size: 1 });
    const files = { ...systemFiles, stat };
    const [store, other] = [await folder.open({}, { files }), await folder.open({}, { files })];
    await store.load();
    await other.load();
    await writer.swapCredentials("id-a", 1, testCredentials("a", 2));
    assert.equal((await store.load()).accounts[0]?.generation, 2);
    assert.equal(await other.swapCredentials("id-a", 1, testCredentials("late", 2)), undefined);
    assert.equal((await other.swapCredentials("id-a", 2, testCredentials("a", 3)))?.generation, 3);
    assert.equal((await store.load()).accounts[0]?.generation, 3);
  }));

Deno.test("tokens are nowhere in state.db", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("a"));
    await store.beginRefresh("id-a", 1);
    await store.swapCredentials("id-a", 1, testCredentials("a", 2));
    for (const end of ["", "-wal"]) {
      const bytes = readFileSync(folder.paths.state + end);
      for (const text of ["refresh-a", "access-a"]) assert.ok(!bytes.includes(text));
    }
  }));

Deno.test("an older Node is told which one is needed, and SQLite's warning is not shown", async () => {
  const run = async (script: string) => {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["eval", script],
      stdout: "piped",
      stderr: "piped",
    });
    const { stdout, stderr } = await command.output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  };
  const sqlite = new URL("../../src/store/sqlite.ts", import.meta.url).href;
  const warned = await run(`
    import process from "node:process";
    const shown = [];
    process.emitWarning = (text) => { shown.push(String(text)); };
    const { loadSqlite } = await import(${JSON.stringify(sqlite)});
    const loading = loadSqlite();
    process.emitWarning("SQLite is an experimental feature and might change at any time");
    process.emitWarning("another");
    await loading;
    process.emitWarning("later");
    console.log(JSON.stringify(shown));
  `);
  assert.equal(warned.trim(), `["another","later"]`);
  const older = await run(`
    import process from "node:process";
    Object.defineProperty(process.versions, "bun", { value: "1.0.0" });
    const { loadSqlite } = await import(${JSON.stringify(sqlite)});
    await loadSqlite().catch((error) => console.log(error.message));
  `);
  assert.match(older, /^This program needs Node 22\.13 or newer; this is v\S+ Update Node/);
});

Deno.test("a folder that was moved away under a running store is noticed", () =>
  inFolder(async (folder) => {
    await withFigures(folder);
    const store = await folder.open();
    await store.load();
    renameSync(folder.paths.folder, `${folder.paths.folder}-old`);
    store.observe({ accountId: "id-a", uses: 1 });
    await store.flush().catch(() => {});
    assert.equal(store.changed(), true);
    assert.deepEqual((await store.load()).accounts, []);
  }));
