import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolvePaths } from "../../src/platform/paths.ts";
import {
  describeAccount,
  disableAccount,
  enableAccount,
  pinAccount,
  readTags,
  renameAccount,
  restoreAccount,
} from "../../src/store/by_hand.ts";
import { type LocalStore, openLocalStore } from "../../src/store/local.ts";
import { readDailyUse, readSessionCounts, stateVersion } from "../../src/store/recent.ts";
import { testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

/** Two processes on one store, each of which has read it. */
async function withTwo(
  test: (here: LocalStore, there: LocalStore, clock: VirtualClock) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "noticed-"));
  const env = { HOME: folder };
  const clock = new VirtualClock();
  const open = () => openLocalStore({ paths: resolvePaths(env), env, clock });
  const [here, there] = [await open(), await open()];
  try {
    for (const alias of ["personal", "work"]) await there.add(testAccount(alias));
    await here.load();
    await there.load();
    await test(here, there, clock);
  } finally {
    await here.close();
    await there.close();
    rmSync(folder, { recursive: true });
  }
}

const account = async (store: LocalStore) =>
  (await store.load()).accounts[1] ?? testAccount("none");

const CHANGES: Record<string, (store: LocalStore, now: number) => Promise<unknown>> = {
  disable: (store, now) => disableAccount(store, "id-work", now, "on holiday"),
  describe: (store) => describeAccount(store, "id-work", ["eu"], "notes"),
  rename: async (store) => await renameAccount(store, await account(store), "job"),
  pin: async (store) => await pinAccount(store, await account(store), null),
  "an account of its own": (store) => store.add(testAccount("third")),
  remove: (store) => store.remove("id-work"),
};
for (const [name, change] of Object.entries(CHANGES)) {
  Deno.test(`a change of another process is noticed before the next choice: ${name}`, () =>
    withTwo(async (here, there, clock) => {
      assert.equal(here.changed(), false);
      const before = await stateVersion(here);
      await change(there, clock.now());
      assert.equal(here.changed(), true);
      assert.notEqual(await stateVersion(here), before);
      await here.load();
      assert.equal(here.changed(), false);
    }));
}

Deno.test("enable and restore take back what disable and a block have done, and say whether there was something", () =>
  withTwo(async (here, there, clock) => {
    const now = clock.now();
    await disableAccount(there, "id-work", now, "on holiday");
    await disableAccount(there, "id-work", now + 5);
    assert.deepEqual((await account(here)).disabled, { at: now, reason: "on holiday" });
    assert.equal(await enableAccount(here, await account(here)), true);
    assert.equal(await enableAccount(here, await account(here)), false);
    assert.deepEqual(await restoreAccount(here, await account(here), await here.load(), now), []);
    for (const model of ["", "gpt-5.5"]) {
      await there.block({
        subject: "account:id-work",
        model,
        reason: "usage limit",
        until: now + 60_000,
        source: "body",
        since: now,
      });
    }
    const snapshot = await here.load();
    assert.deepEqual(await restoreAccount(here, await account(here), snapshot, now), [
      "usage limit",
      "usage limit (gpt-5.5)",
    ]);
    assert.deepEqual((await here.load()).blocks, []);
  }));

Deno.test("tags are what stands between commas, each once", () => {
  assert.deepEqual(readTags(" eu, ,team,eu,"), ["eu", "team"]);
  assert.deepEqual(readTags(""), []);
});

Deno.test("conversations are counted by account, the ledger by day", () =>
  withTwo(async (here, there, clock) => {
    const now = clock.now();
    for (
      const [session, accountId, at] of [["a", "id-work", now], ["b", "id-work", now - 10], [
        "c",
        "id-personal",
        now - 99,
      ]] as const
    ) {
      there.setAffinity({ session, accountId, at });
    }
    const tokens = { input: 10, cached: 4, output: 2, reasoning: 1, model: "gpt-5.5" };
    there.observe({ accountId: "id-work", uses: 1, tokens: { ...tokens, day: "2026-11-22" } });
    there.observe({ accountId: "id-personal", uses: 1, tokens: { ...tokens, day: "2026-11-22" } });
    there.observe({ accountId: "id-work", uses: 1, tokens: { ...tokens, day: "2026-11-20" } });
    await there.flush();
    assert.deepEqual([...await readSessionCounts(here, now - 50)], [["id-work", 2]]);
    assert.deepEqual(await readDailyUse(here, "2026-11-21"), [
      { day: "2026-11-22", answers: 2, input: 20, cached: 8, output: 4 },
    ]);
  }));
