import assert from "node:assert/strict";
import { sleep } from "../../src/platform/clock.ts";
import { Failover, json, RESPONSES, turn } from "./failover.ts";
import { type HandFed, handFed } from "./hand_fed.ts";

const SECOND = 1_000;
const PLAIN = { "content-type": "application/json" };

/** A pool whose first account answers with the beginning of a JSON text. */
function begun(): { pool: Failover; body: HandFed; signal: () => AbortSignal | undefined } {
  const body = handFed(PLAIN);
  let upstream: AbortSignal | undefined;
  const pool = new Failover(["a", "b"]);
  pool.on("a", ({ signal }) => {
    upstream = signal;
    signal.addEventListener("abort", () => body.cut(signal.reason));
    body.send('{"id":');
    return body.response;
  }).on("b", json(200, { id: "from b" }));
  return { pool, body, signal: () => upstream };
}

Deno.test("an answer in one piece that falls silent before its end is another account's, after 120 s", async () => {
  const { pool, signal } = begun();
  const start = pool.clock.now();
  assert.deepEqual(await (await pool.ask()).json(), { id: "from b" });
  assert.equal(pool.order, "a b");
  const took = pool.clock.now() - start;
  assert.ok(took >= 120 * SECOND && took < 121 * SECOND, `${took} ms`);
  assert.equal(signal()?.aborted, true, "upstream is let go");
  assert.equal(pool.blockedUntil("a"), undefined, "no blame");
});

Deno.test("an answer in one piece that breaks off is another account's", async () => {
  const { pool, body } = begun();
  const answer = pool.fetch(RESPONSES, turn("s"));
  await pool.clock.advance(1);
  body.cut(new TypeError("reset"));
  assert.deepEqual(await (await answer).json(), { id: "from b" });
});

Deno.test("an answer in one piece may be slow, as long as something comes", async () => {
  const { pool, body } = begun();
  const answer = pool.fetch(RESPONSES, turn("s"));
  await pool.clock.advance(100 * SECOND);
  body.send('"from ');
  await pool.clock.advance(100 * SECOND);
  body.send('a"}');
  body.end();
  await pool.clock.advance(1);
  assert.deepEqual(await (await answer).json(), { id: "from a" });
  assert.equal(pool.store.observations.filter((one) => one.uses).length, 1, "and counts as a use");
});

Deno.test("a compaction may think for 120 s before its first byte, four times as long as a stream", async () => {
  for (const [path, expected] of [[`${RESPONSES}/compact`, "from a"], [RESPONSES, "from b"]]) {
    const pool = new Failover(["a", "b"]);
    pool.on("a", async ({ signal }) => {
      await sleep(pool.clock, 100 * SECOND, signal);
      return json(200, { id: "from a" });
    }).on("b", json(200, { id: "from b" }));
    const answer = pool.fetch(path ?? "", turn("s"));
    await pool.clock.passUntil(answer, SECOND);
    assert.deepEqual(await (await answer).json(), { id: expected });
  }
});

Deno.test("Esc in an answer in one piece: upstream is let go, nobody else is asked", async () => {
  const { pool, signal } = begun();
  const user = new AbortController();
  const answer = pool.fetch(RESPONSES, { ...turn("s"), signal: user.signal });
  await pool.clock.advance(1);
  user.abort(new DOMException("Esc", "AbortError"));
  await assert.rejects(answer, { name: "AbortError" });
  assert.equal(signal()?.aborted, true);
  assert.equal(pool.order, "a");
});

Deno.test("an answer without a body passes", async () => {
  const pool = new Failover(["a"]).on("a", new Response(null, { status: 204, headers: PLAIN }));
  assert.equal((await pool.ask()).status, 204);
});
