import assert from "node:assert/strict";
import { openStream } from "../../src/codex/stream.ts";
import { FIXTURE_NOW, VirtualClock } from "../virtual_clock.ts";
import { chunked, handFed } from "./hand_fed.ts";
import {
  ADDED,
  bodyOf,
  COMPLETED,
  CREATED,
  DELTA,
  drain,
  encoder,
  event,
  flowing,
  open,
  read,
  SILENCE,
  STALL,
  textOf,
} from "./stream_rig.ts";

Deno.test("stream: chunks of whole events are handed on as the very same objects", async () => {
  const chunks = [CREATED, ADDED, DELTA, DELTA + DELTA, COMPLETED].map((one) =>
    encoder.encode(one)
  );
  const opening = open(chunked(chunks));
  const seen: Uint8Array[] = [];
  for await (const chunk of bodyOf(await opening.opened)) seen.push(chunk);
  assert.equal(seen.length, chunks.length);
  seen.forEach((chunk, at) => assert.equal(chunk, chunks[at]));
});

Deno.test("stream: nothing is read ahead of the reader", async () => {
  const feed = handFed();
  const opening = open(feed.response);
  feed.send(ADDED);
  await opening.clock.advance(0);
  assert.equal(feed.pulls, 0, "what the head read was there already");
  const reader = bodyOf(opening.result).getReader();
  await opening.clock.advance(SILENCE * 3);
  assert.equal(feed.pulls, 0, "a reader that does not read is not silence, and reads nothing");
  assert.deepEqual(opening.ends, []);
  await reader.read();
  assert.equal(feed.pulls, 0);
  const second = reader.read();
  await opening.clock.advance(0);
  assert.equal(feed.pulls, 1);
  feed.send(DELTA);
  await second;
  await opening.clock.advance(SILENCE * 3);
  assert.equal(feed.pulls, 1);
  await reader.cancel();
});

Deno.test("stream: a whole event passes at once though the next one has begun", async () => {
  const { feed, clock, result } = await flowing();
  const reader = bodyOf(result).getReader();
  const next = async () => new TextDecoder().decode((await reader.read()).value);
  assert.equal(await next() + await next() + await next(), CREATED + ADDED + DELTA);
  feed.send(DELTA + 'data: {"type":"response.out');
  assert.equal(await next(), DELTA);
  const waiting = next();
  await clock.advance(1);
  feed.send('put_text.delta"}\n\n');
  assert.equal(await waiting + await next(), 'data: {"type":"response.output_text.delta"}\n\n');
  await reader.cancel();
});

Deno.test("stream: comments that are one line only keep the reader alive too", async () => {
  const { feed, clock, result } = await flowing();
  const state = drain(bodyOf(result));
  feed.send(": ping\n");
  await clock.advance(0);
  assert.ok(state.text.endsWith(": ping\n"));
  feed.send(COMPLETED);
  feed.end();
  await clock.advance(0);
  assert.ok(state.done);
});

Deno.test("stream: figures that come behind the head are noted while the stream goes on", async () => {
  const { feed, clock, ends, windows, result } = await flowing();
  const state = drain(bodyOf(result));
  await clock.advance(5000);
  const limits = event({
    type: "codex.rate_limits",
    rate_limits: { limit_reached: true, primary: { used_percent: 100, window_minutes: 300 } },
  });
  feed.send(limits, DELTA, COMPLETED);
  feed.end();
  await clock.advance(0);
  assert.equal(state.text, CREATED + ADDED + DELTA + limits + DELTA + COMPLETED);
  assert.deepEqual(windows.map((one) => [one.minutes, one.usedPercent, one.observedAt]), [
    [300, 100, FIXTURE_NOW + 5000],
  ]);
  assert.equal(ends[0]?.how, "terminal");
});

// Giving up

Deno.test("stream: cancelling the body cancels the connection at once", async () => {
  for (const reading of [true, false]) {
    const { feed, clock, ends, result } = await flowing();
    const reader = bodyOf(result).getReader();
    for (let times = 0; times < 3; times++) await reader.read();
    const pending = reading ? reader.read() : undefined;
    await clock.advance(1);
    await reader.cancel("enough");
    assert.equal(feed.cancelled?.reason, "enough");
    assert.deepEqual(ends, [{ how: "cancelled" }]);
    assert.equal((await pending)?.done ?? true, true);
    await clock.advance(SILENCE);
    assert.equal(ends.length, 1);
    assert.equal(clock.pending, 0);
  }
});

Deno.test("stream: cancelling behind the terminal event is a good end", async () => {
  const { feed, clock, ends, result } = await flowing();
  const reader = bodyOf(result).getReader();
  feed.send(COMPLETED);
  for (let times = 0; times < 4; times++) await reader.read();
  await clock.advance(0);
  await reader.cancel();
  assert.equal(ends[0]?.how, "terminal");
});

Deno.test("stream: an abort cancels the connection and breaks the body at once", async () => {
  for (const reading of [true, false]) {
    const feed = handFed();
    const abort = new AbortController();
    const opening = open(feed.response, { signal: abort.signal });
    feed.send(ADDED);
    await opening.clock.advance(0);
    const reader = bodyOf(opening.result).getReader();
    await reader.read();
    const pending = reading ? reader.read().catch((error) => error) : undefined;
    await opening.clock.advance(1);
    const reason = new DOMException("Esc", "AbortError");
    abort.abort(reason);
    assert.equal(await (pending ?? reader.read().catch((error) => error)), reason);
    assert.equal(feed.cancelled?.reason, reason);
    assert.deepEqual(opening.ends, [{ how: "cancelled" }]);
    await opening.clock.advance(SILENCE);
    assert.equal(opening.ends.length, 1);
    assert.equal(opening.clock.pending, 0);
  }
});

Deno.test("stream: an abort behind the end does nothing", async () => {
  const abort = new AbortController();
  const opening = open(chunked([encoder.encode(ADDED + COMPLETED)]), { signal: abort.signal });
  const text = await new Response(bodyOf(await opening.opened)).text();
  abort.abort();
  await opening.clock.advance(1);
  assert.equal(text, ADDED + COMPLETED);
  assert.equal(opening.ends.length, 1);
});

Deno.test("stream: callbacks that throw do not cut the answer", async () => {
  const result = await openStream(chunked([read("rate-limits-event.sse")]), {
    clock: new VirtualClock(),
    stallMs: STALL,
    silenceMs: SILENCE,
    onWindows: () => {
      throw new Error("windows");
    },
    onEnd: () => {
      throw new Error("end");
    },
  });
  assert.equal(await new Response(bodyOf(result)).text(), textOf("rate-limits-event.sse"));
});
