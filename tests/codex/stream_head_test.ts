import assert from "node:assert/strict";
import fc from "fast-check";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { chunked, cutAt, handFed } from "./hand_fed.ts";
import {
  ADDED,
  assertFault,
  bodyOf,
  COMPLETED,
  CREATED,
  DELTA,
  encoder,
  event,
  events,
  IN_PROGRESS,
  kindOf,
  LIMIT,
  open,
  read,
  STALL,
  textOf,
} from "./stream_rig.ts";

const REFUSED: Readonly<Record<string, string>> = {
  "error-flat.sse": "throttled",
  "error-nested-usage-limit.sse": "usage limit",
  "failed-overloaded.sse": "server trouble",
  "failed-rate-limit-after-created.sse": "throttled",
  "failed-usage-limit-after-created.sse": "usage limit",
  "failed-usage-limit-first.sse": "usage limit",
};

for (const [file, kind] of Object.entries(REFUSED)) {
  Deno.test(`stream: ${file} is refused before anything reaches the reader`, async () => {
    const source = read(file);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 6 }), async (places) => {
        const opening = open(chunked(cutAt(source, places)));
        const result = await opening.opened;
        assert.ok(result.kind === "refused");
        assert.equal(result.outcome.kind, kind);
        assert.deepEqual(opening.ends, []);
        assert.equal(opening.clock.pending, 0);
      }),
      { numRuns: 15 },
    );
  });
}

Deno.test("stream: an error without a type in its data is a refusal all the same", async () => {
  const error = { code: "usage_limit_reached" };
  const rows = [
    `event: error\ndata: ${JSON.stringify(error)}\n\n`,
    `event: error\ndata: ${JSON.stringify({ error })}\n\n`,
    `event: response.failed\ndata: ${JSON.stringify({ response: { error } })}\n\n`,
    `data: ${JSON.stringify({ error })}\n\n`,
  ];
  for (const row of rows) {
    const result = await open(chunked([encoder.encode(CREATED + row)])).opened;
    assert.equal(result.kind === "refused" && result.outcome.kind, "usage limit", row);
  }
});

Deno.test("stream: an ending that only the event line names is none, as OpenCode sees it", async () => {
  const sent = `${ADDED}event: response.completed\ndata: {"response":{}}\n\n`;
  const opening = open(chunked([encoder.encode(sent)]));
  assertFault(await new Response(bodyOf(await opening.opened)).text(), sent);
});

Deno.test("stream: a refusal without its blank line counts when the connection closes", async () => {
  for (const lacking of ["\n\n", "\n"]) {
    const opening = open(chunked([encoder.encode(CREATED + LIMIT.slice(0, -lacking.length))]));
    const result = await opening.opened;
    assert.equal(result.kind === "refused" && result.outcome.kind, "usage limit");
  }
});

Deno.test("stream: a whole answer without its last blank line is an answer", async () => {
  const opening = open(chunked([encoder.encode(CREATED + COMPLETED.trimEnd())]));
  const text = await new Response(bodyOf(await opening.opened)).text();
  assert.deepEqual(events(text).map((one) => one.type), ["response.created", "response.completed"]);
  assert.equal(opening.ends[0]?.how, "terminal");
});

Deno.test("stream: a refusal that is about the request passes through", async () => {
  const opening = open(chunked([read("failed-context-too-long.sse")]));
  const text = await new Response(bodyOf(await opening.opened)).text();
  assert.equal(text, textOf("failed-context-too-long.sse"));
  assert.equal(opening.ends[0]?.type, "response.failed");
});

Deno.test("stream: a refusal lets go of the connection at once and brings the figures seen", async () => {
  const feed = handFed();
  const opening = open(feed.response, { sentAt: FIXTURE_NOW - 4000 });
  feed.send(
    textOf("rate-limits-event-reached.sse").split("event: response.in_progress")[0] + LIMIT,
  );
  const result = await opening.opened;
  assert.ok(result.kind === "refused");
  assert.deepEqual(result.windows.map((one) => [one.minutes, one.usedPercent]), [[300, 100], [
    10080,
    12,
  ]]);
  assert.deepEqual(opening.windows, result.windows);
  assert.equal(result.windows[0]?.observedAt, FIXTURE_NOW - 4000);
  assert.ok(feed.cancelled);
});

Deno.test("stream: useful output before a failure opens the stream, the failure passes and is named", async () => {
  const opening = open(chunked([encoder.encode(ADDED + DELTA + LIMIT)]));
  const text = await new Response(bodyOf(await opening.opened)).text();
  assert.equal(text, ADDED + DELTA + LIMIT);
  assert.deepEqual(opening.ends[0]?.outcome, {
    kind: "usage limit",
    scope: "account",
    source: "body",
    until: FIXTURE_NOW + 7_200_000,
  });
});

Deno.test("stream: of `error` and `response.failed` in a row, the one that names the reason counts", async () => {
  const vague = event({ type: "response.failed", response: { status: "failed", error: null } });
  const opening = open(chunked([encoder.encode(ADDED + LIMIT + vague)]));
  await new Response(bodyOf(await opening.opened)).text();
  assert.equal(opening.ends[0]?.outcome?.kind, "usage limit");
});

