import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import fc from "fast-check";
import { chunked, cutAt } from "./hand_fed.ts";
import {
  ADDED,
  bodyOf,
  COMPLETED,
  encoder,
  event,
  events,
  FOLDER,
  open,
  read,
} from "./stream_rig.ts";

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
