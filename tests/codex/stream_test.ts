import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { type Opened, openStream, type StreamEnd } from "../../src/codex/stream.ts";
import type { QuotaWindow } from "../../src/quota/window.ts";
import { FIXTURE_NOW, VirtualClock } from "../virtual_clock.ts";
import { chunked, cutAt, type HandFed, handFed } from "./hand_fed.ts";

const FOLDER = new URL("../fixtures/sse/", import.meta.url);
const STALL = 10_000;
const SILENCE = 60_000;
const encoder = new TextEncoder();

const read = (file: string) => new Uint8Array(readFileSync(new URL(file, FOLDER)));
const textOf = (file: string) => new TextDecoder().decode(read(file));

const event = (data: Record<string, unknown>) => `data: ${JSON.stringify(data)}\n\n`;
const CREATED = event({ type: "response.created", response: { id: "r" } });
const IN_PROGRESS = event({ type: "response.in_progress", response: { id: "r" } });
const ADDED = event({ type: "response.output_item.added", item: { type: "message" } });
const DELTA = event({ type: "response.output_text.delta", delta: "Hello" });
const COMPLETED = event({ type: "response.completed", response: { usage: { input_tokens: 1 } } });
const LIMIT = event({
  type: "response.failed",
  response: { status: "failed", error: { code: "usage_limit_reached", resets_in_seconds: 7200 } },
});

/** One opening with everything that it reports. */
interface Opening {
  readonly clock: VirtualClock;
  readonly ends: StreamEnd[];
  readonly windows: QuotaWindow[];
  readonly opened: Promise<Opened>;
  /** What `opened` came to, once it has. */
  result: Opened | undefined;
}

function open(
  response: Response,
  options: { signal?: AbortSignal; sentAt?: number } = {},
): Opening {
  const clock = new VirtualClock();
  const ends: StreamEnd[] = [];
  const windows: QuotaWindow[] = [];
  const opened = openStream(response, {
    clock,
    stallMs: STALL,
    silenceMs: SILENCE,
    onEnd: (end) => ends.push(end),
    onWindows: (some) => windows.push(...some),
    ...options,
  });
  const opening: Opening = { clock, ends, windows, opened, result: undefined };
  opened.then((result) => opening.result = result);
  return opening;
}

/** What an opening came to; undefined while it is under way. */
function kindOf(opening: Opening): string | undefined {
  return opening.result?.kind;
}

function bodyOf(result: Opened | undefined): ReadableStream<Uint8Array<ArrayBuffer>> {
  assert.equal(result?.kind, "open");
  assert.ok(result.kind === "open");
  return result.body;
}

/** Reads a body to its end in the background. */
function drain(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const state = { text: "", done: false, error: undefined as unknown };
  const decoder = new TextDecoder();
  (async () => {
    for await (const chunk of body) state.text += decoder.decode(chunk, { stream: true });
    state.done = true;
  })().catch((error) => state.error = error);
  return state;
}

/** The events that OpenCode's parser finds in a text. */
function events(text: string): { type: string; [key: string]: unknown }[] {
  const found: { type: string }[] = [];
  createParser({ onEvent: ({ data }) => data !== "[DONE]" && found.push(JSON.parse(data)) })
    .feed(text);
  return found;
}

/** Opens a hand-fed answer that has just become useful. */
async function flowing(): Promise<Opening & { feed: HandFed }> {
  const feed = handFed();
  const opening = open(feed.response);
  feed.send(CREATED, ADDED, DELTA);
  await opening.clock.advance(0);
  return { ...opening, result: await opening.opened, feed };
}

// Whole streams

const WHOLE = readdirSync(FOLDER).filter((file) =>
  /^(ok|tool|incomplete|rate-limits|failed-after|failed-context)/.test(file) &&
  file !== "ok-response-done.sse"
);

for (const file of WHOLE) {
  Deno.test(`stream: ${file} passes byte for byte, whatever the chunks`, async () => {
    const source = read(file);
    const cuts = fc.array(fc.nat(), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const opening = open(chunked(cutAt(source, places)));
        const result = await opening.opened;
        const whole = new Uint8Array(await new Response(bodyOf(result)).arrayBuffer());
        assert.deepEqual(whole, source);
        assert.equal(opening.ends.length, 1);
        assert.equal(opening.ends[0]?.how, "terminal");
        assert.equal(opening.clock.pending, 0, "no timer stays behind");
      }),
      { numRuns: 25 },
    );
  });
}

