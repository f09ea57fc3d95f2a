import assert from "node:assert/strict";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { inProcesses, used } from "./watch_processes.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

Deno.test("a window passing 80 % and 95 % is told once per window, over all processes", async () => {
  await inProcesses(async (a, b, clock) => {
    for (const share of [80.4, 85, 94.9]) a.watch.event(used(share));
    assert.deepEqual(await a.said(), [
      "usage: work: 80 % of the 5-hour window used, starts anew in 2h",
    ]);
    b.watch.event(used(86, { resetsAt: FIXTURE_NOW + 2 * HOUR + 1_500 }));
    assert.deepEqual(await b.said(), []);
    b.watch.event(used(96));
    assert.deepEqual(await b.said(), [
      "usage: work: 96 % of the 5-hour window used, starts anew in 2h",
    ]);
    a.watch.event(used(97));
    a.watch.event(used(100));
    a.watch.event(used(100, { minutes: 43_200, resetsAt: FIXTURE_NOW + 9 * DAY }));
    assert.deepEqual(await a.said(), [], "a full window is told as the block");
    a.watch.event(used(82, { minutes: 10_080, resetsAt: FIXTURE_NOW + 3 * DAY }));
    a.watch.event(used(82, { bucket: "codex_bengalfox" }));
    assert.deepEqual(await a.said(), [
      "usage: work: 82 % of the weekly window used, starts anew in 3d",
      "usage: work: 82 % of the 5-hour window of codex_bengalfox used, starts anew in 2h",
    ]);
    // The next window of that length; one that is over already is no news.
    await clock.advance(3 * HOUR);
    b.watch.event(used(90));
    assert.deepEqual(await b.said(), []);
    b.watch.event(used(81, { resetsAt: clock.now() + 4 * HOUR }));
    a.watch.event(used(81, { resetsAt: clock.now() + 4 * HOUR }));
    assert.equal((await b.said()).length, 1);
    assert.deepEqual(await a.said(), []);
  });
});

Deno.test("a figure that goes down and up within its window is told no threshold again", async () => {
  await inProcesses(async (a, b, clock) => {
    a.watch.event(used(96));
    assert.equal((await a.said()).length, 1);
    // Rounded, or older than what was told.
    for (const one of [a, b]) {
      for (const share of [79, 81, 94, 95.2]) one.watch.event(used(share));
      assert.deepEqual(await one.said(), []);
    }
    await clock.advance(3 * HOUR);
    const resetsAt = clock.now() + 4 * HOUR;
    b.watch.event(used(81, { resetsAt }));
    a.watch.event(used(96, { resetsAt }));
    a.watch.event(used(82, { resetsAt }));
    assert.deepEqual([(await b.said()).length, (await a.said()).length], [1, 1]);
  });
});

Deno.test("a window whose end becomes known later is the same window", async () => {
  await inProcesses(async (a, _b, clock) => {
    a.watch.event(used(81, { resetsAt: null }));
    assert.equal((await a.said()).length, 1);
    a.watch.event(used(82));
    assert.deepEqual(await a.said(), []);
    await clock.advance(3 * HOUR);
    a.watch.event(used(81, { resetsAt: clock.now() + 5 * HOUR }));
    assert.equal((await a.said()).length, 1);
  });
});

Deno.test("thresholds are a setting; without a reset time a window is told once in its length", async () => {
  await inProcesses(async (a, _b, clock) => {
    a.watch.event(used(49));
    a.watch.event(used(51, { resetsAt: null }));
    await clock.advance(4 * HOUR);
    a.watch.event(used(60, { resetsAt: null }));
    assert.deepEqual(await a.said(), ["usage: work: 51 % of the 5-hour window used"]);
    await clock.advance(2 * HOUR);
    a.watch.event(used(60, { resetsAt: null }));
    assert.equal((await a.said()).length, 1);
  }, { notifyThresholds: [50] });
});
