import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accountSubject, workspaceSubject } from "../../src/quota/block.ts";
import type { Snapshot } from "../../src/store/store.ts";
import { readHistory } from "./one_history.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { idOf, inFolder, type StoreFolder, testAccount } from "./store_folder.ts";

const HOUR = 3_600_000;
const SEALS: Readonly<Record<string, string>> = {
  "v1-encrypted.json": "fixture-passphrase",
  // The space at the end belongs to it.
  "v2-encrypted.json": "Pässwort mit Leerzeichen ",
};

function open(folder: StoreFolder, fixture: string) {
  return folder.open({ CODEX_SOFT_STORE_PASSPHRASE: SEALS[fixture] });
}

/** What `fixtures/older/status.txt` shows, and what stands behind it. */
function checkVersion1(snapshot: Snapshot): void {
  assert.deepEqual(
    snapshot.accounts.map(({ id, alias, email, credentials, setAside }) => ({
      alias,
      email,
      uses: snapshot.figures.get(id)?.uses,
      expires: new Date(credentials.expiresAt).toISOString(),
      setAside,
    })),
    [
      {
        alias: "personal",
        email: "you@personal.example",
        uses: 12,
        expires: "2026-12-01T18:00:00.000Z",
        setAside: undefined,
      },
      {
        alias: "work",
        email: "you@work.example",
        uses: 10,
        expires: "2026-12-01T18:00:00.000Z",
        setAside: undefined,
      },
      {
        alias: "backup",
        email: "you@backup.example",
        uses: 8,
        expires: "2026-11-23T17:00:00.000Z",
        setAside: { at: 1795455000_000, reason: "needs login" },
      },
    ],
  );
  assert.equal(snapshot.activeId, idOf(snapshot, "personal"));
  const work = snapshot.blocks.find(({ subject }) =>
    subject === accountSubject(idOf(snapshot, "work"))
  );
  assert.equal(work?.until, FIXTURE_NOW + HOUR);
  assert.equal(work?.reason, "usage limit");
  const [personal] = snapshot.accounts;
  assert.deepEqual(personal?.tags, ["home", "main"]);
  assert.equal(personal?.notes, "My own plan");
  assert.equal(personal?.source, "codex");
  assert.equal(personal?.refreshedAt, Date.parse("2026-11-23T17:00:00.000Z"));
  assert.deepEqual(snapshot.figures.get(personal?.id ?? ""), {
    uses: 12,
    lastUsedAt: 1795456680_000,
    windows: [
      window(300, 40, 1795464000_000),
      window(10_080, 12, 1795802400_000),
    ],
  });
}

function window(minutes: number, usedPercent: number, resetsAt: number) {
  return { bucket: "codex", minutes, usedPercent, resetsAt, observedAt: 1795456680_000 };
}

function checkVersion2(snapshot: Snapshot): void {
  assert.deepEqual(
    snapshot.accounts.map(({ id, alias, plan, enabled }) => [
      alias,
      plan,
      enabled,
      snapshot.figures.get(id)?.uses,
    ]),
    [
      ["personal", "plus", true, 12],
      ["work", "team", true, 10],
      ["mate", "team", true, 3],
      ["side", "business", false, 1],
      ["backup", "pro", true, 8],
    ],
  );
  const side = snapshot.accounts[3];
  assert.deepEqual(side?.disabled, { at: 1795370400_000, reason: "holiday" });
  assert.deepEqual(snapshot.pin, { accountId: idOf(snapshot, "personal"), until: 1795478400_000 });
  const blocks = new Map(snapshot.blocks.map((block) => [block.reason, block]));
  assert.deepEqual([...blocks.keys()].sort(), [
    "model not supported",
    "usage limit",
    "workspace deactivated",
  ]);
  assert.deepEqual(blocks.get("model not supported"), {
    subject: accountSubject(side?.id ?? ""),
    model: "gpt-5.3-codex-spark",
    reason: "model not supported",
    until: 1795458600_000,
    source: "guess",
    since: FIXTURE_NOW,
  });
  assert.deepEqual(blocks.get("workspace deactivated"), {
    subject: workspaceSubject("7c9d2e64-8a1b-4c2d-8e3f-4a5b6c7d8e02"),
    model: "",
    reason: "workspace deactivated",
    until: 1795458600_000,
    source: "guess",
    since: FIXTURE_NOW,
  });
}

