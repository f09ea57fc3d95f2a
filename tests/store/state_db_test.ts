import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { systemFiles } from "../../src/platform/files.ts";
import { loadSqlite } from "../../src/store/sqlite.ts";
import { HISTORY_POINTS, MAX_SESSIONS, SESSION_MS } from "../../src/store/state_write.ts";
import { accountSubject, NO_END } from "../../src/quota/block.ts";
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

Deno.test("a damaged state.db is set aside, the accounts and the work go on", () =>
  inFolder(async (folder) => {
    await withFigures(folder);
    const noise = "this is no database ".repeat(500);
    writeFileSync(folder.paths.state, noise);
    const store = await folder.open();
    const { accounts, figures } = await store.load();
    assert.deepEqual(accounts, [testAccount("a")]);
    assert.equal(figures.get("id-a"), undefined);
    const [kept] = folder.names().filter((name) => name.includes("corrupt"));
    assert.match(kept ?? "", /^state\.db\.corrupt-2026-11-23T18-00-00\.000Z$/);
    assert.equal(folder.text(kept), noise);
    assert.equal(store.warnings.length, 1);
    assert.match(store.warnings[0] ?? "", /was damaged and is now .* no account is lost/);
    store.observe({ accountId: "id-a", uses: 1 });
    await store.flush();
    assert.equal((await store.load()).figures.get("id-a")?.uses, 1);
    assert.equal((await folder.open()).warnings.length, 0);
  }));

Deno.test("damage that shows only at work is set aside too", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    for (let n = 0; n < 50; n++) {
      store.setAffinity({ session: `s${n}`.repeat(100), accountId: "a", at: n + 1e12 });
    }
    await store.add(testAccount("a"));
    await store.close();
    const bytes = readFileSync(folder.paths.state);
    // All but the first page, which alone is read when it is opened.
    bytes.fill(0xa5, 4096);
    writeFileSync(folder.paths.state, bytes);
    const other = await folder.open();
    assert.equal((await other.load()).accounts.length, 1);
    await other.block({
      subject: accountSubject("id-a"),
      model: "",
      reason: "usage limit",
      until: folder.clock.now() + 1,
      source: "body",
      since: folder.clock.now(),
    });
    assert.equal((await other.load()).blocks.length, 1);
    assert.equal(folder.names().filter((name) => name.includes("corrupt")).length, 1);
    assert.equal(other.warnings.length, 1);
  }));

Deno.test("a state.db that was deleted while we run is made anew", () =>
  inFolder(async (folder) => {
    await withFigures(folder);
    const store = await folder.open();
    await store.load();
    for (const end of ["", "-wal", "-shm"]) rmSync(folder.paths.state + end, { force: true });
    store.observe({ accountId: "id-a", uses: 1 });
    await store.flush();
    assert.equal(store.changed(), true);
    await store.load();
    store.observe({ accountId: "id-a", uses: 2 });
    await store.flush();
    assert.equal((await (await folder.open()).load()).figures.get("id-a")?.uses, 2);
  }));

Deno.test("a state.db of a newer version is left alone", () =>
  inFolder(async (folder) => {
    await withFigures(folder);
    const db = await sqlite(folder);
    db.exec("PRAGMA user_version = 1000");
    db.close();
    const store = await folder.open();
    for (const work of [() => store.load(), () => store.setPin(null)]) {
      await assert.rejects(
        work(),
        /state\.db was written by a newer .* Update opencode-multi-auth/,
      );
    }
    assert.deepEqual(folder.names(), ["accounts.json", "accounts.json.bak", "state.db"]);
  }));

Deno.test("a state.db of the release before keeps what it holds, and learns what is new", () =>
  inFolder(async (folder) => {
    await withFigures(folder);
    const at = folder.clock.now();
    // Back to version 2: what the third step brought goes.
    const db = await sqlite(folder);
    for (
      const table of [
        "mints",
        "limit_tasks",
        "plan_extras",
        "models",
        "dismissed",
        "notified",
      ]
    ) db.exec(`DROP TABLE ${table}`);
    db.exec("ALTER TABLE affinity DROP COLUMN moved");
    db.prepare("INSERT INTO affinity VALUES (?, ?, ?)").run("old", "id-a", at);
    db.exec("PRAGMA user_version = 2");
    db.close();

    const store = await folder.open();
    assert.equal((await store.load()).figures.get("id-a")?.uses, 7);
    assert.deepEqual(await store.affinity("old"), {
      session: "old",
      accountId: "id-a",
      at,
    });
    store.setMint("hash", "id-a");
    await store.flush();
    assert.deepEqual([...await store.mints(["hash"])], [["hash", "id-a"]]);
    assert.deepEqual(store.warnings, []);
  }));

