import assert from "node:assert/strict";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { Failover, failure, json, RESPONSES, stream, turn } from "./failover.ts";

const DAY = 24 * 3_600_000;

/** What the pool blocks after this answer of the first of two accounts. */
async function learned(answer: Response, init?: RequestInit) {
  const pool = new Failover(["a", "b"]).on("a", answer);
  await pool.ask(init);
  const [block] = pool.store.blocks.values();
  return { block: block && { ...block, until: block.until - FIXTURE_NOW }, asked: pool.asked };
}

Deno.test("a throttle without a wait is a guess of about 1.5 s, and nobody is asked about it", async () => {
  const { block, asked } = await learned(json(429, { error: { code: "rate_limit_exceeded" } }));
  assert.deepEqual([block?.reason, block?.until, block?.source], ["rate limit", 1_500, "guess"]);
  assert.deepEqual(asked, []);
});

Deno.test("a throttle with a wait lasts as long as it says", async () => {
  const { block } = await learned(failure("429_retry_after_ms"));
  assert.deepEqual([block?.reason, block?.source], ["rate limit", "retry-after"]);
});

Deno.test("a limit whose end is known is not asked about", async () => {
  const { block, asked } = await learned(failure("429_resets_at_only"));
  assert.deepEqual([block?.reason, block?.source, asked], ["usage limit", "body", []]);
});

Deno.test("a limit whose end is a guess says so", async () => {
  const { block, asked } = await learned(failure("429_no_reset_at_all"));
  assert.deepEqual([block?.source, block?.until, asked], ["guess", 300_000, ["a"]]);
});

Deno.test("a plan that does not include Codex is left alone for a day", async () => {
  const { block } = await learned(failure("429_usage_not_included"));
  assert.deepEqual([block?.reason, block?.until, block?.model], ["not included in plan", DAY, ""]);
});

Deno.test("a workspace's limit is the workspace's", async () => {
  const { block } = await learned(failure("429_workspace_credits"));
  assert.deepEqual([block?.reason, block?.subject], ["workspace limit", "workspace:ws-a"]);
});

Deno.test("a model that the plan lacks is left alone for a day; without its name, the account for 5 minutes", async () => {
  const known = await learned(failure("400_model_not_supported"), turn("s", { model: "spark" }));
  assert.deepEqual([known.block?.model, known.block?.until], ["spark", DAY]);
  const unknown = await learned(failure("400_model_not_supported"), turn("s", { model: null }));
  assert.deepEqual([unknown.block?.model, unknown.block?.until], ["", 300_000]);
});

Deno.test("a refusal that speaks of the short window does not end a week that is used up", async () => {
  const friday = Math.floor(FIXTURE_NOW / 1000) + 4 * 86_400;
  const full = {
    "x-codex-secondary-used-percent": "100",
    "x-codex-secondary-window-minutes": "10080",
    "x-codex-secondary-reset-at": `${friday}`,
  };
  const short = {
    "x-codex-primary-used-percent": "100",
    "x-codex-primary-window-minutes": "300",
    "x-codex-primary-reset-at": `${friday - 3 * 86_400}`,
  };
  const error = { type: "usage_limit_reached" };
  for (
    const refusal of [
      json(429, { error: { ...error, resets_in_seconds: 600 } }),
      json(429, { error }, short),
      json(429, { error }),
    ]
  ) {
    const late = Promise.withResolvers<Response>();
    const pool = new Failover(["a", "b"], { strategy: "drain" })
      .on("a", () => late.promise, stream("ok", full));
    const first = pool.fetch(RESPONSES, turn("first"));
    await pool.clock.advance(1);
    await pool.ask(turn("second"));
    await pool.clock.advance(1);
    late.resolve(refusal);
    assert.equal((await first).status, 200);
    assert.equal(pool.blockedUntil("a"), friday * 1000);
  }
});
