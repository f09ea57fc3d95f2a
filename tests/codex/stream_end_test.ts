import assert from "node:assert/strict";
import {
  ADDED,
  assertFault,
  bodyOf,
  COMPLETED,
  CREATED,
  DELTA,
  drain,
  events,
  flowing,
  open,
  SILENCE,
} from "./stream_rig.ts";
import { handFed } from "./hand_fed.ts";

const PARTIAL = [
  "",
  "\n",
  ": comm",
  "event: respo",
  'data: {"type":"response.output_text.delta","delta":"Hel',
  'data: {"type":"response.output_text.delta","delta":"Hello"}',
  'data: {"type":"response.output_text.delta","delta":"Hello"}\n',
  'event: response.completed\ndata: {"type":"response.completed","response":{"us',
];

for (const partial of PARTIAL) {
  // An event that lacks only its blank line is worth having.
  const whole = /\}\n?$/.test(partial) ? ["response.output_text.delta"] : [];

  Deno.test(`stream: an end without a terminal event becomes an error event (behind ${JSON.stringify(partial)})`, async () => {
    const { feed, clock, ends, result } = await flowing();
    const state = drain(bodyOf(result));
    feed.send(partial);
    feed.end();
    await clock.advance(0);
    assert.ok(state.done);
    assertFault(state.text, CREATED + ADDED + DELTA, whole);
    assert.deepEqual(ends, [{ how: "ended early" }]);
    assert.equal(clock.pending, 0);
  });

  Deno.test(`stream: a cut socket becomes an error event (behind ${JSON.stringify(partial)})`, async () => {
    const { feed, clock, ends, result } = await flowing();
    const state = drain(bodyOf(result));
    feed.send(partial);
    await clock.advance(1);
    const error = new Error("ECONNRESET");
    feed.cut(error);
    await clock.advance(0);
    assert.ok(state.done);
    assertFault(state.text, CREATED + ADDED + DELTA, whole);
    assert.deepEqual(ends, [{ how: "cut", error }]);
  });

  Deno.test(`stream: silence becomes an error event (behind ${JSON.stringify(partial)})`, async () => {
    const { feed, clock, ends, result } = await flowing();
    const state = drain(bodyOf(result));
    feed.send(partial);
    await clock.advance(SILENCE - 1);
    assert.ok(!state.done);
    await clock.advance(1);
    assert.ok(state.done);
    assertFault(state.text, CREATED + ADDED + DELTA, whole);
    assert.deepEqual(ends, [{ how: "silent" }]);
    assert.ok(feed.cancelled);
    assert.equal(clock.pending, 0);
  });
}

Deno.test("stream: comments are no silence", async () => {
  const { feed, clock, ends, result } = await flowing();
  drain(bodyOf(result));
  for (let times = 0; times < 10; times++) {
    await clock.advance(SILENCE - 1);
    feed.send(": keep-alive\n\n");
  }
  await clock.advance(SILENCE - 1);
  assert.equal(ends.length, 0);
  await clock.advance(1);
  assert.equal(ends[0]?.how, "silent");
});

Deno.test("stream: a terminal event that lacks only its blank line is completed", async () => {
  for (const lacking of ["\n\n", "\n"]) {
    for (const how of ["end", "cut", "silent"] as const) {
      const { feed, clock, ends, result } = await flowing();
      const state = drain(bodyOf(result));
      feed.send(COMPLETED.slice(0, -lacking.length));
      await clock.advance(0);
      if (how === "end") feed.end();
      else if (how === "cut") feed.cut(new Error("reset"));
      await clock.advance(how === "silent" ? SILENCE : 0);
      assert.ok(state.done);
      assert.deepEqual(events(state.text).map((one) => one.type), [
        "response.created",
        "response.output_item.added",
        "response.output_text.delta",
        "response.completed",
      ]);
      assert.equal(ends[0]?.how, "terminal");
      assert.equal(ends[0]?.type, "response.completed");
    }
  }
});

Deno.test("stream: behind the terminal event neither a cut nor an open connection is a fault", async () => {
  for (const how of ["cut", "open"] as const) {
    const { feed, clock, ends, result } = await flowing();
    const state = drain(bodyOf(result));
    feed.send(COMPLETED);
    await clock.advance(0);
    if (how === "cut") feed.cut(new Error("reset"));
    await clock.advance(5_000);
    assert.ok(state.done);
    assert.equal(state.text, CREATED + ADDED + DELTA + COMPLETED);
    assert.equal(ends[0]?.how, "terminal");
    assert.equal(feed.cancelled !== undefined, how === "open");
  }
});

Deno.test("stream: bytes behind the terminal event pass, unfinished ones too", async () => {
  const { feed, clock, result } = await flowing();
  const state = drain(bodyOf(result));
  feed.send(COMPLETED, "data: [DONE]");
  feed.end();
  await clock.advance(0);
  assert.equal(state.text, CREATED + ADDED + DELTA + COMPLETED + "data: [DONE]");
});

Deno.test("stream: a fault of ours ends the answer in an error and lets go of the connection", async () => {
  const nothing = null as unknown as string;
  // In the head it is the next account's turn.
  const head = handFed();
  const opening = open(head.response);
  head.send(CREATED, nothing);
  const opened = await opening.opened;
  assert.equal(opened.kind, "broken");
  assert.ok(opened.kind === "broken" && opened.error instanceof TypeError);
  assert.notEqual(head.cancelled, undefined);

  const { feed, result, ends, clock } = await flowing();
  const state = drain(bodyOf(result));
  await clock.advance(0);
  feed.send(nothing);
  await clock.advance(0);
  assert.ok(state.error instanceof TypeError, "the reader does not wait for ever");
  assert.deepEqual(ends.map(({ how, error }) => [how, error]), [["cut", state.error]]);
  assert.notEqual(feed.cancelled, undefined);
  assert.equal(clock.pending, 0, "nor does a timer");
});
