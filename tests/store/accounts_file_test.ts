import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/platform/failure.ts";
import type { Store } from "../../src/store/store.ts";
import { readHistory } from "./one_history.ts";
import { failNth, faultyFiles } from "../platform/faulty_files.ts";
import { inFolder, type StoreFolder, testAccount, testCredentials } from "./store_folder.ts";

/** A failure for a person: one line that names the file and what to do. */
function isClear(path: string, fix: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Failure, String(error));
    assert.ok(error.message.includes(path), error.message);
    assert.ok(!error.message.includes("\n"), error.message);
    assert.match(error.fix ?? "", fix);
    return true;
  };
}

/** Every way to write, each of which must be refused. */
function writes(store: Store): (() => Promise<unknown>)[] {
  return [
    () => store.add(testAccount("new")),
    () => store.remove("id-a"),
    () => store.edit("id-a", (account) => ({ ...account, notes: "n" })),
    () => store.swapCredentials("id-a", 1, testCredentials("a", 2)),
  ];
}

async function withTwoAccounts(folder: StoreFolder): Promise<void> {
  const store = await folder.open();
  await store.add(testAccount("a"));
  await store.add(testAccount("b"));
  await store.close();
}

const ROW =
  "accounts.json cut short, not JSON, wrong types, 10 MB, a folder, a symlink, unreadable, read-only";

const good = JSON.stringify({ version: 3, accounts: {} });
const DAMAGED: readonly (readonly [name: string, text: string])[] = [
  ["cut short", good.slice(0, -1)],
  ["empty", ""],
  ["not JSON", "refresh_token = rt_secret_value"],
  ["a list", "[]"],
  ["null", "null"],
  ["no accounts", `{"version": 3}`],
  ["accounts as a list", `{"accounts": []}`],
  ["a version as text", `{"version": "3", "accounts": {}}`],
  ["10 MB of spaces", " ".repeat(10_000_000)],
  ["10 MB of JSON", JSON.stringify({ accounts: {}, notes: "x".repeat(10_000_000) })],
  ["a seal without salt", JSON.stringify({ encrypted: true, version: 2, data: "AAAA" })],
];

for (const [name, text] of DAMAGED) {
  Deno.test(`${ROW}: ${name}`, () =>
    inFolder(async (folder) => {
      await withTwoAccounts(folder);
      const backup = folder.text("accounts.json.bak");
      writeFileSync(folder.paths.accounts, text);
      const store = await folder.open({ CODEX_SOFT_STORE_PASSPHRASE: "p" });
      const clear = isClear(folder.paths.accounts, /^Mend it, or take the last good copy: cp "/);
      await assert.rejects(store.load(), clear);
      for (const write of writes(store)) await assert.rejects(write(), clear);
      assert.equal(folder.text(), text, "nothing is overwritten");
      assert.equal(folder.text("accounts.json.bak"), backup);
      // The offered fix works, and the running process sees it.
      copyFileSync(folder.paths.accountsBackup, folder.paths.accounts);
      assert.deepEqual((await store.load()).accounts, [testAccount("a"), testAccount("b")]);
    }));
}

Deno.test(`${ROW}: without a good copy none is offered`, () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    writeFileSync(folder.paths.accountsBackup, "{");
    writeFileSync(folder.paths.accounts, "{");
    const clear = isClear(folder.paths.accounts, /move it away and add/);
    await assert.rejects((await folder.open()).load(), clear);
  }));

Deno.test(`${ROW}: a newer version`, () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    writeFileSync(folder.paths.accounts, `{"version": 4, "accounts": {}}`);
    const clear = isClear(folder.paths.accounts, /^Update opencode-multi-auth/);
    const store = await folder.open();
    await assert.rejects(store.load(), clear);
    for (const write of writes(store)) await assert.rejects(write(), clear);
  }));

Deno.test(`${ROW}: a folder`, () =>
  inFolder(async (folder) => {
    mkdirSync(folder.paths.accounts, { recursive: true });
    const store = await folder.open();
    const clear = isClear(folder.paths.accounts, /^Move it away/);
    await assert.rejects(store.load(), clear);
    for (const write of writes(store)) await assert.rejects(write(), clear);
    assert.ok(statSync(folder.paths.accounts).isDirectory());
  }));

