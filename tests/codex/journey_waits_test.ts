import assert from "node:assert/strict";
import { Failover, failure, json, stream, turn } from "./failover.ts";

const SECOND = 1_000;
const PAGE = "403_cloudflare_page";

/** A pool whose one request has given up before Cloudflare's page: the next one waits ten seconds. */
async function walled(): Promise<Failover> {
  const pool = new Failover(["a"]).on("a", failure(PAGE));
  assert.equal((await pool.ask()).status, 403);
  return pool;
}

Deno.test("the request behind one that gave up at Cloudflare's page waits before its first try", async () => {
  const pool = await walled();
  pool.on("a", stream("ok"));
  const [before, tries] = [pool.clock.now(), pool.seen.length];
  assert.equal((await pool.ask()).status, 200);
  const wait = (pool.seen[tries]?.at ?? 0) - before;
  assert.ok(wait >= 10 * SECOND && wait <= 10.2 * SECOND, `${wait} ms`);
});

Deno.test("an answer that came through makes the waits at Cloudflare's page begin anew", async () => {
  const pool = await walled();
  // Whatever the answer says: it is the backend's own.
  pool.on("a", json(400, { error: { code: "context_length_exceeded" } }));
  assert.equal((await pool.ask()).status, 400);
  const before = pool.clock.now();
  assert.equal((await pool.ask()).status, 400);
  assert.ok(pool.clock.now() - before < SECOND, "nobody waits any more");

  pool.on("a", failure(PAGE));
  await pool.ask();
  const [closed, tries] = [pool.clock.now(), pool.seen.length];
  await pool.ask();
  const wait = (pool.seen[tries]?.at ?? 0) - closed;
  assert.ok(wait >= 10 * SECOND && wait <= 10.2 * SECOND, `ten seconds and not thirty: ${wait} ms`);
});

Deno.test("Esc while a request waits at Cloudflare's page ends it at once", async () => {
  const pool = await walled();
  const tries = pool.seen.length;
  const user = new AbortController();
  const answer = pool.fetch("https://api.openai.com/v1/responses", {
    ...turn("s"),
    signal: user.signal,
  });
  await pool.clock.advance(SECOND);
  user.abort(new DOMException("Esc", "AbortError"));
  await assert.rejects(answer, { name: "AbortError" });
  assert.equal(pool.seen.length, tries);
});

Deno.test("a throttle of ten seconds is waited for, a longer one is not", async () => {
  for (const [seconds, status] of [[10, 200], [11, 403]] as const) {
    const throttle = json(429, { error: { code: "rate_limit_exceeded" } }, {
      "retry-after": `${seconds}`,
    });
    const pool = new Failover(["a"]).on("a", throttle, stream("ok"));
    const before = pool.clock.now();
    assert.equal((await pool.ask()).status, status);
    assert.equal(Math.floor((pool.clock.now() - before) / SECOND), status === 200 ? seconds : 0);
  }
});