Deno.test("stream: handshake, comments and unknown events are held back, the first useful event opens", async () => {
  const held = [
    ": keep-alive\n\n",
    CREATED,
    IN_PROGRESS,
    event({ type: "response.queued" }),
    event({ type: "codex.something_new", x: 1 }),
    "data: not json\n\n",
  ];
  const feed = handFed();
  const opening = open(feed.response);
  for (const part of held) {
    feed.send(part);
    await opening.clock.advance(1);
    assert.equal(kindOf(opening), undefined, part);
  }
  feed.send(ADDED);
  await opening.clock.advance(0);
  const reader = bodyOf(opening.result).getReader();
  let text = "";
  while (text.length < (held.join("") + ADDED).length) {
    text += new TextDecoder().decode((await reader.read()).value);
  }
  assert.equal(text, held.join("") + ADDED);
});

for (
  const type of [
    "response.output_item.added",
    "response.output_text.delta",
    "response.reasoning_summary_text.delta",
    "response.function_call_arguments.delta",
    "response.something_new.delta",
    "response.completed",
    "response.incomplete",
    "response.done",
  ]
) {
  Deno.test(`stream: ${type} opens`, async () => {
    const feed = handFed();
    const opening = open(feed.response);
    feed.send(CREATED + event({ type, response: {} }));
    await opening.clock.advance(0);
    assert.equal(kindOf(opening), "open");
    await bodyOf(opening.result).cancel();
  });
}

Deno.test("stream: more handshake than is worth waiting for opens", async () => {
  const many = handFed();
  const first = open(many.response);
  many.send(CREATED.repeat(15));
  await first.clock.advance(0);
  assert.equal(kindOf(first), undefined);
  many.send(CREATED);
  await first.clock.advance(0);
  assert.equal(kindOf(first), "open");
});

/** An event of so many bytes. */
const sized = (type: string, bytes: number) => {
  const frame = event({ type, instructions: "" });
  return event({ type, instructions: "x".repeat(bytes - frame.length) });
};

for (
  const [what, held, last] of [
    ["64 KiB that repeat nothing", [sized("response.queued", 65_536)], ": one\ndata: {}\n\n"],
    ["256 KiB of whatever", [sized("response.created", 262_144)], ": one more\n"],
    ["256 KiB of one unfinished event", ["data: " + "x".repeat(262_138)], "x"],
  ] as const
) {
  Deno.test(`stream: more handshake than is worth waiting for opens: ${what}`, async () => {
    const feed = handFed();
    const opening = open(feed.response);
    feed.send(...held);
    await opening.clock.advance(0);
    assert.equal(kindOf(opening), undefined);
    feed.send(last);
    await opening.clock.advance(0);
    assert.equal(kindOf(opening), "open");
    await bodyOf(opening.result).cancel();
  });
}

Deno.test("stream: a refusal behind a handshake that repeats the whole request is still caught", async () => {
  const created = sized("response.created", 100 * 1024);
  const progress = sized("response.in_progress", 100 * 1024);
  const opening = open(chunked([encoder.encode(created + progress + LIMIT)]));
  assert.equal((await opening.opened).kind, "refused");
});

Deno.test("stream: silence before the first useful event is a stall, to the millisecond", async () => {
  for (const sent of ["", ": hello\n\n", CREATED, CREATED + IN_PROGRESS, 'data: {"type":"resp']) {
    const feed = handFed();
    const opening = open(feed.response);
    if (sent) feed.send(sent);
    await opening.clock.advance(STALL - 1);
    assert.equal(kindOf(opening), undefined);
    await opening.clock.advance(1);
    assert.equal(kindOf(opening), "stalled");
    assert.ok(feed.cancelled, "the connection is let go");
    assert.equal(opening.clock.pending, 0);
  }
});

Deno.test("stream: bytes are life: an answer that keeps sending comments has not stalled", async () => {
  const feed = handFed();
  const opening = open(feed.response);
  for (let waited = 0; waited < 54_000; waited += 9_000) {
    await opening.clock.advance(9_000);
    feed.send(": keep-alive\n\n");
  }
  await opening.clock.advance(STALL - 1);
  assert.equal(kindOf(opening), undefined);
  feed.send(": keep-alive\n\n");
  await opening.clock.advance(0);
  assert.equal(kindOf(opening), "open", "after a minute it goes through as it is");
  await bodyOf(opening.result).cancel();
});

Deno.test("stream: an end or a break before anything useful", async () => {
  assert.equal((await open(chunked([])).opened).kind, "ended");
  assert.equal((await open(new Response(null)).opened).kind, "ended");
  assert.equal((await open(chunked([read("stops-after-created.sse")])).opened).kind, "ended");
  const feed = handFed();
  const opening = open(feed.response);
  feed.send(CREATED);
  await opening.clock.advance(5);
  const error = new Error("ECONNRESET");
  feed.cut(error);
  assert.deepEqual(await opening.opened, { kind: "broken", error });
  assert.equal(opening.clock.pending, 0);
});

Deno.test("stream: an abort in the head lets go at once", async () => {
  for (const early of [true, false]) {
    const feed = handFed();
    const abort = new AbortController();
    const reason = new Error("Esc");
    if (early) abort.abort(reason);
    const opening = open(feed.response, { signal: abort.signal });
    await opening.clock.advance(1);
    abort.abort(reason);
    assert.deepEqual(await opening.opened, { kind: "broken", error: reason });
    assert.equal(feed.cancelled?.reason, reason);
    assert.equal(opening.clock.pending, 0);
    assert.deepEqual(opening.ends, []);
  }
});