Deno.test(`${ROW}: a symlink`, () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const real = join(folder.root, "elsewhere", "real.json");
    mkdirSync(join(folder.root, "elsewhere"));
    renameSync(folder.paths.accounts, real);
    symlinkSync(real, folder.paths.accounts);
    const store = await folder.open();
    await store.swapCredentials("id-a", 1, testCredentials("a", 2));
    assert.ok(lstatSync(folder.paths.accounts).isSymbolicLink());
    assert.match(readFileSync(real, "utf8"), /refresh-a-2/);
    assert.equal((await (await folder.open()).load()).accounts[0]?.generation, 2);
  }));

Deno.test(`${ROW}: a symlink to itself`, () =>
  inFolder(async (folder) => {
    mkdirSync(folder.paths.folder);
    symlinkSync("accounts.json", folder.paths.accounts);
    const store = await folder.open();
    const clear = isClear(folder.paths.accounts, /remove it/);
    await assert.rejects(store.load(), clear);
    for (const write of writes(store)) await assert.rejects(write(), clear);
  }));

for (const call of ["stat", "read"]) {
  Deno.test(`${ROW}: unreadable (${call})`, () =>
    inFolder(async (folder) => {
      await withTwoAccounts(folder);
      const text = folder.text();
      const faulty = faultyFiles();
      faulty.fail = (name, path) =>
        name === call && path === folder.paths.accounts ? "EACCES" : undefined;
      const store = await folder.open({}, { files: faulty.files });
      const clear = isClear(folder.paths.accounts, /chmod 600 "/);
      await assert.rejects(store.load(), clear);
      for (const write of writes(store)) await assert.rejects(write(), clear);
      assert.equal(folder.text(), text);
    }));
}

Deno.test(`${ROW}: read-only`, () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const text = folder.text();
    chmodSync(folder.paths.accounts, 0o400);
    const store = await folder.open();
    assert.equal((await store.load()).accounts.length, 2, "it can be read");
    const clear = isClear(folder.paths.accounts, /chmod 600 "/);
    for (const write of writes(store)) await assert.rejects(write(), clear);
    await assert.rejects(store.beginRefresh("id-a", 1), clear, "no token is spent in vain");
    assert.equal(folder.text(), text);
  }));

Deno.test(`${ROW}: a folder that cannot be written`, () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const text = folder.text();
    const faulty = faultyFiles();
    const store = await folder.open({}, { files: faulty.files });
    await store.load();
    faulty.fail = (name, path) =>
      name === "open" && path?.includes("accounts.json.tmp") ? "EROFS" : undefined;
    const clear = isClear(folder.paths.accounts, /chmod 700 "/);
    for (const write of writes(store)) await assert.rejects(write(), clear);
    assert.equal(folder.text(), text);
    assert.deepEqual((await store.load()).accounts, [testAccount("a"), testAccount("b")]);
  }));

Deno.test("a broken account is named, kept as it is, and does not stop the others", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const broken = {
      cut: { accessToken: "access-cut", notes: "mine" },
      number: 5,
      list: [1],
      expiry: { accessToken: "x", refreshToken: "y", expiresAt: "tomorrow" },
      tags: { accessToken: "x", refreshToken: "y", expiresAt: 1, tags: "a,b" },
    };
    const json = JSON.parse(folder.text());
    json.accounts = { ...broken, ...json.accounts };
    writeFileSync(folder.paths.accounts, JSON.stringify(json));
    const store = await folder.open();
    assert.deepEqual((await store.load()).accounts.map(({ alias }) => alias), ["a", "b"]);
    const told = store.warnings.map((warning) => warning.replace(folder.paths.accounts, "F"));
    assert.deepEqual(told, [
      `The account "cut" in F is left out: refreshToken is missing.`,
      `The account "number" in F is left out: it must be an object.`,
      `The account "list" in F is left out: it must be an object.`,
      `The account "expiry" in F is left out: expiresAt must be a number of milliseconds.`,
      `The account "tags" in F is left out: tags must be a list of texts.`,
    ]);
    await store.swapCredentials("id-a", 1, testCredentials("a", 2));
    const after = JSON.parse(folder.text()).accounts;
    for (const [alias, raw] of Object.entries(broken)) assert.deepEqual(after[alias], raw);
    assert.equal(after.a.refreshToken, "refresh-a-2");
    await assert.rejects(store.add(testAccount("cut")), /"cut" that is no account/);
  }));

Deno.test("fields that we do not know are kept when an account is rewritten", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const json = JSON.parse(folder.text());
    json.theirs = { of: ["the", "file"] };
    json.accounts.a.theirs = { nested: [1, null] };
    Object.defineProperty(json.accounts.a, "__proto__", { value: 7, enumerable: true });
    writeFileSync(folder.paths.accounts, JSON.stringify(json));
    const store = await folder.open();
    await store.edit("id-a", (account) => ({ ...account, notes: "n" }));
    const after = JSON.parse(folder.text());
    assert.deepEqual(after.theirs, { of: ["the", "file"] });
    assert.deepEqual(after.accounts.a.theirs, { nested: [1, null] });
    assert.equal(Object.entries(after.accounts.a).find(([name]) => name === "__proto__")?.[1], 7);
    assert.equal(after.accounts.a.notes, "n");
  }));

