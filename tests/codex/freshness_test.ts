import assert from "node:assert/strict";
import { keepFresh } from "../../src/codex/freshness.ts";
import type { RefreshOutcome } from "../../src/oauth/refresh_transaction.ts";
import { STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { Pool } from "../../src/rotation/pool.ts";
import { MemoryStore, testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

/** Asks for a fresh token of an account that has so long left, in milliseconds. */
async function ask(
  left: number,
  answer: (renewed: ReturnType<typeof testAccount>) => RefreshOutcome | undefined,
) {
  const clock = new VirtualClock();
  const old = testAccount("a", {
    credentials: { accessToken: "old", refreshToken: "old", expiresAt: clock.now() + left },
  });
  const renewed = testAccount("a", { generation: 2 });
  const store = new MemoryStore(clock, [old]);
  const pool = new Pool({ store, clock, random: () => 0.5, settings: () => STANDARD_SETTINGS });
  await pool.refresh();
  let asked = 0;
  const refresher = {
    refresh: () => {
      asked++;
      const outcome = answer(renewed);
      return outcome ? Promise.resolve(outcome) : new Promise<RefreshOutcome>(() => {});
    },
    settled: () => Promise.resolve(),
  };
  const result: { account?: string | undefined } = {};
  keepFresh(old, { pool, refresher, clock }).then(({ account }) =>
    result.account = account?.credentials.accessToken ?? "none"
  );
  await clock.advance(0);
  return { clock, pool, result, asked: () => asked };
}

const fresh = (account: ReturnType<typeof testAccount>) => ({ kind: "fresh", account }) as const;
const failed = () => ({ kind: "failed", retryAt: 0 }) as const;
const NEVER = () => undefined;

Deno.test("a token with five minutes left is used as it is", async () => {
  const { result, asked } = await ask(300_000, fresh);
  assert.deepEqual([result.account, asked()], ["old", 0]);
});

Deno.test("an early refresh that is quick is waited for, and leaves nothing behind", async () => {
  const { result, pool, clock } = await ask(299_999, fresh);
  assert.equal(result.account, "access-a");
  assert.equal(pool.account("id-a")?.generation, 2, "the pool knows");
  assert.equal(clock.pending, 0);
});

Deno.test("an early refresh that takes longer than 5 s does not hold the request up", async () => {
  const { result, clock } = await ask(10_001, NEVER);
  await clock.advance(4_999);
  assert.equal(result.account, undefined);
  await clock.advance(1);
  assert.equal(result.account, "old");
});

Deno.test("an early refresh that fails leaves the token that lives", async () => {
  assert.equal((await ask(60_000, failed)).result.account, "old");
});

Deno.test("a token about to end is waited for", async () => {
  const { result, clock } = await ask(10_000, NEVER);
  await clock.advance(60_000);
  assert.equal(result.account, undefined);
});

Deno.test("a dead token serves only if a refresh says so", async () => {
  const kept = (account: ReturnType<typeof testAccount>) => ({ kind: "kept", account }) as const;
  assert.equal((await ask(-1, fresh)).result.account, "access-a");
  assert.equal((await ask(-1, kept)).result.account, "access-a");
  assert.equal((await ask(-1, failed)).result.account, "none");
  assert.equal((await ask(-1, () => ({ kind: "gone" }))).result.account, "none");
});

Deno.test("an account that is set aside in its refresh is so in the pool at once", async () => {
  const { pool, result } = await ask(-1, (account) => ({
    kind: "set aside",
    account: { ...account, setAside: { at: 0, reason: "needs login" } },
  }));
  assert.equal(result.account, "none");
  assert.equal(pool.account("id-a")?.setAside?.reason, "needs login");
});