Deno.test("stream: a fixture cut into single bytes passes byte for byte", async () => {
  for (const file of WHOLE) {
    const source = read(file);
    const opening = open(chunked(cutAt(source, [...source.keys()])));
    const text = await new Response(bodyOf(await opening.opened)).text();
    assert.equal(text, new TextDecoder().decode(source));
  }
});

Deno.test("stream: the terminal event is handed out once, at the end, with its data", async () => {
  const opening = open(chunked([read("ok-comments-and-done.sse")]));
  await new Response(bodyOf(await opening.opened)).text();
  const [end, ...more] = opening.ends;
  assert.deepEqual(more, []);
  assert.equal(end?.how, "terminal");
  assert.equal(end?.type, "response.completed");
  assert.deepEqual(end?.outcome, { kind: "ok" });
  const data = JSON.parse(end?.data?.() ?? "") as { response: { usage: unknown } };
  assert.deepEqual(data.response.usage, {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 15,
  });
});

Deno.test("stream: a terminal event's data is whole even when it is large and came in pieces", async () => {
  const large = { type: "response.completed", response: { text: "é".repeat(100_000), usage: 7 } };
  const source = encoder.encode(ADDED + event(large));
  const opening = open(chunked(cutAt(source, [50, 1000, 30_001, 100_003, 150_000])));
  await new Response(bodyOf(await opening.opened)).text();
  assert.deepEqual(JSON.parse(opening.ends[0]?.data?.() ?? ""), large);
});

// The head

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

  const much = handFed();
  const second = open(much.response);
  const big = event({ type: "response.created", instructions: "x".repeat(100 * 1024) });
  much.send(big, big);
  await second.clock.advance(0);
  assert.equal(kindOf(second), undefined);
  much.send(big);
  await second.clock.advance(0);
  assert.equal(kindOf(second), "open");
});

