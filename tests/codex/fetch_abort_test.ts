import assert from "node:assert/strict";
import { Failover, json, type Reply, RESPONSES, stream, turn } from "./failover.ts";

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

Deno.test("however an attempt ends, no listener stays on the caller's signal", async () => {
  const rows: readonly (readonly [string, Reply])[] = [
    ["no connection", new TypeError("refused")],
    ["an error", json(400, { error: { message: "no" } })],
    ["a stream", stream("ok")],
    ["a refused stream", stream("failed-overloaded")],
  ];
  for (const [name, reply] of rows) {
    const pool = new Failover(["a"]);
    pool.on("a", reply);
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<AbortSignal["addEventListener"]>) => {
      listeners++;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<AbortSignal["removeEventListener"]>) => {
      listeners--;
      removeEventListener.apply(signal, args);
    };
    const answer = await pool.ask({ ...turn("s"), signal });
    await answer.text();
    await pool.clock.advance(1);
    assert.equal(listeners, 0, name);
  }
});

Deno.test("an error's body that comes in pieces is read to its end, one without end is let go of", async () => {
  const pool = new Failover(["a"]);
  const piece = new TextEncoder().encode("x".repeat(100_000));
  let sent = 0;
  let letGo = false;
  pool.on("a", () =>
    new Response(
      new ReadableStream({
        pull: (controller) => (sent++, controller.enqueue(piece)),
        cancel: () => void (letGo = true),
      }),
      { status: 400, headers: { "content-encoding": "gzip", "content-length": "7" } },
    ));
  const answer = await pool.ask();
  assert.equal((await answer.text()).length, 1_100_000);
  assert.ok(sent < 14, `${sent}`);
  assert.equal(letGo, true);
  assert.equal(answer.headers.get("content-encoding"), null);
  assert.equal(answer.headers.get("content-length"), null);
});
