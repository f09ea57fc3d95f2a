import assert from "node:assert/strict";
import fc from "fast-check";
import { outlook } from "../../src/quota/projection.ts";
import { parseDuration } from "../../src/platform/duration.ts";
import type { QuotaWindow } from "../../src/quota/window.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const FIVE_HOURS = 300;
const WEEK = 10_080;

/** Points of one window: minutes before now, and percent used. */
function points(
  steps: readonly (readonly [ago: number, used: number])[],
  { minutes = FIVE_HOURS, resetsIn = 2 * 60, bucket = "codex" } = {},
): QuotaWindow[] {
  return steps.map(([ago, usedPercent]) => ({
    bucket,
    minutes,
    usedPercent,
    resetsAt: FIXTURE_NOW + resetsIn * MINUTE,
    observedAt: FIXTURE_NOW - ago * MINUTE,
  }));
}

function look(all: readonly QuotaWindow[]) {
  const window = all.at(-1);
  assert.ok(window);
  return outlook(window, all.slice(0, -1), FIXTURE_NOW);
}

const TABLE: readonly (readonly [
  name: string,
  points: QuotaWindow[],
  trend: number | null,
  projection: string | null,
])[] = [
  ["it runs out before the reset", points([[60, 20], [0, 60]]), 40, "runs out in 1h"],
  ["in minutes when it is near", points([[60, 30], [0, 58.8]]), 28.8, "runs out in 1h 26m"],
  ["the minutes that people read", points([[30, 60], [0, 75]]), 30, "runs out in 50m"],
  ["it lasts", points([[60, 30], [0, 45]]), 15, "about 75 % used at reset"],
  ["it stands still", points([[60, 40], [0, 40]]), 0, "about 40 % used at reset"],
  ["it barely lasts", points([[60, 10], [0, 39.9]]), 29.9, "about 99 % used at reset"],
  [
    "only the last hour of five counts",
    points([[170, 2], [61, 50], [0, 50]]),
    0,
    "about 50 % used at reset",
  ],
  [
    "between two points the share stood still",
    points([[170, 2], [90, 40], [30, 50], [0, 50]]),
    10,
    "about 70 % used at reset",
  ],
  [
    "a week in hours",
    points([[24 * 60, 20], [0, 60]], { minutes: WEEK, resetsIn: 3 * 24 * 60 }),
    40 / 24,
    "runs out in 1d",
  ],
  [
    "a week in days",
    points([[30 * 60, 30], [0, 45]], { minutes: WEEK, resetsIn: 6 * 24 * 60 }),
    0.5,
    "runs out in 5d",
  ],
  ["it is used up: nothing is left to say", points([[60, 60], [0, 100]]), null, null],
  ["unused", points([[60, 0], [0, 0]]), null, null],
  ["just started", points([[8, 1], [0, 9]], { resetsIn: 295 }), null, null],
  ["stale", points([[120, 20], [40, 60]]), null, null],
  ["a single point", points([[0, 60]]), null, null],
  ["points too close to each other", points([[4, 20], [0, 60]]), null, null],
  ["the window is over", points([[60, 20], [10, 60]], { resetsIn: -1 }), null, null],
  [
    "a reset in between: only what came after it counts",
    points([[50, 90], [30, 10], [0, 30]]),
    40,
    "runs out in 1h 45m",
  ],
  [
    "a reset just now: nothing came after it",
    points([[50, 90], [0, 10]]),
    null,
    null,
  ],
  [
    "another window's points say nothing",
    [...points([[60, 10]], { minutes: WEEK }), ...points([[0, 60]])],
    null,
    null,
  ],
  [
    "another bucket's points say nothing",
    [...points([[60, 10]], { bucket: "codex_bengalfox" }), ...points([[0, 60]])],
    null,
    null,
  ],
  [
    "points of the window before say nothing",
    [...points([[60, 10]], { resetsIn: -30 }), ...points([[0, 60]])],
    null,
    null,
  ],
  [
    "a rounding of one percent downwards is no reset",
    points([[60, 20], [30, 40], [0, 39.5]]),
    19.5,
    "about 79 % used at reset",
  ],
  [
    "by the trend it is over already, and nobody has looked",
    points([[60, 20], [25, 90]]).map((point, at) =>
      at === 1 ? { ...point, usedPercent: 99 } : point
    ),
    79 / (35 / 60),
    null,
  ],
];