Deno.test("stream: a refusal behind a handshake that repeats the whole request is still caught", async () => {
  const big = event({ type: "response.created", instructions: "x".repeat(60 * 1024) });
  const opening = open(chunked([encoder.encode(big + big + LIMIT)]));
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

// Behind the head

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

/** Words on which OpenCode 1.18 tries again, and numbers that it takes for a status. */
const RETRY = /connection lost/i;

/** The text is what passed, then whole events of these types, then one error event of ours. */
function assertFault(text: string, passed: string, types: readonly string[] = []): void {
  assert.ok(text.startsWith(passed));
  const added = events(text.slice(passed.length));
  const last = added.pop();
  assert.deepEqual(added.map((one) => one.type), types);
  assert.equal(last?.type, "error");
  const { message, code } = last?.["error"] as { message: string; code: string };
  assert.equal(code, "connection_lost");
  assert.match(message, RETRY);
  assert.doesNotMatch(message, /\d/);
}

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

// The old alias

Deno.test("stream: response.done gets a response.completed behind it, with its figures", async () => {
  const source = read("ok-response-done.sse");
  const opening = open(chunked(cutAt(source, [100, 700, 1500, 2100])));
  const text = await new Response(bodyOf(await opening.opened)).text();
  assert.ok(text.startsWith(new TextDecoder().decode(source)));
  const [done, completed] = events(text).slice(-2);
  assert.equal(done?.type, "response.done");
  assert.deepEqual(completed, { ...done, type: "response.completed" });
  assert.equal(opening.ends[0]?.how, "terminal");
  assert.equal(opening.ends[0]?.type, "response.done");
});

Deno.test("stream: what response.done stands for is told by the status inside", async () => {
  const rows = [
    [{ status: "completed", usage: { input_tokens: 3 } }, "response.completed"],
    [{ status: "incomplete", usage: { input_tokens: 3 } }, "response.incomplete"],
    [{ status: "failed", error: { code: "context_length_exceeded" } }, "response.failed"],
    [{}, "response.completed"],
    [undefined, "response.completed"],
  ] as const;
  for (const [response, type] of rows) {
    const done = event({ type: "response.done", response });
    const opening = open(chunked([encoder.encode(ADDED + done)]));
    const text = await new Response(bodyOf(await opening.opened)).text();
    const last = events(text).at(-1);
    assert.equal(last?.type, type);
    const { usage } = last?.["response"] as { usage: unknown };
    assert.deepEqual(
      usage,
      response && "usage" in response ? response.usage : { input_tokens: 0, output_tokens: 0 },
    );
  }
});

Deno.test("stream: a true terminal event beside response.done needs no other", async () => {
  const done = event({ type: "response.done", response: { status: "completed" } });
  for (const source of [done + COMPLETED, COMPLETED + done]) {
    const opening = open(chunked([encoder.encode(ADDED + source)]));
    assert.equal(await new Response(bodyOf(await opening.opened)).text(), ADDED + source);
    assert.equal(opening.ends[0]?.type, "response.completed");
  }
});

// Not fooled

const FAKES = [
  '"type":"response.completed"',
  'data: {"type":"response.completed"}',
  '\n\ndata: {"type":"response.completed","response":{}}\n\n',
  'event: response.completed\r\ndata: {"type":"error"}\r\n\r\n',
  '{"type":"response.failed"}',
  '\\"type\\":\\"response.done\\"',
  '"},"type":"response.completed","x":{"y":"',
];

Deno.test("stream: words of a terminal event inside a text or a nested value end nothing", async () => {
  const piece = fc.oneof(fc.constantFrom(...FAKES), fc.string({ unit: "grapheme" }));
  const fake = fc.oneof(
    piece.map((delta) => ({ type: "response.output_text.delta", delta })),
    piece.map((name) => ({ type: "response.output_item.done", item: { type: "error", name } })),
    fc.constantFrom("response.completed", "error", "response.done").map((type) => ({
      item: { type },
      type: "response.output_item.added",
    })),
    fc.constant({ response: { type: "response.completed" }, type: "response.created" }),
    piece.map((text) => ({ [text]: "response.completed", type: "response.output_text.delta" })),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fake, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      fc.boolean(),
      async (fakes, places, spaced) => {
        const sent = ADDED +
          fakes.map((one) =>
            `data: ${JSON.stringify(one, null, spaced ? 1 : 0).replaceAll("\n", " ")}\n\n`
          )
            .join("");
        const opening = open(chunked(cutAt(encoder.encode(sent), places)));
        const text = await new Response(bodyOf(await opening.opened)).text();
        assert.deepEqual(opening.ends, [{ how: "ended early" }]);
        assertFault(text, sent);
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("stream: a terminal event is seen in any spelling and any chunks", async () => {
  const type = fc.constantFrom(
    "response.completed",
    "response.incomplete",
    "response.failed",
    "error",
  );
  const form = fc.constantFrom(
    (one: string) => `data: {"type":"${one}","response":{}}`,
    (one: string) => `data:{"type":"${one}"}`,
    (one: string) => `event: ${one}\r\ndata: {"type":"${one}"}`,
    (one: string) => `data: {"response":{"type":"x"},"type":"${one}"}`,
    (one: string) => `data: { "type" : "${one}" }`,
    (one: string) =>
      `data: {"type":"\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}${one.slice(1)}"}`,
    (one: string) => `data: {\ndata: "type":\ndata: "${one}"}`,
    (one: string) => `: comment\nid: 1\ndata: {"type":"${one}"}`,
  );
  const end = fc.constantFrom("\n\n", "\r\n\r\n", "\r\r");
  await fc.assert(
    fc.asyncProperty(
      type,
      form,
      end,
      fc.array(fc.nat(), { maxLength: 8 }),
      async (one, write, ending, places) => {
        const sent = `${ADDED}${write(one)}${ending}`;
        const opening = open(chunked(cutAt(encoder.encode(sent), places)));
        assert.equal(await new Response(bodyOf(await opening.opened)).text(), sent);
        assert.equal(opening.ends[0]?.how, "terminal");
        assert.equal(opening.ends[0]?.type, one);
      },
    ),
    { numRuns: 200 },
  );
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