Deno.test("an account added by hand works and gets its id with the next save", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const json = JSON.parse(folder.text());
    const { id: _id, ...copy } = json.accounts.a;
    json.accounts.copy = copy;
    json.accounts.again = { ...copy };
    json.accounts.same = { ...json.accounts.a };
    writeFileSync(folder.paths.accounts, JSON.stringify(json));
    const [store, other] = [await folder.open(), await folder.open()];
    const ids = (await store.load()).accounts.map(({ id }) => id);
    assert.equal(new Set(ids).size, 5, "each has an id of its own");
    assert.deepEqual((await other.load()).accounts.map(({ id }) => id), ids);
    await other.edit("id-b", (account) => ({ ...account, notes: "n" }));
    assert.deepEqual((await store.load()).accounts.map(({ id }) => id), ids);
    assert.equal(JSON.parse(folder.text()).accounts.copy.id, ids[2]);
  }));

Deno.test("an edit by hand is noticed after the next save of figures, and at every load", () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const store = await folder.open();
    await store.load();
    const json = JSON.parse(folder.text());
    json.accounts.a.notes = "by hand";
    writeFileSync(folder.paths.accounts, JSON.stringify(json));
    store.observe({ accountId: "id-a", uses: 1 });
    assert.equal(store.changed(), false, "no look at the file for each request");
    await folder.clock.advance(1_000);
    assert.equal(store.changed(), true);
    assert.equal((await store.load()).accounts[0]?.notes, "by hand");
    assert.equal(store.changed(), false);
  }));

Deno.test("two members of one workspace; one person in two workspaces with one email", () =>
  inFolder(async (folder) => {
    folder.use("v2.json");
    const json = JSON.parse(folder.text());
    for (const account of Object.values<Record<string, unknown>>(json.accounts)) {
      // As the first of the older projects wrote them: the workspace alone.
      delete account["accountUserId"];
      delete account["userId"];
    }
    writeFileSync(folder.paths.accounts, JSON.stringify(json));
    const store = await folder.open();
    for (let round = 0; round < 2; round++) {
      const { accounts } = await store.load();
      const four = accounts.filter(({ alias }) => alias !== "backup");
      assert.deepEqual(four.map(({ alias }) => alias), ["personal", "work", "mate", "side"]);
      assert.equal(new Set(four.map(({ id }) => id)).size, 4);
      const [personal, work, mate, side] = four.map(({ identity }) => identity);
      assert.equal(work?.workspaceId, mate?.workspaceId);
      assert.notEqual(work?.memberId, mate?.memberId);
      assert.equal(personal?.userId, side?.userId);
      assert.notEqual(personal?.workspaceId, side?.workspaceId);
      await store.setPin(null);
      await store.edit(four[0]?.id ?? "", (account) => ({ ...account, notes: "rewritten" }));
    }
  }));

Deno.test("alias with spaces, emoji, `..`, `__proto__`, 300 letters", () =>
  inFolder(async (folder) => {
    const aliases = [
      "two words",
      "🦊 fox",
      "..",
      "../../etc/passwd",
      "__proto__",
      "constructor",
      "x".repeat(300),
      "10",
      "2",
      "",
      "\u0000\n\ud800",
    ];
    const store = await folder.open();
    for (const [index, alias] of aliases.entries()) {
      await store.add({ ...testAccount("n"), id: `id-${index}`, alias });
    }
    const other = await folder.open();
    for (const one of [store, other]) {
      const { accounts } = await one.load();
      assert.deepEqual(accounts.map(({ alias }) => alias), aliases);
      assert.deepEqual(accounts.map(({ id }) => id), aliases.map((_, index) => `id-${index}`));
    }
    await other.edit("id-4", (account) => ({ ...account, notes: "polluted?" }));
    assert.equal(({} as { notes?: string }).notes, undefined);
    assert.equal((await store.load()).accounts[4]?.notes, "polluted?");
    assert.deepEqual(folder.names(), ["accounts.json", "accounts.json.bak", "state.db"]);
    assert.equal(await store.remove("id-4"), true);
    assert.equal((await store.load()).accounts.length, aliases.length - 1);
  }));

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