Deno.test("home folder on NFS or another place where SQLite's WAL cannot work", () =>
  inFolder(async (folder) => {
    const native = await loadSqlite();
    const executed: string[] = [];
    const refusing = () =>
      Promise.resolve((path: string) => {
        const db = native(path);
        return {
          ...db,
          exec(sql: string) {
            executed.push(sql);
            db.exec(sql);
          },
          prepare: (sql: string) =>
            db.prepare(/journal_mode = WAL/.test(sql) ? "PRAGMA journal_mode" : sql),
        };
      });
    const nfs = { ...systemFiles, kind: () => 0x6969 };
    // The number of SMB 2 does not fit 31 bits; some systems give it with a sign.
    const smb = { ...systemFiles, kind: () => 0xfe534d42 | 0 };
    for (
      const [name, more] of [
        ["nfs", { files: nfs }],
        ["smb", { files: smb }],
        ["refused", { sqlite: refusing }],
      ] as const
    ) {
      rmSync(folder.paths.folder, { recursive: true, force: true });
      const stores = [await folder.open({}, more), await folder.open({}, more)];
      const [one, two] = stores;
      assert.ok(one && two);
      await one.add(testAccount("a"));
      await two.load();
      for (const store of stores) store.observe({ accountId: "id-a", uses: 5 });
      await one.flush();
      assert.equal(two.changed(), true, name);
      await two.flush();
      assert.equal((await one.load()).figures.get("id-a")?.uses, 10);
      assert.match(one.warnings.join(), /rollback journal, which is slower/);
      assert.deepEqual(folder.names(), ["accounts.json", "accounts.json.bak", "state.db"]);
      const db = await sqlite(folder);
      assert.deepEqual({ ...db.prepare("PRAGMA journal_mode").get() }, { journal_mode: "delete" });
      db.close();
      for (const store of stores) await store.close();
    }
    const modes = new Set(executed.filter((sql) => sql.includes("synchronous")));
    assert.deepEqual([...modes], ["PRAGMA synchronous = FULL"], "NORMAL could damage the file");
  }));

Deno.test("where state.db may not be written, the accounts can still be read", () =>
  inFolder(async (folder) => {
    await withFigures(folder);
    const sqlite = () =>
      Promise.resolve(() => {
        throw new Error("unable to open database file");
      });
    const store = await folder.open({}, { sqlite });
    assert.deepEqual((await store.load()).accounts, [testAccount("a")]);
    assert.match(store.warnings.join(), /state\.db cannot be written .* figures are missing/);
    assert.equal(store.changed(), false);
    await assert.rejects(store.setPin(null), /chmod 700/);
  }));

Deno.test("where state.db cannot be used because its disk is full, the accounts can still be read", () =>
  inFolder(async (folder) => {
    await withFigures(folder);
    const sqlite = () =>
      Promise.resolve(() => {
        throw new Error("disk I/O error");
      });
    const store = await folder.open({}, { sqlite });
    assert.deepEqual((await store.load()).accounts, [testAccount("a")]);
    assert.match(store.warnings.join(), /Its disk may be full: free some space .* are missing/);
    await assert.rejects(store.setPin(null), /free some space/);
  }));

Deno.test("a store folder that cannot be made is named, with the fix", () =>
  inFolder(async (folder) => {
    writeFileSync(folder.paths.folder, "a file in its place");
    const store = await folder.open();
    await assert.rejects(store.load(), /accounts\.json cannot be read \(ENOTDIR\)/);
    await assert.rejects(store.add(testAccount("a")), /cannot be written \((EEXIST|ENOTDIR)\)/);
  }));

Deno.test("another process that holds the lock too long is told, and nothing is lost", () =>
  inFolder(async (folder) => {
    await withFigures(folder);
    const native = await loadSqlite();
    // A time-out of 5 s is long for a test.
    const hasty = () =>
      Promise.resolve((path: string) => {
        const db = native(path);
        return {
          ...db,
          exec: (sql: string) =>
            db.exec(/busy_timeout/.test(sql) ? "PRAGMA busy_timeout = 1" : sql),
        };
      });
    const store = await folder.open({}, { sqlite: hasty });
    await store.load();
    const holder = await sqlite(folder);
    holder.exec("BEGIN IMMEDIATE");
    store.observe({ accountId: "id-a", uses: 1 });
    await assert.rejects(store.flush(), /state\.db has been in use by another process/);
    await assert.rejects(store.swapCredentials("id-a", 1, testCredentials("a", 2)), /in use/);
    assert.doesNotMatch(folder.text(), /refresh-a-2/);
    await folder.clock.advance(2_000);
    holder.exec("ROLLBACK");
    holder.close();
    await folder.clock.advance(5_000);
    assert.equal((await (await folder.open()).load()).figures.get("id-a")?.uses, 8);
  }));

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
