import assert from "node:assert/strict";
import { Exposure } from "../../src/codex/exposure.ts";
import { sleep } from "../../src/platform/clock.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { Failover, failure, stream, turn } from "./failover.ts";

const ALIASES = ["a", "b", "c", "d", "e"];
const SECOND = 1_000;
const WINDOW_MS = 5 * SECOND;

/** Most different accounts among these within any window. */
function mostShown(shown: readonly { alias: string; at: number }[]): number {
  return Math.max(...shown.map(({ at }) => {
    const within = shown.filter((one) => one.at >= at && one.at < at + WINDOW_MS);
    return new Set(within.map((one) => one.alias)).size;
  }));
}

Deno.test("at most two accounts are shown in any 5 s after token_invalidated, with many sessions at once, a refresh counting as shown", async () => {
  const pool = new Failover(ALIASES);
  const { clock } = pool;
  const shown: { alias: string; at: number }[] = [];
  const renew = pool.refreshAnswer;
  pool.refreshAnswer = (account) => {
    shown.push({ alias: account.alias, at: clock.now() });
    return renew(account);
  };
  for (const alias of ALIASES) {
    const refuse = async () => {
      await sleep(clock, 100);
      return failure("401_token_invalidated");
    };
    pool.on(alias, refuse, stream("ok"));
  }
  const alarm = clock.now() + 100;
  const statuses: number[] = [];
  // Every session is served twice as soon as it can be, as in a tool loop.
  const served = ALIASES.map(async (session) => {
    for (let n = 0; n < 2; n++) {
      statuses.push((await pool.fetch("/responses", turn(session))).status);
    }
  });
  await clock.advance(60_000);
  await Promise.all(served);

  assert.deepEqual(statuses, Array(10).fill(200));
  assert.equal(pool.refreshed.length, ALIASES.length);
  shown.push(...pool.seen.filter((one) => one.at >= alarm));
  shown.sort((one, other) => one.at - other.at);
  assert.ok(mostShown(shown) <= 2, JSON.stringify(shown));
  const last = shown.at(-1)?.at ?? 0;
  assert.ok(last - alarm <= 2 * WINDOW_MS + 100, "nobody waits longer than it takes");
});

Deno.test("accounts that have answered since the alarm go on when it is over, those that wait come in pairs", async () => {
  const pool = new Failover(ALIASES);
  const { clock } = pool;
  pool.on("a", failure("401_token_invalidated"), stream("ok"));
  for (const alias of ["b", "c", "d"]) {
    pool.on(alias, () => sleep(clock, SECOND).then(() => stream("ok")));
  }
  // Each session has an account of its own; those of b, c and d are under way when the alarm comes.
  const first = ["a", "b", "c", "d"].map((session) => pool.fetch("/responses", turn(session)));
  await clock.advance(4 * SECOND);
  await Promise.all(first);
  const newcomer = pool.fetch("/responses", turn("e"));
  await clock.advance(SECOND);
  await newcomer;
  // The alarm is over, e was shown a second ago.
  const before = clock.now();
  const again = ["b", "c", "d"].map((session) => pool.fetch("/responses", turn(session)));
  await clock.advance(SECOND);
  await Promise.all(again);
  assert.deepEqual(
    pool.seen.filter((one) => one.at >= before).map((one) => [one.alias, one.at - before]),
    [["b", 0], ["c", 0], ["d", 0]],
  );
});

Deno.test("accounts that were in use a moment ago wait too, and go on after the alarm", async () => {
  const clock = new VirtualClock();
  const exposure = new Exposure(clock);
  for (const id of ["a", "b", "c"]) assert.equal(await exposure.turn(id, undefined), true);
  exposure.invalidated("a");
  assert.equal(await exposure.turn("b", undefined), true);
  const since = clock.now();
  let waited: number | undefined;
  exposure.turn("c", undefined).then(() => waited = clock.now() - since);
  await clock.advance(WINDOW_MS - 1);
  assert.equal(waited, undefined);
  await clock.advance(1);
  assert.equal(waited, WINDOW_MS);
});

Deno.test("who has answered well goes on undisturbed when the alarm is over, though others still come one by one", async () => {
  const clock = new VirtualClock();
  const exposure = new Exposure(clock);
  exposure.invalidated("a");
  await exposure.turn("b", undefined);
  exposure.passed("b");
  for (const id of ["c", "d", "e"]) void exposure.turn(id, undefined);
  await clock.advance(WINDOW_MS);
  assert.equal(exposure.careful, true);
  let served = false;
  exposure.turn("b", undefined).then(() => served = true);
  await clock.advance(0);
  assert.equal(served, true);
});

Deno.test("the care ends by itself, and an account that never answers does not prolong it", async () => {
  const clock = new VirtualClock();
  const exposure = new Exposure(clock);
  exposure.invalidated("a");
  let others = 0;
  for (let second = 0; second < 20; second++) {
    for (const id of ["a", "b"]) void exposure.turn(id, undefined);
    exposure.turn("c", undefined).then(() => others++);
    await clock.advance(1_000);
  }
  assert.ok(others > 0, "c is served although a and b never pause");
  await clock.advance(2 * WINDOW_MS);
  assert.equal(exposure.careful, false);
  assert.equal(clock.pending, 0);
});

Deno.test("a turn that does not come in time is given up, and an abort ends the wait", async () => {
  const clock = new VirtualClock();
  const exposure = new Exposure(clock);
  exposure.invalidated("a");
  await exposure.turn("b", undefined);
  const late = exposure.turn("c", undefined, clock.now() + 1_000);
  const user = new AbortController();
  const left = exposure.turn("d", user.signal);
  user.abort(new Error("Esc"));
  await assert.rejects(left, /Esc/);
  // Both who hold the turns go on, so that nobody else gets one.
  await clock.advance(4_000);
  for (const id of ["a", "b"]) await exposure.turn(id, undefined);
  await clock.advance(1_000);
  assert.equal(await late, false);
});

Deno.test("accounts shown in an alarm that is long over do not stand for those of the next one", async () => {
  const clock = new VirtualClock();
  const exposure = new Exposure(clock);
  exposure.invalidated("a");
  await exposure.turn("b", undefined);
  await clock.advance(2 * WINDOW_MS);
  exposure.invalidated("c");
  await exposure.turn("d", undefined);
  let served = false;
  exposure.turn("e", undefined).then(() => served = true);
  await clock.advance(WINDOW_MS - 1);
  assert.equal(served, false);
  await clock.advance(1);
  assert.equal(served, true);
});

Deno.test("who waits comes as soon as the account shown longest ago makes room", async () => {
  const clock = new VirtualClock();
  const exposure = new Exposure(clock);
  exposure.invalidated("a");
  await clock.advance(SECOND);
  await exposure.turn("b", undefined);
  await clock.advance(2 * SECOND);
  await exposure.turn("a", undefined);
  const since = clock.now();
  let waited: number | undefined;
  exposure.turn("c", undefined).then(() => waited = clock.now() - since);
  await clock.advance(WINDOW_MS);
  assert.equal(waited, 3 * SECOND);
});
