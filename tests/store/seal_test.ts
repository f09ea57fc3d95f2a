import assert from "node:assert/strict";
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/platform/failure.ts";
import { seal, unseal } from "../../src/store/reseal.ts";
import type { Store } from "../../src/store/store.ts";
import { failNth, faultyFiles } from "../platform/faulty_files.ts";
import {
  FIXTURES,
  inFolder,
  type StoreFolder,
  testAccount,
  testCredentials,
} from "./store_folder.ts";

const P = "CODEX_SOFT_STORE_PASSPHRASE";
const COMMAND = "CODEX_SOFT_STORE_PASSPHRASE_COMMAND";

/** Every promise that writes. */
function writes(store: Store): (() => Promise<unknown>)[] {
  return [
    () => store.add(testAccount("new")),
    () => store.remove("id-a"),
    () => store.edit("id-a", (account) => account),
    () => store.swapCredentials("id-a", 1, testCredentials("a", 2)),
    () => store.setPin(null),
    () => store.beginRefresh("id-a", 1),
    () => store.endRefresh("id-a"),
    () => store.lease("refresh", 1_000),
  ];
}

/** Files of the folder in whose bytes this text stands. */
function filesWith(folder: StoreFolder, text: string): string[] {
  return readdirSync(folder.paths.folder).filter((name) =>
    readFileSync(join(folder.paths.folder, name)).includes(text)
  );
}

for (
  const [name, env] of [
    ["missing", {}],
    ["blank", { [P]: "  " }],
    ["wrong", { [P]: "fixture-passphras" }],
    ["wrong by a space", { [P]: "fixture-passphrase " }],
    ["from a command that fails", { [COMMAND]: "echo fixture-passphrase; exit 3" }],
    ["from a command that prints nothing", { [COMMAND]: "true" }],
  ] as const
) {
  Deno.test(`sealed store, passphrase missing or wrong: ${name}`, () =>
    inFolder(async (folder) => {
      folder.use("v1-encrypted.json");
      const text = folder.text();
      const store = await folder.open(env);
      const snapshot = await store.load();
      assert.equal(snapshot.locked, true);
      assert.deepEqual(snapshot.accounts, []);
      assert.equal(store.warnings.length, 1);
      assert.match(store.warnings[0] ?? "", /CODEX_SOFT_STORE_PASSPHRASE/);
      for (const write of writes(store)) {
        await assert.rejects(write(), (error) => {
          assert.ok(error instanceof Failure, String(error));
          assert.match(error.message, /CODEX_SOFT_STORE_PASSPHRASE/);
          assert.ok(!error.message.includes("fixture-passphras"), "the passphrase is not told");
          return true;
        });
      }
      assert.equal(folder.text(), text);
      assert.deepEqual(folder.names().filter((name) => name !== "state.db"), ["accounts.json"]);
    }));
}

Deno.test("a passphrase from a command is its standard output without the last line's end", () =>
  inFolder(async (folder) => {
    folder.use("v2-encrypted.json");
    const command = "echo noise >&2; printf 'Pässwort mit Leerzeichen \\n'";
    const { accounts, locked } = await (await folder.open({ [COMMAND]: command })).load();
    assert.deepEqual([accounts.length, locked], [5, false]);
  }));

Deno.test("the command is not run for a plain store that is only read", () =>
  inFolder(async (folder) => {
    folder.use("v1.json");
    const mark = join(folder.root, "ran");
    const env = { [COMMAND]: `echo x >> '${mark}'; echo fixture-passphrase` };
    const store = await folder.open(env);
    await store.load();
    assert.equal(existsSync(mark), false);
    await store.add(testAccount("a"));
    await store.add(testAccount("b"));
    assert.equal(readFileSync(mark, "utf8"), "x\n", "and once for all saves");
  }));

Deno.test("a save that should be sealed is refused when the command gives no passphrase", () =>
  inFolder(async (folder) => {
    folder.use("v1.json");
    const text = folder.text();
    const store = await folder.open({ [COMMAND]: "exit 1" });
    await assert.rejects(store.add(testAccount("a")), /_COMMAND gave no passphrase \(.*code 1\)/);
    assert.equal(folder.text(), text);
  }));

