import assert from "node:assert/strict";
import type { QuotaWindow } from "../../src/quota/window.ts";
import { readHistories } from "../../src/store/histories.ts";
import type { LocalStore } from "../../src/store/local.ts";
import { readPlanExtras, savePlanExtras } from "../../src/store/plan_extras.ts";
import { HISTORY_POINTS } from "../../src/store/state_write.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { inFolder, testAccount } from "./store_folder.ts";

const MINUTE = 60_000;
const RESET = FIXTURE_NOW + 100 * MINUTE;

/** Saves one observation, so many minutes after the fixtures' now. */
async function see(store: LocalStore, after: number, usedPercent: number, resetsAt = RESET) {
  const window: QuotaWindow = {
    bucket: "codex",
    minutes: 300,
    usedPercent,
    resetsAt,
    observedAt: FIXTURE_NOW + after * MINUTE,
  };
  store.observe({ accountId: "id-a", windows: [window] });
  await store.flush();
}

const used = async (store: LocalStore) =>
  (await readHistories(store)).get("id-a")?.map(({ usedPercent }) => usedPercent);

Deno.test("a history keeps changes alone; a reset that moves by seconds is none", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("a"));
    await folder.clock.advance(90 * MINUTE);
    await see(store, 0, 10);
    await see(store, 1, 10);
    await see(store, 2, 10, RESET + 1_000);
    await see(store, 3, 10, RESET - 2_000);
    assert.deepEqual(await used(store), [10]);
    await see(store, 4, 11);
    await see(store, 5, 11, RESET + 5 * MINUTE);
    assert.deepEqual(await used(store), [10, 11, 11]);
    assert.deepEqual(await readHistories(await folder.open()), await readHistories(store));
    // A window of five hours has forgotten what lies longer back.
    const later = await readHistories(store, FIXTURE_NOW + 304 * MINUTE);
    assert.deepEqual(later.get("id-a")?.map(({ usedPercent }) => usedPercent), [11, 11]);
  }));

Deno.test("a history keeps its newest points and no more", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("a"));
    await folder.clock.advance(1_000 * MINUTE);
    for (let at = 0; at < HISTORY_POINTS + 40; at++) await see(store, at, at / 4);
    const points = await used(store);
    assert.equal(points?.length, HISTORY_POINTS);
    assert.equal(points?.[0], 10);
    await store.remove("id-a");
    assert.equal((await readHistories(store)).size, 0);
  }));

Deno.test("older extras of a plan do not replace newer ones; what is left out stays", () =>
  inFolder(async (folder) => {
    const store = await folder.open();
    await store.add(testAccount("a"));
    await savePlanExtras(store, "id-a", { at: 2, resetCredits: 2 });
    await savePlanExtras(store, "id-a", { at: 1, resetCredits: 1 });
    await savePlanExtras(store, "id-a", { at: 3, bucketNames: { codex_x: "X" } });
    assert.deepEqual((await readPlanExtras(store)).get("id-a"), {
      at: 3,
      resetCredits: 2,
      bucketNames: { codex_x: "X" },
    });
    assert.equal((await readPlanExtras(await folder.open())).size, 1);
  }));
