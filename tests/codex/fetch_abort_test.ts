import assert from "node:assert/strict";
import { Failover, RESPONSES, turn } from "./failover.ts";

Deno.test("abort by the user (Esc)", async () => {
  const pool = new Failover();
  const user = new AbortController();
  let upstream: AbortSignal | undefined;
  pool.on("a", ({ signal }) => {
    upstream = signal;
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  });
  const answer = pool.fetch(RESPONSES, { ...turn("s"), signal: user.signal });
  answer.catch(() => {});
  await pool.clock.advance(10);
  user.abort(new DOMException("Esc", "AbortError"));
  await assert.rejects(answer, { name: "AbortError" });
  assert.equal(upstream?.aborted, true);
  assert.equal(pool.order, "a", "no retry");
  assert.equal(pool.store.blocks.size, 0, "no blame");
});

Deno.test("abort while an answer streams reaches upstream", async () => {
  const pool = new Failover();
  const user = new AbortController();
  let upstream: AbortSignal | undefined;
  pool.on("a", ({ signal }) => {
    upstream = signal;
    const event = '{"type":"response.output_text.delta","delta":"x"}';
    return new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(`data: ${event}\n\n`));
          signal.addEventListener("abort", () => controller.error(signal.reason));
        },
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  });
  const answer = await pool.ask({ ...turn("s"), signal: user.signal });
  const reader = answer.body!.getReader();
  await reader.read();
  user.abort(new DOMException("Esc", "AbortError"));
  await assert.rejects(reader.read(), { name: "AbortError" });
  assert.equal(upstream?.aborted, true);
});

Deno.test("an answer that nobody reads to its end lets go of upstream", async () => {
  const pool = new Failover();
  let cancelled = false;
  pool.on("a", () =>
    new Response(
      new ReadableStream({
        start: (controller) =>
          controller.enqueue(
            new TextEncoder().encode('data: {"type":"response.output_text.delta"}\n\n'),
          ),
        cancel: () => void (cancelled = true),
      }),
      { headers: { "content-type": "text/event-stream" } },
    ));
  await (await pool.ask()).body?.cancel();
  assert.equal(cancelled, true);
});
