import assert from "node:assert/strict";
import { Failover, failure, RESPONSES, stream, turn } from "./failover.ts";

Deno.test("a hand-over is announced where sessions stay, not where every request moves", async () => {
  for (const [rotate, moves] of [["session", 1], ["request", 0]] as const) {
    const pool = new Failover(["a", "b"], { rotate });
    await pool.ask();
    pool.on(rotate === "session" ? "a" : "b", failure("429_resets_at_only"));
    await pool.ask();
    await pool.ask();
    assert.equal(pool.events.filter(({ kind }) => kind === "moved").length, moves, rotate);
  }
});

Deno.test("an account whose refresh token is refused is left alone by the very next request", async () => {
  const pool = new Failover(["a", "b"], { strategy: "drain" });
  pool.on("a", failure("401_token_invalidated"));
  pool.refreshAnswer = () => ({ kind: "permanent", code: "refresh_token_reused" });
  assert.equal((await pool.ask()).status, 200);
  assert.equal((await pool.ask(turn("another"))).status, 200);
  assert.equal(pool.order, "a b b");
  assert.match(pool.pool.account("id-a")?.setAside?.reason ?? "", /needs login/);
});

Deno.test("a store that cannot be read stops nobody who knows the accounts, and is said to whoever does not", async () => {
  const pool = new Failover(["a"]);
  const { load } = pool.store;
  pool.store.load = () => Promise.reject(new Error("state.db is damaged"));
  const refused = await pool.ask();
  assert.ok(refused.status >= 400);
  assert.match(await refused.text(), /state\.db is damaged/);
  assert.equal(pool.seen.length, 0);

  pool.store.load = load;
  assert.equal((await pool.ask()).status, 200);
  pool.store.load = () => Promise.reject(new Error("state.db is damaged"));
  pool.store.touch();
  assert.equal((await pool.ask()).status, 200);
});

Deno.test("a store that cannot be written costs no answer, and this process heeds the limit", async () => {
  const pool = new Failover(["a", "b"], { strategy: "drain" });
  pool.store.block = () => Promise.reject(new Error("disk full"));
  pool.on("a", failure("429_resets_at_only"));
  assert.equal((await pool.ask()).status, 200);
  assert.equal((await pool.ask(turn("another"))).status, 200);
  assert.equal(pool.order, "a b b");
});

Deno.test("reasoning that is refused without a conversation's name is left out once, and nothing is noted", async () => {
  const pool = new Failover(["a", "b"]);
  pool.on("a", failure("400_invalid_encrypted_content"), stream("ok"));
  const input = [{ type: "reasoning", encrypted_content: "gAAA", summary: [] }];
  const { headers, ...init } = turn("s", { input });
  const { "session-id": _, ...rest } = headers as Record<string, string>;
  assert.equal((await pool.ask({ ...init, headers: rest }, RESPONSES)).status, 200);
  assert.equal(pool.order, "a a");
  assert.deepEqual(JSON.parse(pool.seen[1]?.body ?? "").input, []);
  assert.deepEqual([pool.store.affinities.size, pool.store.minters.size], [0, 0]);
});

Deno.test("of several that had trouble the last answer is handed on, though others are at their limit", async () => {
  const pool = new Failover(["a", "b", "c"]);
  pool.on("a", failure("429_resets_at_only")).on("b", failure("503_overloaded"))
    .on("c", failure("503_overloaded"));
  const answer = await pool.ask();
  assert.equal(answer.status, 503);
  assert.equal(pool.order, "a b c");
  assert.deepEqual(pool.events.filter(({ kind }) => kind === "exhausted"), []);
});