for (const [name, all, trend, projection] of TABLE) {
  Deno.test(`projection: ${name}`, () => {
    const found = look(all);
    if (trend === null) assert.equal(found.trendPerHour, null);
    else assert.ok(Math.abs((found.trendPerHour ?? -1) - trend) < 1e-6, `${found.trendPerHour}`);
    assert.equal(found.projection, projection);
  });
}

Deno.test("projection: nothing is said where nobody knows the reset", () => {
  const all = points([[60, 20], [0, 60]]).map((point) => ({ ...point, resetsAt: null }));
  assert.deepEqual(look(all), { trendPerHour: null, projection: null });
});

Deno.test("projection: figures from the future say nothing", () => {
  assert.deepEqual(look(points([[60, 20], [-5, 60]])), { trendPerHour: null, projection: null });
});

/** Any history, however odd, and any moment of asking. */
const anyWindow = fc.record({
  bucket: fc.constantFrom("codex", "codex_bengalfox"),
  minutes: fc.constantFrom(1, FIVE_HOURS, 1_440, WEEK, 43_200),
  usedPercent: fc.double({ min: 0, max: 100, noNaN: true }),
  resetsAt: fc.option(
    fc.integer({ min: FIXTURE_NOW - WEEK * MINUTE, max: FIXTURE_NOW + 50 * 24 * HOUR }),
  ),
  observedAt: fc.integer({ min: FIXTURE_NOW - WEEK * MINUTE, max: FIXTURE_NOW + HOUR }),
});

/** Minutes until a window runs out; undefined for another projection. */
function runsOut(projection: string): number | undefined {
  const span = /^runs out in (\d+[mhd](?: \d+[mh])?)$/.exec(projection)?.[1];
  const ms = parseDuration(span?.replace(" ", "") ?? "");
  return ms === undefined ? undefined : ms / 60_000;
}

Deno.test("projection: never NaN, never negative, always one of the two forms", () => {
  fc.assert(
    fc.property(anyWindow, fc.array(anyWindow, { maxLength: 20 }), (window, history) => {
      const { trendPerHour, projection } = outlook(window, history, FIXTURE_NOW);
      if (trendPerHour !== null) assert.ok(Number.isFinite(trendPerHour) && trendPerHour >= 0);
      if (projection === null) return;
      assert.notEqual(trendPerHour, null);
      const used = /^about (\d{1,2}) % used at reset$/.exec(projection);
      const out = runsOut(projection);
      assert.ok(used || out, projection);
      if (used) assert.ok(Number(used[1]) >= Math.floor(window.usedPercent));
      if (out) assert.ok(out >= 1);
    }),
    { numRuns: 2_000 },
  );
});

/** A window that only fills, seen at growing moments of its life. */
const filling = fc.record({
  steps: fc.array(
    fc.record({ after: fc.integer({ min: 1, max: 40 }), more: fc.integer({ min: 0, max: 20 }) }),
    { minLength: 2, maxLength: 12 },
  ),
  resetsIn: fc.integer({ min: 1, max: 280 }),
});

Deno.test("projection: a window that only fills runs out no later than its reset, and never below what is used", () => {
  let said = 0;
  fc.assert(
    fc.property(filling, ({ steps, resetsIn }) => {
      let used = 0;
      let ago = steps.reduce((sum, { after }) => sum + after, 0);
      const all = points(
        steps.map(({ after, more }) => {
          ago -= after;
          used = Math.min(used + more, 100);
          return [ago, used] as const;
        }),
        { resetsIn },
      );
      const { projection } = look(all);
      if (projection === null) return;
      said++;
      const out = runsOut(projection);
      if (out) assert.ok(out <= resetsIn + (out < 120 ? 1 : 30), `${projection}, ${resetsIn}`);
      const left = /^about (\d+) %/.exec(projection);
      if (left) assert.ok(Number(left[1]) >= Math.min(used, 99));
      assert.ok(out || left, projection);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(said > 200, `only ${said} were projected`);
});

Deno.test("projection: more use never makes it last longer", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: 0, max: 30 }),
    fc.integer({ min: 0, max: 9 }),
    (start, more, extra) => {
      const minutesLeft = (used: number) => {
        const { projection, trendPerHour } = look(points([[60, start], [0, used]]));
        assert.notEqual(trendPerHour, null);
        return runsOut(projection ?? "") ?? Infinity;
      };
      assert.ok(minutesLeft(start + more + extra) <= minutesLeft(start + more));
    },
  ));
});
