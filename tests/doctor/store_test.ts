import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { examine } from "../../src/doctor/examination.ts";
import { type FileStat, systemFiles } from "../../src/platform/files.ts";
import { storeChecks } from "../../src/doctor/store.ts";
import { finding, lookAt, type Machine, named, withMachine } from "./machine.ts";
import type { Surroundings } from "../../src/doctor/surroundings.ts";

const look = (surroundings: Surroundings, name: string) =>
  lookAt(named(storeChecks(surroundings), name));

Deno.test("a store that is well has nothing but ok", () =>
  withMachine(async ({ account, surroundings }) => {
    await account("personal");
    for (const check of storeChecks(surroundings)) {
      for (const { state, text } of (await lookAt(check)).findings) assert.equal(state, "ok", text);
    }
    const { text } = finding(await look(surroundings, "accounts file"), "accounts file");
    assert.match(text, /accounts\.json holds 1 account\.$/);
  }));

Deno.test("no store at all is said and is not wrong", () =>
  withMachine(async ({ surroundings, home }) => {
    for (const check of storeChecks(surroundings)) {
      for (const { state, text } of (await lookAt(check)).findings) assert.equal(state, "ok", text);
    }
    assert.ok(!existsSync(`${home}/.config`));
  }));

Deno.test("files and folders that others may reach are named, and mended", () =>
  withMachine(async ({ account, surroundings }) => {
    await account("personal");
    const { folder, accounts, state } = surroundings.paths;
    systemFiles.chmod(folder, 0o755);
    systemFiles.chmod(accounts, 0o644);
    systemFiles.chmod(state, 0o640);
    const found = await look(surroundings, "file modes");
    const modes = finding(found, "file modes");
    assert.equal(modes.state, "wrong");
    assert.ok(modes.text.includes(accounts) && modes.text.includes(state), modes.text);
    assert.match(modes.fix ?? "", /^Keep them to yourself: chmod -R go= /);
    await found.mend?.([modes]);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(accounts).mode & 0o777, 0o600);
    assert.equal(statSync(state).mode & 0o777, 0o600);
    assert.equal(finding(await look(surroundings, "file modes"), "file modes").state, "ok");
  }));

Deno.test("files that belong to another user are wrong; root is told to go, not to take them", () =>
  withMachine(async ({ account, with: other }) => {
    await account("personal");
    const of = (uid: number) =>
      other({ files: { ...systemFiles, stat: (path) => asOwnedBy(systemFiles.stat(path), uid) } });
    const owners = async (uid: number) =>
      finding(await look({ ...of(1000), uid }, "file modes"), "file owners");
    assert.equal((await owners(1001)).state, "wrong");
    assert.match((await owners(1001)).fix ?? "", /chown/);
    assert.equal((await owners(0)).fix, "Run it as that user, without sudo.");
  }));

