import assert from "node:assert/strict";
import type { QuotaWindow } from "../../src/quota/window.ts";
import { testAccount } from "../memory_store.ts";
import { HOUR, poolOf, week } from "./pool_scene.ts";

const DAY = 24 * HOUR;

/** A pool of one account whose week is used up for four days. */
async function fullWeek() {
  const scene = await poolOf([testAccount("a")]);
  const { pool, clock } = scene;
  const friday = clock.now() + 4 * DAY;
  await pool.observe("id-a", [week(100, clock.now(), friday)]);
  const short = (
    usedPercent: number,
    resetsAt: number | null = clock.now() + HOUR,
  ): QuotaWindow => ({
    ...week(usedPercent, clock.now(), resetsAt),
    minutes: 300,
  });
  const ends = () => pool.limits(pool.accounts[0]!).map(({ until }) => until);
  await clock.advance(1_000);
  return { ...scene, friday, short, ends };
}

Deno.test("a week that is used up stands whatever the short window says", async () => {
  const { pool, short, ends, friday, clock } = await fullWeek();
  for (const window of [short(3), short(3, null), short(100)]) {
    await pool.observe("id-a", [window]);
    assert.deepEqual(ends(), [friday]);
    await clock.advance(1_000);
  }
});

Deno.test("a week that is used up ends with a newer figure of its own, not with an older one", async () => {
  const { pool, short, ends, friday, clock } = await fullWeek();
  await pool.observe("id-a", [short(3), week(40, clock.now() - 2_000, friday)]);
  assert.deepEqual(ends(), [friday]);
  await clock.advance(1_000);
  await pool.observe("id-a", [short(3), week(40, clock.now(), friday)]);
  assert.deepEqual(ends(), []);
});

Deno.test("a week that is over holds nobody back, and a short window ends by itself", async () => {
  const { pool, short, ends, friday, clock } = await fullWeek();
  await clock.advance(friday - clock.now());
  assert.deepEqual(ends(), []);
  const soon = clock.now() + HOUR;
  await pool.observe("id-a", [short(100, soon)]);
  assert.deepEqual(ends(), [soon]);
  await clock.advance(1_000);
  await pool.observe("id-a", [short(2, soon)]);
  assert.deepEqual(ends(), []);
});

Deno.test("the week comes back while the short window is used up: the block ends with that one", async () => {
  const { pool, short, ends, clock } = await fullWeek();
  const soon = clock.now() + HOUR;
  await pool.observe("id-a", [short(100, soon), week(2, clock.now(), clock.now() + 7 * DAY)]);
  assert.deepEqual(ends(), [soon]);
});
