import assert from "node:assert/strict";
import fc from "fast-check";
import { sharedTimer } from "../../src/platform/shared_timer.ts";
import { VirtualClock } from "../virtual_clock.ts";

Deno.test("shared timer: whatever is set and cancelled, each callback runs at its own moment, once", async () => {
  const step = fc.record({
    wait: fc.nat({ max: 500 }),
    ms: fc.integer({ min: 1, max: 2_000 }),
    cancelAfter: fc.option(fc.nat({ max: 2_500 }), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const clock = new VirtualClock();
      const timer = sharedTimer(clock);
      const start = clock.now();
      const ran: [number, number][] = [];
      const expected: [number, number][] = [];
      let at = 0;
      for (const [index, { wait, ms, cancelAfter }] of steps.entries()) {
        at += wait;
        await clock.advance(wait);
        const cancel = timer.after(ms, () => void ran.push([index, clock.now() - start]));
        // Set on the clock itself, so that it is cancelled at a moment of its own.
        if (cancelAfter !== undefined) clock.after(cancelAfter, cancel);
        if (cancelAfter === undefined || cancelAfter > ms) expected.push([index, at + ms]);
        else if (cancelAfter === ms) expected.push([index, Number.NaN]);
      }
      await clock.advance(5_000);
      // Whether a callback comes before its cancelling at the same moment is nobody's business.
      const decided = new Map(expected);
      const clear = ran.filter(([index]) => !Number.isNaN(decided.get(index)));
      assert.deepEqual(
        clear.sort(([a], [b]) => a - b),
        expected.filter(([, moment]) => !Number.isNaN(moment)),
      );
      assert.equal(clock.pending, 0, "nothing waits for nobody");
    }),
    { numRuns: 60 },
  );
});

Deno.test("shared timer: limits that are set and cancelled all the time need one timer of the system", async () => {
  const clock = new VirtualClock();
  const timer = sharedTimer(clock);
  let set = 0;
  const counting = {
    now: () => clock.now(),
    after: (ms: number, run: () => void) => (set++, clock.after(ms, run)),
  };
  const counted = sharedTimer(counting);
  for (let n = 0; n < 1_000; n++) {
    const cancel = counted.after(30_000, () => assert.fail("cancelled"));
    await Promise.resolve();
    cancel();
  }
  assert.equal(set, 1);
  let late = 0;
  timer.after(10, () => late++);
  await clock.advance(10);
  assert.equal(late, 1);
});

for (const [name, jump] of [["forward", 86_400_000], ["back", -86_400_000]] as const) {
  Deno.test(`shared timer: a clock that jumps ${name} one day makes everybody wait anew, and nobody for ever`, async () => {
    let now = 1_000_000_000_000;
    const timers: { ms: number; run: () => void }[] = [];
    // The system's timers go by the time that passes, not by the wall clock.
    const timer = sharedTimer({
      now: () => now,
      after: (ms, run) => {
        const entry = { ms, run };
        timers.push(entry);
        return () => void timers.splice(timers.indexOf(entry), 1);
      },
    });
    const pass = (ms: number) => {
      now += ms;
      for (const entry of [...timers]) {
        entry.ms -= ms;
        if (entry.ms > 0) continue;
        timers.splice(timers.indexOf(entry), 1);
        entry.run();
      }
    };
    const ran: string[] = [];
    timer.after(30_000, () => ran.push("before"));
    now += jump;
    timer.after(30_000, () => ran.push("after"));
    pass(29_999);
    assert.deepEqual(ran, []);
    for (let n = 0; n < 3; n++) pass(30_000);
    assert.deepEqual(ran.sort(), ["after", "before"]);
    await Promise.resolve();
  });
}
