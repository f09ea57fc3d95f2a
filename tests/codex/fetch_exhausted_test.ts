import assert from "node:assert/strict";
import { RESET_HEADER } from "../../src/codex/exhausted.ts";
import { errorOf, Failover, failure, json, RESPONSES, RETRIED, turn } from "./failover.ts";

Deno.test("every account at its limit: stop", async () => {
  const pool = new Failover(["personal", "work-500"]);
  pool.on("personal", failure("429_resets_at_only"));
  pool.on(
    "work-500",
    json(429, { error: { type: "usage_limit_reached", resets_in_seconds: 9000 } }),
  );
  await pool.ask();
  const asked = pool.seen.length;
  // Nothing waits: no time has to pass for the answer, and nobody is asked.
  const answer = await pool.fetch(RESPONSES, turn("s"));
  assert.equal(pool.seen.length, asked);
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.get(RESET_HEADER), String(1795464000_000));
  assert.equal(answer.headers.get("retry-after"), null);
  const text = await answer.text();
  assert.doesNotMatch(text, RETRIED);
  const { error: { message } } = JSON.parse(text);
  assert.match(message, /personal at its limit until .*work-5\u206000 at its limit until/);
  assert.match(message, /The first to come back is personal at /);
  assert.equal(pool.events.at(-1)?.kind, "exhausted");
});

Deno.test("of several ends the earliest is named, wherever it stands", async () => {
  const pool = new Failover(["late", "early"]);
  pool.on("late", json(429, { error: { type: "usage_limit_reached", resets_in_seconds: 9000 } }));
  pool.on("early", failure("429_resets_at_only"));
  const answer = await pool.ask();
  assert.equal(answer.headers.get(RESET_HEADER), String(1795464000_000));
  assert.match((await errorOf(answer)).message, /first to come back is early/);
});

Deno.test("every account at its limit: wait", async () => {
  const pool = new Failover(["a"], { exhausted: "wait", maxWait: 600_000 });
  pool.on("a", failure("429_resets_at_only"));
  const answer = await pool.ask();
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get("retry-after-ms"), "600000");
  pool.clock.jump(1795464000_000 - 90_000);
  const later = await pool.fetch(RESPONSES, turn("s"));
  assert.equal(later.headers.get("retry-after-ms"), "90000");
});

Deno.test("no account, all set aside, locked: said at once and without a retry", async () => {
  const none = await new Failover([]).ask();
  assert.equal(none.status, 401);
  assert.match((await errorOf(none)).message, /opencode-multi-auth add/);

  const aside = new Failover(["a"], {}, (account) => ({
    ...account,
    setAside: { at: 0, reason: "needs login" },
  }));
  const answer = await aside.ask();
  assert.equal(answer.status, 403);
  assert.match((await errorOf(answer)).message, /a needs login/);

  const locked = new Failover([]);
  locked.store.isLocked = true;
  assert.match((await errorOf(await locked.ask())).message, /CODEX_SOFT_STORE_PASSPHRASE/);
});
