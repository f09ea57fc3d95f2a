import assert from "node:assert/strict";
import fc from "fast-check";
import { chunked, cutAt } from "./hand_fed.ts";
import { ADDED, assertFault, bodyOf, encoder, open } from "./stream_rig.ts";

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