Deno.test("the command is asked again after a while", () =>
  inFolder(async (folder) => {
    folder.use("v1-encrypted.json");
    const mark = join(folder.root, "unlocked");
    const store = await folder.open({ [COMMAND]: `cat '${mark}'` });
    assert.equal((await store.load()).locked, true);
    writeFileSync(mark, "fixture-passphrase\n");
    assert.equal((await store.load()).locked, true, "not at every load");
    await folder.clock.advance(10_000);
    assert.equal((await store.load()).locked, false);
  }));

Deno.test("passphrase set on a plain store", () =>
  inFolder(async (folder) => {
    folder.use("v2.json");
    // Copies as the older projects leave them, and one of a save that was cut off.
    const copies = [
      "accounts.json.bak",
      "accounts.json.lkg",
      "accounts.json.v1",
      "accounts.json.tmp-1-1795456800000",
      `accounts.json.tmp-${Deno.pid}-abc`,
    ];
    for (const name of copies) {
      copyFileSync(join(FIXTURES, "store", "v1.json"), join(folder.paths.folder, name));
    }
    assert.equal(filesWith(folder, "rt_fixture_personal_0").length, copies.length + 1);
    const store = await folder.open({ [P]: "secret words" });
    const { accounts } = await store.load();
    assert.equal(filesWith(folder, "rt_fixture_personal_0").length, copies.length + 1);
    await store.edit(accounts[0]?.id ?? "", (account) => ({ ...account, notes: "n" }));
    assert.deepEqual(filesWith(folder, "rt_fixture_"), []);
    assert.deepEqual(filesWith(folder, "you@personal.example"), []);
    assert.deepEqual(filesWith(folder, "secret words"), []);
    assert.deepEqual(folder.names(), [
      "accounts.json",
      "accounts.json.bak",
      "accounts.json.v1",
      "accounts.json.v2",
      "state.db",
    ]);
    assert.equal(folder.text("accounts.json.bak"), folder.text());
    const envelope = JSON.parse(folder.text());
    assert.deepEqual(
      [envelope.encrypted, envelope.N, envelope.r, envelope.p],
      [true, 131_072, 8, 1],
    );
    // The backups can be had back.
    for (const [name, fixture] of [["v1", "v1.json"], ["v2", "v2.json"]] as const) {
      copyFileSync(join(folder.paths.folder, `accounts.json.${name}`), folder.paths.accounts);
      const again = await folder.open({ [P]: "secret words" });
      const expected = Object.keys(
        JSON.parse(readFileSync(join(FIXTURES, "store", fixture), "utf8")).accounts,
      );
      assert.deepEqual((await again.load()).accounts.map(({ alias }) => alias), expected);
    }
  }));

Deno.test("a first sealed save that fails at any call leaves no sealed file beside plain copies", () =>
  inFolder(async (folder) => {
    // One store for all rounds: its key is derived once.
    const faulty = faultyFiles();
    const store = await folder.open({ [P]: "p" }, { files: faulty.files });
    let failures = 0;
    for (let n = 1; n < 40; n++) {
      folder.use("v1.json");
      for (const name of ["accounts.json.bak", "accounts.json.lkg"]) {
        copyFileSync(join(FIXTURES, "store", "v1.json"), join(folder.paths.folder, name));
      }
      const { accounts: [account] } = await store.load();
      await store.setPin(null);
      faulty.fail = failNth(n, "ENOSPC");
      const saved = await store.edit(account?.id ?? "", (one) => ({ ...one, notes: `${n}` }))
        .then(() => true, () => false);
      faulty.fail = () => undefined;
      const sealed = "encrypted" in JSON.parse(folder.text());
      if (sealed) assert.deepEqual(filesWith(folder, "rt_fixture_"), [], `call ${n}`);
      else assert.equal(saved, false, "a plain file means a refused save");
      assert.equal((await store.load()).accounts.length, 3);
      if (!saved) failures++;
    }
    assert.ok(failures >= 4, `only ${failures} calls failed`);
  }));

