import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { systemFiles } from "../../src/platform/files.ts";
import { loadSqlite } from "../../src/store/sqlite.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { faultyFiles } from "../platform/faulty_files.ts";
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

for (
  const said of [
    "unable to open database file",
    "attempt to write a readonly database",
    "disk I/O error",
  ]
) {
  Deno.test(`a state.db on a read-only file system is not to be made writable by chmod (${said})`, () =>
    inFolder(async (folder) => {
      await withFigures(folder);
      const sqlite = () =>
        Promise.resolve(() => {
          throw new Error(said);
        });
      const faulty = faultyFiles();
      faulty.fail = (call) => call === "chmod" ? "EROFS" : undefined;
      const store = await folder.open({}, { sqlite, files: faulty.files });
      await assert.rejects(
        store.setPin(null),
        /state\.db cannot be written \(EROFS\)\. Its file system is mounted read-only.*STORE_DIR/,
      );
    }));
}

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
