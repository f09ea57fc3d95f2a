import assert from "node:assert/strict";
import { Edge } from "../../src/codex/edge.ts";
import { VirtualClock } from "../virtual_clock.ts";

Deno.test("a refused request waits 2 to 5 s each time, 12 s in all", () => {
  for (const [random, waits] of [[0, 6], [0.999, 2]] as const) {
    const edge = new Edge(new VirtualClock(), () => random);
    let waited = 0;
    let times = 0;
    for (let wait = edge.refused(waited); wait !== undefined; wait = edge.refused(waited)) {
      assert.ok(wait >= 2_000 && wait < 5_000, `${wait} ms`);
      waited += wait;
      times++;
    }
    assert.equal(times, waits);
    assert.ok(waited <= 12_000);
  }
});

Deno.test("over several requests the wait grows (10, 30, 90 s), and an answer ends it", () => {
  const clock = new VirtualClock();
  const edge = new Edge(clock, () => 0.5);
  assert.equal(edge.entry(), 0);
  for (const pause of [10_000, 30_000, 90_000, 90_000]) {
    assert.equal(edge.refused(12_000), undefined);
    assert.equal(edge.entry(), pause <= 12_000 ? pause : undefined);
    clock.jump(clock.now() + pause - 12_000);
    assert.equal(edge.entry(), 12_000);
    clock.jump(clock.now() + 12_000);
    assert.equal(edge.entry(), 0);
  }
  edge.refused(12_000);
  edge.passed();
  assert.equal(edge.entry(), 0);
  edge.refused(12_000);
  assert.equal(edge.entry(), 10_000, "it starts over");
});