Deno.test("each save takes a new iv and keeps the salt, so that the key is derived once", () =>
  inFolder(async (folder) => {
    const store = await folder.open({ [P]: "p" });
    const seen = new Set<string>();
    let salt: string | undefined;
    for (let round = 0; round < 5; round++) {
      await store.add(testAccount(`a${round}`));
      const envelope = JSON.parse(folder.text());
      seen.add(envelope.iv);
      salt ??= envelope.salt;
      assert.equal(envelope.salt, salt);
    }
    assert.equal(seen.size, 5);
    const other = await folder.open({ [P]: "p" });
    assert.equal((await other.load()).accounts.length, 5);
    await other.remove("id-a0");
    assert.equal(JSON.parse(folder.text()).salt, salt);
    assert.equal((await store.load()).accounts.length, 4);
  }));

Deno.test("a store sealed by an older project is sealed anew with today's cost", () =>
  inFolder(async (folder) => {
    folder.use("v1-encrypted.json");
    const store = await folder.open({ [P]: "fixture-passphrase" });
    await store.add(testAccount("a"));
    assert.equal(JSON.parse(folder.text()).N, 131_072);
    assert.equal(JSON.parse(folder.text("accounts.json.v1")).N, undefined);
    assert.deepEqual(filesWith(folder, "rt_fixture_"), []);
    const { accounts } = await (await folder.open({ [P]: "fixture-passphrase" })).load();
    assert.deepEqual(accounts.map(({ alias }) => alias), ["personal", "work", "backup", "a"]);
  }));

Deno.test("a process without the passphrase is locked out when another one seals", () =>
  inFolder(async (folder) => {
    const plain = await folder.open();
    await plain.add(testAccount("a"));
    await plain.load();
    await (await folder.open({ [P]: "p" })).add(testAccount("b"));
    assert.equal(plain.changed(), true);
    assert.equal((await plain.load()).locked, true);
    const text = folder.text();
    await assert.rejects(plain.edit("id-a", (one) => ({ ...one, notes: "n" })), /is sealed/);
    assert.equal(folder.text(), text);
  }));

Deno.test("seal, change the passphrase, unseal", () =>
  inFolder(async (folder) => {
    folder.use("v1.json");
    const store = await folder.open();
    await seal(store, "one");
    assert.deepEqual(filesWith(folder, "rt_fixture_"), []);
    assert.equal((await (await folder.open({ [P]: "one" })).load()).accounts.length, 3);
    assert.ok(folder.names().includes("accounts.json.v1"));
    await seal(store, "two");
    assert.equal((await (await folder.open({ [P]: "one" })).load()).locked, true);
    assert.equal((await (await folder.open({ [P]: "two" })).load()).accounts.length, 3);
    assert.ok(!folder.names().includes("accounts.json.v1"), "the old passphrase opens no copy");
    await unseal(store);
    assert.equal((await (await folder.open()).load()).accounts.length, 3);
    await store.add(testAccount("a"));
    assert.equal((await (await folder.open()).load()).accounts.length, 4);
    await assert.rejects(seal(store, "  "), Failure);
  }));

Deno.test("unseal and a new passphrase need the present one", () =>
  inFolder(async (folder) => {
    folder.use("v1-encrypted.json");
    const text = folder.text();
    const store = await folder.open({ [P]: "wrong" });
    await assert.rejects(unseal(store), /does not open/);
    await assert.rejects(seal(store, "new"), /does not open/);
    assert.equal(folder.text(), text);
    assert.equal((await store.load()).locked, true);
  }));

Deno.test("a change of passphrase that cannot be saved changes nothing", () =>
  inFolder(async (folder) => {
    const faulty = faultyFiles();
    const store = await folder.open({ [P]: "one" }, { files: faulty.files });
    await store.add(testAccount("a"));
    let saves = 0;
    faulty.fail = (call, path) =>
      call === "open" && path?.includes(".tmp-") && ++saves > 2 ? "ENOSPC" : undefined;
    await assert.rejects(seal(store, "two"), /ENOSPC/);
    faulty.fail = () => undefined;
    assert.equal((await (await folder.open({ [P]: "one" })).load()).accounts.length, 1);
    await store.add(testAccount("b"));
    assert.equal((await (await folder.open({ [P]: "one" })).load()).accounts.length, 2);
  }));