for (
  const [fixture, check] of [
    ["v1.json", checkVersion1],
    ["v1-encrypted.json", checkVersion1],
    ["v2.json", checkVersion2],
    ["v2-encrypted.json", checkVersion2],
  ] as const
) {
  const version = fixture.slice(0, 2);

  Deno.test(`${fixture} is shown whole before any write, and reading writes nothing`, () =>
    inFolder(async (folder) => {
      folder.use(fixture);
      const text = folder.text();
      const store = await open(folder, fixture);
      check(await store.load());
      assert.equal(store.changed(), false);
      assert.deepEqual(store.warnings, []);
      await store.close();
      assert.deepEqual(folder.names(), ["accounts.json"]);
      assert.equal(folder.text(), text);
    }));

  Deno.test(`${fixture} is carried over whole by the first write, and kept beside it`, () =>
    inFolder(async (folder) => {
      folder.use(fixture);
      const text = folder.text();
      const store = await open(folder, fixture);
      const before = await store.load();
      await store.edit(idOf(before, "work"), (account) => ({ ...account, tags: ["new"] }));
      const after = await store.load();
      check(after);
      assert.deepEqual(after.accounts.map(({ id }) => id), before.accounts.map(({ id }) => id));
      assert.deepEqual(after.accounts[1]?.tags, ["new"]);
      check(await (await open(folder, fixture)).load());
      assert.equal(folder.text(`accounts.json.${version}`), text, "the same bytes");
      const mode = statSync(join(folder.paths.folder, `accounts.json.${version}`)).mode & 0o777;
      assert.equal(mode, 0o600);
      assert.equal("encrypted" in JSON.parse(folder.text()), fixture.includes("encrypted"));
      assert.deepEqual(after.blocks, before.blocks);
      assert.deepEqual(
        (await readHistory(store, idOf(before, "personal"))).map(
          ({ minutes, usedPercent, observedAt }) => [minutes, usedPercent, observedAt],
        ),
        [
          [300, 5, 1795348800_000],
          [10_080, 3, 1795348800_000],
          [300, 20, 1795435200_000],
          [10_080, 8, 1795435200_000],
          [300, 40, 1795453200_000],
          [10_080, 12, 1795453200_000],
        ],
      );
    }));
}

Deno.test("what is counted goes on top of an older file's figures, by several processes", () =>
  inFolder(async (folder) => {
    folder.use("v1.json");
    const stores = [await folder.open(), await folder.open(), await folder.open()];
    const id = idOf(await folder.open().then((store) => store.load()), "personal");
    for (const store of stores) {
      await store.load();
      store.observe({ accountId: id, uses: 1 });
      await store.flush();
    }
    for (const store of stores) assert.equal((await store.load()).figures.get(id)?.uses, 15);
    assert.equal(JSON.parse(folder.text()).version, undefined, "figures alone rewrite no accounts");
    await stores[0]?.edit(id, (account) => ({ ...account, notes: "n" }));
    for (const store of stores) assert.equal((await store.load()).figures.get(id)?.uses, 15);
  }));

Deno.test("a block of an older file that newer evidence has lifted stays lifted", () =>
  inFolder(async (folder) => {
    folder.use("v1.json");
    const store = await folder.open();
    const [block] = (await store.load()).blocks;
    assert.ok(block);
    await store.unblock(block, block.since + 1);
    assert.deepEqual((await store.load()).blocks, []);
    assert.deepEqual((await (await folder.open()).load()).blocks, []);
  }));

Deno.test("a pin of an older file that was lifted stays lifted", () =>
  inFolder(async (folder) => {
    folder.use("v2.json");
    const store = await folder.open();
    await store.setPin(null);
    assert.equal((await store.load()).pin, null);
    assert.equal((await (await folder.open()).load()).pin, null);
  }));

Deno.test("a pin of an older file that has ended is none", () =>
  inFolder(async (folder) => {
    folder.use("v2.json");
    folder.clock.jump(1795478400_000 - 1);
    assert.ok((await (await folder.open()).load()).pin);
    folder.clock.jump(1795478400_000);
    assert.equal((await (await folder.open()).load()).pin, null);
  }));

Deno.test("settings of version 2 are there before and after it is carried over", () =>
  inFolder(async (folder) => {
    folder.use("v2.json");
    const store = await folder.open();
    const settings = {
      strategy: "weighted",
      weights: { personal: 0.5, work: 0.2, mate: 0.1, side: 0.1, backup: 0.1 },
    };
    assert.deepEqual(await store.olderSettings(), settings);
    assert.deepEqual(folder.names(), ["accounts.json"]);
    const [account] = (await store.load()).accounts;
    await store.edit(account?.id ?? "", (one) => ({ ...one, notes: "n" }));
    assert.deepEqual(await (await folder.open()).olderSettings(), settings);
  }));

Deno.test("settings: none where there never was an older file", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    assert.equal(await store.olderSettings(), undefined);
    await store.add(testAccount("a"));
    assert.equal(await store.olderSettings(), undefined);
  }));

Deno.test("a crash between carrying figures over and rewriting the file counts nothing twice", () =>
  inFolder(async (folder) => {
    folder.use("v1.json");
    const text = folder.text();
    const store = await folder.open();
    const { accounts: [account] } = await store.load();
    const id = account?.id ?? "";
    await store.edit(id, (one) => ({ ...one, notes: "n" }));
    await store.close();
    // As if the rewritten file had never arrived.
    writeFileSync(folder.paths.accounts, text);
    const again = await folder.open();
    checkVersion1(await again.load());
    again.observe({ accountId: id, uses: 1 });
    await again.flush();
    assert.equal((await again.load()).figures.get(id)?.uses, 13);
    assert.equal((await readHistory(again, id)).length, 6);
  }));
