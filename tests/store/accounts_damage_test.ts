import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { faultyFiles } from "../platform/faulty_files.ts";
import { inFolder, testAccount, testCredentials } from "./store_folder.ts";
import { isClear, withTwoAccounts, writes } from "./two_accounts.ts";

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
    assert.match(
      store.warnings.join(),
      /accounts\.json is read-only: tokens cannot .* chmod 600 "/,
    );
    const clear = isClear(folder.paths.accounts, /chmod 600 "/);
    for (const write of writes(store)) await assert.rejects(write(), clear);
    await assert.rejects(store.beginRefresh("id-a", 1), clear, "no token is spent in vain");
    assert.equal(folder.text(), text);
  }));

const FIXES = [["EACCES", /chmod 700 "/], ["EROFS", /mounted read-only.*STORE_DIR/]] as const;

Deno.test(`${ROW}: a folder that cannot be written`, () =>
  inFolder(async (folder) => {
    await withTwoAccounts(folder);
    const text = folder.text();
    const faulty = faultyFiles();
    const store = await folder.open({}, { files: faulty.files });
    await store.load();
    let code = "";
    faulty.fail = (name, path) =>
      name === "open" && path?.includes("accounts.json.tmp") ? code : undefined;
    for (const [reason, fix] of FIXES) {
      code = reason;
      const clear = isClear(folder.paths.accounts, fix);
      for (const write of writes(store)) await assert.rejects(write(), clear);
    }
    assert.equal(folder.text(), text);
    assert.deepEqual((await store.load()).accounts, [testAccount("a"), testAccount("b")]);
  }));
