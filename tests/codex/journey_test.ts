import assert from "node:assert/strict";
import type { Account } from "../../src/account/account.ts";
import { Failover, failure, RESPONSES, turn } from "./failover.ts";

const SECOND = 1_000;

function many(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `n${n}`);
}

Deno.test("one request costs at most 40 answers", async () => {
  const aliases = many(60);
  const pool = new Failover(aliases);
  for (const alias of aliases) pool.on(alias, failure("503_overloaded"));
  const answer = await pool.ask();
  assert.equal(answer.status, 503);
  assert.equal(pool.seen.length, 40);
});

Deno.test("one request takes at most 240 s and what its last account takes", async () => {
  const aliases = many(20);
  const pool = new Failover(aliases, { stall: 30 * SECOND });
  for (const alias of aliases) {
    pool.on(
      alias,
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    );
  }
  const start = pool.clock.now();
  const answer = await pool.ask();
  assert.ok(answer.status >= 500, `${answer.status}`);
  const took = pool.clock.now() - start;
  assert.ok(took >= 240 * SECOND && took <= 271 * SECOND, `${took} ms`);
});

Deno.test("a workspace's limit met by one seat spares the other seats", async () => {
  const seat = (account: Account): Account =>
    account.alias === "other"
      ? account
      : { ...account, identity: { workspaceId: "team", userId: account.alias } };
  const pool = new Failover(["seat-1", "seat-2", "other"], {}, seat);
  pool.on(
    "seat-1",
    new Response('{"error":{"type":"usage_limit_reached","message":"The usage limit"}}', {
      status: 429,
      headers: {
        "content-type": "application/json",
        "x-codex-rate-limit-reached-type": "workspace_owner_credits_depleted",
      },
    }),
  );
  assert.equal((await pool.ask()).status, 200);
  assert.equal((await pool.ask(turn("another"))).status, 200);
  assert.equal(pool.order, "seat-1 other other");
});

Deno.test("a pin wins on the very next request of a session that is elsewhere", async () => {
  const pool = new Failover();
  await pool.ask();
  await pool.store.setPin({ accountId: "id-c", until: null });
  await pool.ask();
  await pool.store.setPin(null);
  await pool.ask();
  assert.equal(pool.order, "a c c");
});

Deno.test("a title and a sub-agent are where their session was before the restart", async () => {
  const pool = new Failover();
  pool.store.setAffinity({ session: "parent", accountId: "id-b", at: 0 });
  pool.store.setAffinity({ session: "child", accountId: "id-c", at: 0 });
  const child = (session: string): RequestInit => {
    const init = turn(session);
    return {
      ...init,
      headers: { ...init.headers as Record<string, string>, "x-parent-session-id": "parent" },
    };
  };
  await Promise.all([turn("parent"), turn("parent")].map((init) => pool.fetch(RESPONSES, init)));
  await pool.ask(child("child"));
  await pool.ask(child("new child"));
  assert.equal(pool.order, "b b c b");
});
