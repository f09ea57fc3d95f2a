import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { SseFramer } from "../../src/codex/sse.ts";

const FOLDER = new URL("../fixtures/sse/", import.meta.url);
const bytes = (text: string) => new TextEncoder().encode(text);

interface Framed {
  type: string | undefined;
  name: string | undefined;
  data: string;
  byteEnd: number;
}

/** Frames a text cut at the given places. */
function frame(source: Uint8Array, cuts: readonly number[] = []): Framed[] {
  const framer = new SseFramer();
  const events: Framed[] = [];
  const places = [...cuts.map((cut) => cut % (source.length + 1)), source.length];
  let from = 0;
  for (const to of places.sort((a, b) => a - b)) {
    // A copy per chunk, as the network hands them out.
    framer.feed(source.slice(from, to), (event) =>
      events.push({
        type: event.type,
        name: event.eventName,
        data: event.data,
        byteEnd: event.byteEnd,
      }));
    from = to;
  }
  assert.equal(framer.length, source.length);
  return events;
}

/** What the parser that OpenCode uses makes of it. */
function reference(text: string): { name: string | undefined; data: string }[] {
  const events: { name: string | undefined; data: string }[] = [];
  const parser = createParser({
    onEvent: (event) => events.push({ name: event.event, data: event.data }),
  });
  parser.feed(text);
  return events;
}

for (const file of readdirSync(FOLDER)) {
  Deno.test(`sse: ${file} gives the events that OpenCode's parser sees, byte by byte too`, () => {
    const source = new Uint8Array(readFileSync(new URL(file, FOLDER)));
    const events = frame(source);
    assert.ok(events.length > 0);
    assert.deepEqual(
      events.map(({ name, data }) => ({ name, data })),
      reference(new TextDecoder().decode(source)),
    );
    for (const { type, data } of events) {
      if (data !== "[DONE]") assert.equal(type, (JSON.parse(data) as { type: string }).type);
    }
    // With a lone CR at the end of a chunk nobody knows yet whether LF follows.
    const slack = file.includes("crlf") ? 1 : 0;
    assert.deepEqual(
      frame(source, [...source.keys()]),
      events.map((event) => ({ ...event, byteEnd: event.byteEnd - slack })),
    );
  });
}

Deno.test("sse: any mixture of lines, line ends and cuts gives what OpenCode's parser sees", () => {
  const line = fc.oneof(
    fc.constantFrom(
      "",
      "",
      ": keep-alive",
      ":",
      "data",
      "data:",
      "data: ",
      "data:  two blanks",
      "dataX: no",
      "event: error",
      "event:message",
      "event",
      "id: 7",
      "retry: 5",
      "unknown",
      'data: {"type":"response.created"}',
      'data:{"type":"é💥","x":1}',
      "data: [DONE]",
    ),
    fc.string({ unit: "grapheme" }).map((text) => `data: ${text.replace(/[\r\n]/g, "")}`),
  );
  const end = fc.constantFrom("\n", "\n", "\r\n", "\r");
  const lines = fc.array(fc.tuple(line, end), { maxLength: 20 });
  fc.assert(
    fc.property(lines, fc.array(fc.nat(), { maxLength: 8 }), fc.boolean(), (all, cuts, bom) => {
      const text = (bom ? "\ufeff" : "") + all.map(([content, ending]) =>
        content + ending
      ).join("") + "\n\n";
      const events = frame(bytes(text), cuts);
      assert.deepEqual(
        events.map(({ name, data }) => ({ name: name || undefined, data })),
        reference(text).map(({ name, data }) => ({ name: name || undefined, data })),
      );
    }),
    { numRuns: 500 },
  );
});

Deno.test("sse: an event's end is the offset behind its blank line", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const first = `event: a${end}data: é💥${end}${end}`;
    const text = `${first}: comment${end}data: 2${end}${end}`;
    for (const cuts of [[], [...bytes(text).keys()]]) {
      const [one, two] = frame(bytes(text), cuts);
      // With a lone CR at the end of a chunk nobody knows yet whether LF follows.
      const slack = end === "\r\n" && cuts.length > 0 ? 1 : 0;
      assert.equal(one?.byteEnd, bytes(first).length - slack);
      assert.equal(two?.byteEnd, bytes(text).length - slack);
    }
  }
});

Deno.test("sse: the boundary lies behind whole events and comments, never inside an event", () => {
  const framer = new SseFramer();
  const feed = (text: string) => framer.feed(bytes(text), () => {});
  const steps: readonly (readonly [string, number])[] = [
    [": keep", 0],
    ["-alive\n", 13],
    ["data: 1", 13],
    ["\n", 13],
    [": inside\n", 13],
    ["\n", 31],
    ["event: x\n", 31],
    ["\n", 41],
    ["data: 2\r", 41],
    ["\n\r", 51],
    ["\n", 52],
  ];
  for (const [text, boundary] of steps) {
    feed(text);
    assert.equal(framer.boundary, boundary, JSON.stringify(text));
  }
});

Deno.test("sse: the type is the data's own, wherever it stands in it", () => {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['data: {"type":"a"}', "a"],
    ['event: b\ndata: {"type":"a"}', "a"],
    ['event: b\ndata: {"x":1}', undefined],
    ['data: {"x":{"type":"inner"},"type":"outer"}', "outer"],
    ['data: { "type" : "spaced" }', "spaced"],
    ['data: {"type":"esc\\u0061ped"}', "escaped"],
    ['data: {"type":"é"}', "é"],
    ['data: {"type":7}', undefined],
    ['data: {\ndata: "type": "lines"\ndata: }', "lines"],
    ["data: [DONE]", undefined],
    ["event: b\ndata: [DONE]", undefined],
    ["data: {broken", undefined],
    [`data: {"type":"${"long".repeat(50)}"}`, "long".repeat(50)],
  ];
  for (const [text, type] of rows) {
    assert.equal(frame(bytes(`${text}\n\n`))[0]?.type, type, text);
  }
});

Deno.test("sse: data of an event without its end is there for the asking", () => {
  const framer = new SseFramer();
  assert.equal(framer.unfinishedData, undefined);
  framer.feed(bytes("data: whole\n\n: comm"), () => {});
  assert.equal(framer.unfinishedData, undefined);
  framer.feed(bytes("ent\ndata: on"), () => {});
  assert.equal(framer.unfinishedData, "on");
  framer.feed(bytes("e\nevent: x\ndata:two"), () => {});
  assert.equal(framer.unfinishedData, "one\ntwo");
});
