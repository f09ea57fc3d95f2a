import assert from "node:assert/strict";
import { chmodSync, existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/platform/failure.ts";
import { readHistory } from "./one_history.ts";
import { failNth, faultyFiles } from "../platform/faulty_files.ts";
import { inFolder, testAccount, testCredentials } from "./store_folder.ts";
import { withTwoAccounts } from "./two_accounts.ts";

Deno.test("refresh answer arrives, disk is full", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const text = folder.text();
    let failures = 0;
    for (let n = 1; n < 40; n++) {
      const faulty = faultyFiles();
      const store = await folder.open({}, { files: faulty.files });
      await store.load();
      faulty.fail = failNth(n, "ENOSPC", true);
      let swapped;
      try {
        swapped = await store.swapCredentials("id-a", 1, testCredentials("a", 2));
      } catch (error) {
        failures++;
        assert.ok(error instanceof Failure && error.message.includes("store"), String(error));
        assert.ok(!error.message.includes("refresh-"), "no token in the message");
      }
      faulty.fail = () => undefined;
      const now = folder.text();
      if (swapped) assert.match(now, /refresh-a-2/);
      // The folder's own sync comes after the rename: then it is there, whole.
      if (now === text) {
        assert.equal(swapped, undefined);
        // The same tokens are tried again when there is space.
        const again = await store.swapCredentials("id-a", 1, testCredentials("a", 2));
        assert.equal(again?.generation, 2);
      }
      assert.equal((await store.load()).accounts[0]?.credentials.refreshToken, "refresh-a-2");
      assert.deepEqual(folder.names().filter((name) => name.includes("tmp")), []);
      await store.close();
      if (failures < n) break;
      writeFileSync(folder.paths.accounts, text);
      rmSync(folder.paths.state);
    }
    assert.ok(failures >= 4, `only ${failures} calls failed`);
  }));

Deno.test("a full disk keeps figures waiting, and they are saved when there is space", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const { loadSqlite } = await import("../../src/store/sqlite.ts");
    const open = await loadSqlite();
    let full = false;
    const sqlite = () =>
      Promise.resolve((path: string) => {
        const db = open(path);
        let writing = false;
        return {
          ...db,
          exec(sql: string) {
            if (sql.startsWith("BEGIN")) writing = sql === "BEGIN IMMEDIATE";
            const failing = full && writing && sql === "COMMIT";
            db.exec(failing ? "ROLLBACK" : sql);
            if (failing) {
              throw Object.assign(new Error("database or disk is full"), {
                code: "ERR_SQLITE_ERROR",
              });
            }
          },
        };
      });
    const store = await folder.open({}, { sqlite });
    const other = await folder.open();
    await store.load();
    full = true;
    store.observe({ accountId: "id-a", uses: 2 });
    await assert.rejects(store.flush(), /no space left to write .*state\.db/);
    await folder.clock.advance(5_000);
    store.observe({ accountId: "id-a", uses: 1 });
    assert.equal((await store.load()).figures.get("id-a")?.uses, 3);
    assert.equal((await other.load()).figures.get("id-a")?.uses ?? 0, 0);
    // The accounts file is written before the commit fails: it decides, the rest follows.
    const swapped = await store.swapCredentials("id-b", 1, testCredentials("b", 2));
    assert.equal(swapped?.generation, 2);
    full = false;
    await folder.clock.advance(60_000);
    const { figures, accounts } = await other.load();
    assert.equal(figures.get("id-a")?.uses, 3);
    assert.equal(accounts[1]?.generation, 2);
    assert.equal(folder.clock.pending, 0);
  }));

Deno.test("older backup restored", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const backup = folder.text();
    const store = await folder.open();
    await store.load();
    for (let generation = 1; generation < 3; generation++) {
      await store.swapCredentials("id-a", generation, testCredentials("a", generation + 1));
    }
    writeFileSync(folder.paths.accounts, backup);
    const restored = await folder.open();
    const [account] = (await restored.load()).accounts;
    assert.equal(account?.credentials.refreshToken, "refresh-a-1");
    const open = await restored.openRefresh("id-a");
    assert.equal(open, account?.generation, "its token counts as consumed");
    assert.equal(await restored.openRefresh("id-b"), undefined, "that of the other does not");
    // Who still has the newer tokens in memory saves newer ones; the generation never goes back.
    const saved = await store.swapCredentials("id-a", 3, testCredentials("a", 4));
    assert.equal(saved?.generation, 4);
    assert.equal(await restored.openRefresh("id-a"), undefined);
    // A new login of the person in the restored file counts on, too.
    writeFileSync(folder.paths.accounts, backup);
    const login = await restored.swapCredentials("id-a", 1, testCredentials("login", 1));
    assert.equal(login?.generation, 5);
    assert.equal(await restored.openRefresh("id-a"), undefined);
    // Only the person's word brings a consumed token back.
    writeFileSync(folder.paths.accounts, backup);
    assert.equal(await restored.openRefresh("id-a"), 1);
    await restored.endRefresh("id-a");
    assert.equal(await restored.openRefresh("id-a"), undefined);
  }));

