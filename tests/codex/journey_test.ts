import assert from "node:assert/strict";
import type { Account } from "../../src/account/account.ts";
import { Failover, failure, RESPONSES, stream, turn } from "./failover.ts";
import { handFed } from "./hand_fed.ts";

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

/** What never ends: an answer, its head, or the body of a refusal. */
const ENDLESS: Record<string, (signal: AbortSignal) => Response | Promise<Response>> = {
  "no answer": (signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  "the head of a stream": () => {
    const head = handFed();
    head.send('data: {"type":"response.created"}\n\n');
    return head.response;
  },
  "a refusal": () => new Response(handFed().response.body, { status: 503 }),
};

for (const [what, reply] of Object.entries(ENDLESS)) {
  Deno.test(`one request takes at most 240 s, its last account included: ${what}`, async () => {
    const aliases = many(20);
    const pool = new Failover(aliases, { stall: 35 * SECOND });
    for (const alias of aliases) pool.on(alias, ({ signal }) => reply(signal));
    const start = pool.clock.now();
    const answer = await pool.ask();
    assert.ok(answer.status >= 500, `${answer.status}`);
    assert.equal(pool.seen.length, 7);
    const took = pool.clock.now() - start;
    assert.ok(took >= 240 * SECOND && took < 241 * SECOND, `${took} ms`);
  });
}

for (const [what, expiresAt] of [["ended", 0], ["refused", Date.UTC(2100, 0)]] as const) {
  Deno.test(`one request takes at most 240 s, a renewal that never ends included: a token that is ${what}`, async () => {
    const aliases = many(20);
    const pool = new Failover(
      aliases,
      { stall: 35 * SECOND },
      (account) =>
        account.alias === "n6"
          ? { ...account, credentials: { ...account.credentials, expiresAt } }
          : account,
    );
    for (const alias of aliases) pool.on(alias, ({ signal }) => ENDLESS["no answer"]!(signal));
    pool.on("n6", failure("401_token_invalidated"));
    pool.refreshAnswer = () => new Promise(() => {});
    const start = pool.clock.now();
    assert.ok((await pool.ask()).status >= 500);
    assert.deepEqual(pool.refreshed, ["n6"]);
    const took = pool.clock.now() - start;
    assert.ok(took >= 240 * SECOND && took < 241 * SECOND, `${took} ms`);
  });
}

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

Deno.test("reasoning that is refused late does not fetch a session back from where it has moved", async () => {
  const late = Promise.withResolvers<Response>();
  const pool = new Failover().on(
    "a",
    () => late.promise,
    failure("429_model_family"),
    stream("ok"),
  );
  const running = pool.fetch(RESPONSES, turn("s"));
  await pool.clock.advance(1);
  const title = turn("s", { model: "spark" });
  await pool.ask(title);
  late.resolve(failure("400_invalid_encrypted_content"));
  assert.equal((await running).status, 200);
  await pool.ask(title);
  await pool.ask();
  assert.equal(pool.order, "a a b a b b");
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