function asOwnedBy(stat: FileStat, uid: number): FileStat {
  return new Proxy(stat, {
    get: (target, key) => {
      const value = key === "uid" ? uid : Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

Deno.test("accounts.json read-only: renewed tokens would be lost, so it is wrong, and mended", () =>
  withMachine(async ({ account, surroundings }) => {
    await account("personal");
    const { accounts } = surroundings.paths;
    systemFiles.chmod(accounts, 0o400);
    const found = await look(surroundings, "file modes");
    const closed = finding(found, "read-only files");
    assert.equal(closed.state, "wrong");
    assert.match(closed.text, /accounts\.json cannot be written/);
    await found.mend?.([closed]);
    assert.equal(statSync(accounts).mode & 0o777, 0o600);
  }));

Deno.test("accounts.json of wrong types, 10 MB, a folder, a circle of links: each is one finding with its fix", () =>
  withMachine(async (machine) => {
    const { surroundings, put, everything } = machine;
    const file = ".config/opencode-multi-auth/accounts.json";
    const { accounts } = surroundings.paths;
    const spoil: readonly (readonly [RegExp, () => void])[] = [
      [/has no object "accounts"/, () => put(file, '{"version": 3, "accounts": 7}')],
      [/is larger than 8 MiB/, () => put(file, `"${"x".repeat(10_000_000)}"`)],
      [/is a folder/, () => mkdirSync(accounts)],
      [/cannot be read \(ELOOP\)/, () => symlinkSync(accounts, accounts)],
    ];
    for (const [what, make] of spoil) {
      rmSync(accounts, { recursive: true, force: true });
      make();
      const before = everything();
      const { results } = await examine(
        [named(storeChecks(surroundings), "accounts file")],
        machine.clock,
      );
      assert.deepEqual(results.map(({ state }) => state), ["wrong"]);
      assert.match(results[0]?.text ?? "", what);
      assert.ok(results[0]?.fix, results[0]?.text);
      assert.deepEqual(everything(), before);
    }
  }));

for (
  const [what, text] of [["cut short", '{"version": 3, "acc'], ["not JSON", "hello"], ["empty", ""]]
) {
  Deno.test(`accounts.json ${what}: the last good copy is offered, and taken with the broken one kept`, () =>
    withMachine(async ({ account, put, surroundings, everything }) => {
      await account("personal");
      const { accounts, accountsBackup } = surroundings.paths;
      put(".config/opencode-multi-auth/accounts.json", text ?? "", 0o644);
      const before = everything();
      const found = await look(surroundings, "accounts file");
      const broken = finding(found, "accounts file");
      assert.equal(broken.state, "wrong");
      assert.equal(broken.fix, `Take the last good copy: cp "${accountsBackup}" "${accounts}"`);
      // Said once, though state.db is read through the same store.
      assert.ok(existsSync(surroundings.paths.state));
      assert.deepEqual((await look(surroundings, "state")).findings, []);
      assert.deepEqual(everything(), before);
      const mended = await found.mend?.([broken]);
      const [kept = ""] = mended?.backups ?? [];
      assert.equal(readFileSync(kept, "utf8"), text);
      assert.equal(statSync(kept).mode & 0o777, 0o600);
      assert.equal(readFileSync(accounts, "utf8"), readFileSync(accountsBackup, "utf8"));
      assert.equal(finding(await look(surroundings, "accounts file"), "accounts file").state, "ok");
    }));
}

Deno.test("accounts.json gone with its last good copy there: it is put back", () =>
  withMachine(async ({ account, surroundings }) => {
    await account("personal");
    systemFiles.unlink(surroundings.paths.accounts);
    const found = await look(surroundings, "accounts file");
    const gone = finding(found, "accounts file");
    assert.equal(gone.state, "wrong");
    await found.mend?.([gone]);
    const { text } = finding(await look(surroundings, "accounts file"), "accounts file");
    assert.match(text, /holds 1 account\.$/);
  }));

Deno.test("accounts.json broken without a copy: said with its fix, and nothing is offered", () =>
  withMachine(async ({ put, surroundings }) => {
    put(".config/opencode-multi-auth/accounts.json", "{");
    await assert.rejects(look(surroundings, "accounts file"), /is not JSON, or was cut short/);
  }));

Deno.test("a damaged state.db is set aside by the fix, and no account is lost", () =>
  withMachine(async ({ account, put, surroundings }) => {
    await account("personal");
    put(".config/opencode-multi-auth/state.db", "SQLite format 3\0 and then nothing".repeat(50));
    const found = await look(surroundings, "state");
    const damaged = finding(found, "state");
    assert.equal(damaged.state, "wrong");
    assert.match(damaged.text, /state\.db is damaged .*never an account/);
    const mended = await found.mend?.([damaged]);
    assert.ok(existsSync(mended?.backups?.[0] ?? ""), "the damaged file is kept");
    assert.equal(finding(await look(surroundings, "state"), "state").state, "ok");
    const { text } = finding(await look(surroundings, "accounts file"), "accounts file");
    assert.match(text, /holds 1 account\.$/);
  }));

Deno.test("home folder on NFS: doctor says that state.db uses a rollback journal", () =>
  withMachine(async ({ account, surroundings, with: other }) => {
    await account("personal");
    const nfs = other({
      files: {
        ...systemFiles,
        kind: (path) => path === surroundings.paths.folder ? 0x6969 : systemFiles.kind(path),
      },
    });
    const journal = finding(await look(nfs, "state"), "state");
    assert.equal(journal.state, "warning");
    assert.match(journal.text, /rollback journal/);
    assert.ok(journal.text.includes(surroundings.paths.state), journal.text);
    assert.match(journal.fix ?? "", /OPENCODE_MULTI_AUTH_STORE_DIR/);
  }));

async function sealed({ account, surroundings, put }: Machine): Promise<string> {
  await account("personal");
  const plain = readFileSync(surroundings.paths.accounts, "utf8");
  put(".config/opencode-multi-auth/accounts.json", fixture());
  put(".config/opencode-multi-auth/accounts.json.bak", fixture());
  return plain;
}

function fixture(): string {
  return readFileSync(new URL("../fixtures/store/v1-encrypted.json", import.meta.url), "utf8");
}

Deno.test("a sealed store without its passphrase is locked, with what opens it", () =>
  withMachine(async (machine) => {
    await sealed(machine);
    const locked = finding(await look(machine.surroundings, "accounts file"), "accounts file");
    assert.equal(locked.state, "wrong");
    assert.match(locked.text, /The store is locked: .*CODEX_SOFT_STORE_PASSPHRASE/);
  }));

Deno.test("a plain copy beside a sealed store is wrong", () =>
  withMachine(async (machine) => {
    const plain = await sealed(machine);
    const { surroundings, put } = machine;
    assert.equal(finding(await look(surroundings, "seal"), "seal").state, "ok");
    const copy = put(".config/opencode-multi-auth/accounts.json.v1", plain);
    const found = finding(await look(surroundings, "seal"), "seal");
    assert.equal(found.state, "wrong");
    assert.ok(found.text.includes(copy), found.text);
  }));

Deno.test("a passphrase that seals nothing yet is a warning", () =>
  withMachine(async ({ account, withEnv }) => {
    await account("personal");
    const env = withEnv({ CODEX_SOFT_STORE_PASSPHRASE: "open sesame" });
    const found = finding(await look(env, "seal"), "seal");
    assert.equal(found.state, "warning");
    assert.match(found.fix ?? "", /opencode-multi-auth seal$/);
  }));

Deno.test("settings that cannot be and addresses that tokens may not go to are wrong", () =>
  withMachine(async ({ put, surroundings, withEnv }) => {
    const away = withEnv({ OPENCODE_MULTI_AUTH_ISSUER_URL: "http://example.com" });
    await assert.rejects(look(away, "settings"), /not an address that tokens may be sent to/);
    put(".config/opencode-multi-auth/settings.json", "[");
    await assert.rejects(look(surroundings, "settings"), /is not JSON/);
  }));

Deno.test("an address of the person's own is a warning, so that nobody forgets it", () =>
  withMachine(async ({ withEnv }) => {
    const own = withEnv({ OPENCODE_MULTI_AUTH_BACKEND_URL: "https://proxy.example/api" });
    const found = finding(await look(own, "settings"), "backend address");
    assert.equal(found.state, "warning");
    assert.match(found.text, /https:\/\/proxy\.example\/api/);
  }));

Deno.test("a full disk is wrong, one with room is not worth a word", () =>
  withMachine(async ({ surroundings }) => {
    const full = await look({ ...surroundings, freeBytes: () => 4_096 }, "disk space");
    assert.deepEqual(full.findings.map(({ state }) => state), ["wrong"]);
    assert.match(full.findings[0]?.text ?? "", /is full: neither tokens nor figures/);
    assert.deepEqual((await look(surroundings, "disk space")).findings, []);
  }));

Deno.test("the strategy is the one that serves, an older project's too", () =>
  withMachine(async ({ surroundings }) => {
    const { folder, accounts } = surroundings.paths;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    copyFileSync(new URL("../fixtures/store/v2.json", import.meta.url), accounts);
    const { text } = finding(await look(surroundings, "settings"), "settings");
    assert.match(text, /strategy weighted\.$/);
  }));