Deno.test("the last good copy is what was saved last", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    assert.equal(folder.text("accounts.json.bak"), folder.text());
    const store = await folder.open();
    await store.swapCredentials("id-a", 1, testCredentials("a", 2));
    assert.equal(folder.text("accounts.json.bak"), folder.text());
    assert.match(folder.text(), /refresh-a-2/);
  }));

Deno.test("a last good copy that cannot be written is none, rather than one with old tokens", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const faulty = faultyFiles();
    faulty.fail = (call, path) =>
      call === "open" && path?.includes("accounts.json.bak.tmp") ? "ENOSPC" : undefined;
    const store = await folder.open({}, { files: faulty.files });
    const swapped = await store.swapCredentials("id-a", 1, testCredentials("a", 2));
    assert.equal(swapped?.generation, 2, "the accounts themselves are saved");
    assert.deepEqual(folder.names(), ["accounts.json", "state.db"]);
  }));

Deno.test("a file that has gone: its last good copy is offered, and kept when new accounts begin", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    rmSync(folder.paths.accounts);
    const store = await folder.open();
    assert.deepEqual((await store.load()).accounts, []);
    assert.equal(store.warnings.length, 1);
    assert.match(store.warnings[0] ?? "", /accounts\.json is missing, .* cp "/);
    await store.add(testAccount("new"));
    assert.deepEqual(store.warnings, []);
    const kept = JSON.parse(folder.text("accounts.json.bak.old"));
    assert.deepEqual(Object.keys(kept.accounts), ["a", "b"]);
    const sealed = await folder.open({ CODEX_SOFT_STORE_PASSPHRASE: "p" });
    await sealed.add(testAccount("another"));
    assert.doesNotMatch(folder.text("accounts.json.bak.old"), /refresh-a/);
  }));

Deno.test("a note about a begun refresh says nothing about tokens put in by hand", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const store = await folder.open();
    await store.beginRefresh("id-a", 1);
    assert.equal(await store.openRefresh("id-a"), 1);
    const text = folder.text();
    writeFileSync(folder.paths.accounts, text.replace("refresh-a-1", "refresh-by-hand"));
    assert.equal(await store.openRefresh("id-a"), undefined);
    writeFileSync(folder.paths.accounts, text);
    assert.equal(await store.openRefresh("id-a"), 1);
  }));

Deno.test("files and folder are private, and made so again", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const { accounts, accountsBackup, state } = folder.paths;
    const store = await folder.open();
    store.observe({ accountId: "id-a", uses: 1 });
    await store.flush();
    const modes = () =>
      [accounts, accountsBackup, state, `${state}-wal`, `${state}-shm`, folder.paths.folder]
        .map((path) => (statSync(path).mode & 0o777).toString(8));
    assert.deepEqual(modes(), ["600", "600", "600", "600", "600", "700"]);
    for (const path of [accounts, state, `${state}-wal`, `${state}-shm`]) chmodSync(path, 0o644);
    chmodSync(folder.paths.folder, 0o755);
    const other = await folder.open();
    await other.load();
    await other.setPin(null);
    assert.deepEqual(modes(), ["600", "600", "600", "600", "600", "700"]);
  }));

Deno.test("the modes of copies and of the folder are repaired when the store is read", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const { accounts } = folder.paths;
    const text = folder.text();
    const copies = ["", ".bak", ".bak.old", ".v1", ".v2", ".lkg"].map((end) => accounts + end);
    for (const path of copies) {
      writeFileSync(path, text);
      chmodSync(path, 0o644);
    }
    chmodSync(folder.paths.folder, 0o755);
    await (await folder.open()).load();
    for (const path of copies) assert.equal(statSync(path).mode & 0o777, 0o600, path);
    assert.equal(statSync(folder.paths.folder).mode & 0o777, 0o700);
  }));

Deno.test("reading makes no file, opening and flushing nothing neither", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.load();
    assert.equal(store.changed(), false);
    assert.equal(await store.affinity("s"), undefined);
    assert.equal(await store.openRefresh("a"), undefined);
    assert.deepEqual(await readHistory(store, "a"), []);
    await store.flush();
    await store.close();
    assert.equal(existsSync(folder.paths.folder), false);
  }));

Deno.test("leftovers of killed processes are removed, those of living ones are not", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const dead = "accounts.json.tmp-999999-1795456800000";
    const alive = `accounts.json.tmp-1-1795456800000`;
    for (const name of [dead, alive]) writeFileSync(join(folder.paths.folder, name), "{}");
    await (await folder.open()).edit("id-a", (account) => ({ ...account, notes: "n" }));
    assert.deepEqual(folder.names(), ["accounts.json", "accounts.json.bak", alive, "state.db"]);
  }));

Deno.test("an account that a file cannot hold is refused, and the file stays readable", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const store = await folder.open();
    const text = folder.text();
    const credentials = { ...testCredentials("a", 2), expiresAt: NaN };
    await assert.rejects(store.swapCredentials("id-a", 1, credentials), /expiresAt/);
    await assert.rejects(store.add(testAccount("c", { credentials })), /expiresAt/);
    assert.equal(folder.text(), text);
  }));
