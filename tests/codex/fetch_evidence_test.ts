import assert from "node:assert/strict";
import { Failover, failure, RESPONSES, stream, turn } from "./failover.ts";

Deno.test("a limit of a model's own bucket blocks that model alone", async () => {
  const pool = new Failover().on("a", failure("429_model_family"), stream("ok"));
  assert.equal((await pool.ask(turn("s", { model: "spark" }))).status, 200);
  assert.equal(pool.blockedUntil("a", "spark"), 1795464000_000);
  assert.equal(pool.blockedUntil("a"), undefined);
});

Deno.test("a 200 whose headers say that a window is full is the account's last", async () => {
  const pool = new Failover().on(
    "a",
    stream("ok", {
      "x-codex-primary-used-percent": "100",
      "x-codex-primary-window-minutes": "10080",
      "x-codex-primary-reset-at": "1795802400",
    }),
  );
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.blockedUntil("a"), 1795802400_000);
  await pool.ask();
  assert.equal(pool.order, "a b");
});

Deno.test("an answer that was under way when a refusal came cannot lift the block", async () => {
  const answered = Promise.withResolvers<Response>();
  const pool = new Failover(["a"]).on("a", () => answered.promise, failure("429_resets_at_only"));
  const slow = pool.fetch(RESPONSES, turn("slow"));
  await pool.clock.advance(1_000);
  assert.equal((await pool.ask(turn("refused"))).status, 403);
  answered.resolve(stream("ok", {
    "x-codex-primary-used-percent": "99",
    "x-codex-primary-window-minutes": "300",
    "x-codex-primary-reset-at": "1795464000",
  }));
  assert.equal((await slow).status, 200);
  assert.equal(pool.blockedUntil("a"), 1795464000_000);
  assert.equal((await pool.ask(turn("next"))).status, 403);
});

Deno.test("several requests meet one invalidated token: it is renewed once", async () => {
  const pool = new Failover(["a"]).on("a", ({ signal }) => {
    signal.throwIfAborted();
    const used = pool.seen.at(-1)?.token;
    return used === "access-a" ? failure("401_token_invalidated") : stream("ok");
  });
  const all = Promise.all([1, 2, 3].map((n) => pool.fetch(RESPONSES, turn(`s${n}`))));
  await pool.clock.advance(10_000);
  assert.deepEqual((await all).map((answer) => answer.status), [200, 200, 200]);
  assert.deepEqual(pool.refreshed, ["a"]);
});

Deno.test("a late 401 on a token that was renewed meanwhile costs no second renewal", async () => {
  const late = Promise.withResolvers<Response>();
  const pool = new Failover(["a"]).on(
    "a",
    () => late.promise,
    failure("401_token_invalidated"),
    stream("ok"),
  );
  const first = pool.fetch(RESPONSES, turn("first"));
  await pool.clock.advance(1);
  assert.equal((await pool.ask(turn("second"))).status, 200);
  late.resolve(failure("401_token_invalidated"));
  await pool.clock.advance(10_000);
  assert.equal((await first).status, 200);
  assert.deepEqual(pool.refreshed, ["a"]);
});

Deno.test("a limit that strikes in mid-answer concerns the next request", async () => {
  const events = [
    { type: "response.output_text.delta", delta: "half" },
    {
      type: "response.failed",
      response: { error: { code: "usage_limit_reached", resets_in_seconds: 7200 } },
    },
  ];
  const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  const pool = new Failover().on(
    "a",
    new Response(text, { headers: { "content-type": "text/event-stream" } }),
  );
  assert.equal(await (await pool.ask()).text(), text, "the answer stays as it is");
  assert.ok((pool.blockedUntil("a") ?? 0) > pool.clock.now());
  await pool.ask();
  assert.equal(pool.order, "a b");
  assert.equal(pool.store.observations.filter((one) => one.uses).length, 0, "no use is counted");
});
