import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { learnUsage } from "../../src/codex/usage_question.ts";
import { workspaceSubject } from "../../src/quota/block.ts";
import { readUsage } from "../../src/quota/usage.ts";
import { testAccount } from "../memory_store.ts";
import { isBlocked, limit, limited, MINUTE, Scene, usage } from "./recheck_scene.ts";

Deno.test("being allowed counts only where user and account are the ones asked about", async () => {
  const other = { user_id: "user-z" };
  const table: [string, Response, boolean][] = [
    ["allowed, no figures", usage("a", 0, {}, { primary_window: null }), false],
    ["somebody else is allowed", usage("a", 0, other, { primary_window: null }), true],
    ["low shares, not allowed", usage("a", 3, {}, { allowed: false }), true],
    ["low shares, limit reached", usage("a", 3, {}, { limit_reached: true }), true],
    ["low shares, spending stopped", usage("a", 3, { spend_control: { reached: true } }), true],
    ["low shares, somebody else stopped", usage("a", 3, other, { allowed: false }), false],
    ["low shares and no ids", usage("a", 3, { user_id: null, account_id: null }), false],
    [
      "allowed with a full window",
      usage("a", 100, {}, { allowed: true, limit_reached: false }),
      true,
    ],
  ];
  for (const [name, response, blocked] of table) {
    const { scene, pool, recheck } = await limited();
    scene.answer = () => response.clone();
    await scene.busy(MINUTE, { recheck });
    assert.equal(isBlocked(pool), blocked, name);
  }
});

Deno.test("a limit that is called reached counts, whatever the shares beside it", async () => {
  const usageFixtures = JSON.parse(
    readFileSync(new URL("../fixtures/codex/usage.json", import.meta.url), "utf8"),
  );
  const mine = { user_id: "user-a", account_id: "ws-a" };
  const reached = { allowed: false, limit_reached: true };
  const depleted = Response.json({ ...usageFixtures.workspace_out_of_credits, ...mine });
  const table: [string, Response, string[]][] = [
    ["low shares", usage("a", 3, {}, reached), ["account:id-a"]],
    ["no shares", usage("a", 3, {}, { ...reached, primary_window: null }), ["account:id-a"]],
    ["no reset", usage("a", 100), ["account:id-a"]],
    ["no ids", usage("a", 3, { user_id: null, account_id: null }, reached), ["account:id-a"]],
    ["somebody else's", usage("a", 3, { user_id: "user-z" }, reached), []],
    ["the workspace's credits", depleted, ["workspace:ws-a"]],
  ];
  for (const [name, response, subjects] of table) {
    const scene = new Scene([testAccount("a")]);
    const { pool } = await scene.process();
    const [account] = pool.accounts;
    const answer = readUsage(await response.text(), scene.clock.now());
    await learnUsage(answer!, account!, scene.clock.now(), pool);
    const blocks = pool.limits(account!);
    assert.deepEqual(blocks.map(({ subject }) => subject), subjects, name);
    assert.ok(blocks.every(({ source }) => source === "guess"), name);
    await scene.clock.advance(5 * MINUTE);
    assert.equal(isBlocked(pool), false, "a guess ends");
  }
});

Deno.test("a limit that is called reached cuts no end that is known", async () => {
  const { scene, pool, recheck } = await limited();
  const before = pool.limits(pool.accounts[0]!);
  scene.answer = () => usage("a", 3, {}, { allowed: false, limit_reached: true });
  await scene.busy(MINUTE, { recheck });
  assert.equal(scene.asked.length, 1);
  assert.deepEqual(pool.limits(pool.accounts[0]!), before);
});

Deno.test("a workspace's limit ends when one of its seats is allowed, not by low shares", async () => {
  const seat = (alias: string) =>
    testAccount(alias, { identity: { workspaceId: "ws-a", userId: `user-${alias}` } });
  const reached = { rate_limit_reached_type: { type: "workspace_owner_credits_depleted" } };
  const table: [string, Response, boolean][] = [
    ["allowed", usage("a", 3), false],
    ["not allowed", usage("a", 3, {}, { allowed: false }), true],
    ["allowed, and the workspace's reason is named", usage("a", 3, reached), true],
    ["somebody else", usage("a", 3, { user_id: "user-z" }), true],
  ];
  for (const [name, response, blocked] of table) {
    const scene = new Scene([seat("a"), seat("b")]);
    const { pool, recheck } = await scene.process();
    await pool.block(
      limit(scene, "a", { subject: workspaceSubject("ws-a"), reason: "workspace limit" }),
    );
    scene.answer = (alias) => alias === "a" ? response.clone() : new Response("", { status: 403 });
    await scene.busy(2 * MINUTE, { recheck });
    assert.equal(isBlocked(pool, "a"), blocked, name);
    assert.equal(isBlocked(pool, "b"), blocked, name);
  }
});

Deno.test("a model's own limit ends when the models' buckets are free", async () => {
  const bucket = (used_percent: number) => ({
    additional_rate_limits: [{
      metered_feature: "codex_bengalfox",
      rate_limit: { primary_window: { used_percent, limit_window_seconds: 604_800 } },
    }],
  });
  for (
    const [response, blocked] of [
      [usage("a", 3, bucket(5)), false],
      [usage("a", 3, bucket(100)), true],
      [usage("a", 3), true],
    ] as const
  ) {
    const { scene, pool, recheck } = await limited(() => ({ model: "spark" }));
    scene.answer = () => response.clone();
    await scene.busy(MINUTE, { recheck });
    assert.equal(isBlocked(pool, "a", "spark"), blocked);
  }
});
