import assert from "node:assert/strict";
import fc from "fast-check";
import type { Account } from "../../src/account/account.ts";
import { type Settings, STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { accountSubject, type Block, workspaceSubject } from "../../src/quota/block.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../../src/quota/window.ts";
import { Pool } from "../../src/rotation/pool.ts";
import { MemoryStore, testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

const HOUR = 3_600_000;
const NOBODY: ReadonlyMap<string, string> = new Map();

async function poolOf(accounts: Account[], settings: Partial<Settings> = {}) {
  const clock = new VirtualClock();
  const store = new MemoryStore(clock, accounts);
  const values = { ...STANDARD_SETTINGS, ...settings };
  const pool = new Pool({ store, clock, random: () => 0.5, settings: () => values });
  await pool.refresh();
  const serve = async (session?: string, more: { model?: string; parent?: string } = {}) =>
    (await pool.choose({ session, ...more }, NOBODY))?.account.alias;
  return { clock, store, pool, serve };
}

function usageLimit(
  alias: string,
  since: number,
  until: number,
  fields: Partial<Block> = {},
): Block {
  return {
    subject: accountSubject(`id-${alias}`),
    model: "",
    reason: "usage limit",
    until,
    since,
    source: "body",
    ...fields,
  };
}

function week(usedPercent: number, observedAt: number, resetsAt: number | null): QuotaWindow {
  return { bucket: PLAN_BUCKET, minutes: 10_080, usedPercent, observedAt, resetsAt };
}

const three = () => ["a", "b", "c"].map((alias) => testAccount(alias));

Deno.test("round-robin gives every account a session in turn", async () => {
  const { serve } = await poolOf(three());
  const order = [];
  for (let n = 0; n < 7; n++) order.push(await serve(`s${n}`));
  assert.deepEqual(order, ["a", "b", "c", "a", "b", "c", "a"]);
});

Deno.test("round-robin does not favour accounts whose token is fresh", async () => {
  const stale = testAccount("b", {
    credentials: { accessToken: "x", refreshToken: "y", expiresAt: 0 },
  });
  const { serve } = await poolOf([testAccount("a"), stale, testAccount("c")]);
  assert.deepEqual([await serve("1"), await serve("2"), await serve("3")], ["a", "b", "c"]);
});

Deno.test("a session stays on its account", async () => {
  const { serve } = await poolOf(three());
  assert.equal(await serve("s"), "a");
  assert.equal(await serve("other"), "b");
  assert.equal(await serve("s"), "a");
});

Deno.test("a turn and its title, asked at once, share an account", async () => {
  const { serve } = await poolOf(three());
  const both = await Promise.all([serve("s"), serve("s")]);
  assert.deepEqual(both, ["a", "a"]);
  assert.equal(await serve("next"), "b");
});

Deno.test("a sub-agent begins on its parent's account", async () => {
  const { serve } = await poolOf(three());
  await serve("first");
  assert.equal(await serve("parent"), "b");
  assert.equal(await serve("child", { parent: "parent" }), "b");
});

Deno.test("affinity is kept over restarts", async () => {
  const { store, clock, serve } = await poolOf(three());
  await serve("x");
  assert.equal(await serve("s"), "b");
  const reborn = new Pool({ store, clock, random: () => 0, settings: () => STANDARD_SETTINGS });
  await reborn.refresh();
  assert.equal((await reborn.choose({ session: "s" }, NOBODY))?.account.alias, "b");
});

Deno.test("rotate: request goes round within a session", async () => {
  const { serve } = await poolOf(three(), { rotate: "request" });
  assert.deepEqual([await serve("s"), await serve("s"), await serve("s"), await serve("s")], [
    "a",
    "b",
    "c",
    "a",
  ]);
});

Deno.test("a block moves the session once, and it stays where it went", async () => {
  const { pool, serve, clock } = await poolOf(three());
  await serve("s");
  await pool.block(usageLimit("a", clock.now(), clock.now() + HOUR));
  assert.equal(await serve("s"), "b");
  assert.equal(await serve("s"), "b");
  await clock.advance(HOUR + 1);
  assert.equal(await serve("s"), "b");
});

Deno.test("a move says whom the session leaves", async () => {
  const { pool, serve, clock } = await poolOf(three());
  await serve("s");
  await pool.block(usageLimit("a", clock.now(), clock.now() + HOUR));
  const choice = await pool.choose({ session: "s" }, NOBODY);
  assert.equal(choice?.movedFrom, "id-a");
  assert.equal((await pool.choose({ session: "s" }, NOBODY))?.movedFrom, undefined);
});

Deno.test("a pin wins on the very next request, and another process's pin too", async () => {
  const { store, pool, serve, clock } = await poolOf(three());
  await serve("s");
  await store.setPin({ accountId: "id-c", until: clock.now() + HOUR });
  await pool.refresh();
  assert.equal(await serve("s"), "c");
  await clock.advance(HOUR);
  assert.equal(await serve("new"), "b");
});

Deno.test("a pinned account at its limit does not stop work", async () => {
  const { store, pool, serve, clock } = await poolOf(three());
  await store.setPin({ accountId: "id-c", until: null });
  await pool.refresh();
  await pool.block(usageLimit("c", clock.now(), clock.now() + HOUR));
  assert.equal(await serve("s"), "a");
});

Deno.test("a model's block holds only that model back", async () => {
  const { pool, serve, clock } = await poolOf([testAccount("a"), testAccount("b")]);
  await pool.block(usageLimit("a", clock.now(), clock.now() + HOUR, { model: "spark" }));
  assert.equal(await serve("1", { model: "spark" }), "b");
  assert.equal(await serve("2", { model: "gpt-5.5" }), "a");
});

Deno.test("workspace-wide limits skip the other seats of that workspace", async () => {
  const seats = ["a", "b"].map((alias) =>
    testAccount(alias, { identity: { workspaceId: "team", userId: alias } })
  );
  const { pool, serve, clock } = await poolOf([...seats, testAccount("c")]);
  await pool.block(
    usageLimit("a", clock.now(), clock.now() + HOUR, {
      subject: workspaceSubject("team"),
      reason: "workspace limit",
    }),
  );
  assert.deepEqual([await serve("1"), await serve("2")], ["c", "c"]);
});

Deno.test("disabled and set-aside accounts take no part", async () => {
  const { serve, pool } = await poolOf([
    testAccount("a", { enabled: false }),
    testAccount("b", { setAside: { at: 0, reason: "needs login" } }),
  ]);
  assert.equal(await serve("s"), undefined);
  assert.deepEqual(pool.absences(undefined).map(({ hindrance }) => hindrance?.kind), [
    "disabled",
    "set aside",
  ]);
});

Deno.test("weekly window at 100 % in the headers of a 200", async () => {
  const { pool, serve, clock, store } = await poolOf(three());
  await serve("s");
  const reset = clock.now() + 96 * HOUR;
  await pool.observe("id-a", [week(100, clock.now(), reset)]);
  assert.equal(await serve("s"), "b");
  assert.equal(store.blocks.get("account:id-a ")?.until, reset);
});

Deno.test("an optimistic older reading arrives after a 429", async () => {
  const { pool, serve, clock } = await poolOf([testAccount("a")]);
  const asked = clock.now();
  await clock.advance(1_000);
  await pool.block(usageLimit("a", clock.now(), clock.now() + HOUR));
  await pool.observe("id-a", [week(40, asked, null)]);
  assert.equal(await serve("s"), undefined);
});

Deno.test("newer evidence below 100 % lifts the block", async () => {
  const { pool, serve, clock, store } = await poolOf([testAccount("a")]);
  await pool.block(usageLimit("a", clock.now(), clock.now() + 72 * HOUR));
  await clock.advance(1_000);
  await pool.observe("id-a", [week(3, clock.now(), null)]);
  assert.equal(await serve("s"), "a");
  assert.equal(store.blocks.size, 0);
});

Deno.test("newer evidence does not lift what is no usage limit", async () => {
  const { pool, serve, clock } = await poolOf([testAccount("a")]);
  await pool.block(
    usageLimit("a", clock.now(), clock.now() + HOUR, { reason: "not included in plan" }),
  );
  await clock.advance(1_000);
  await pool.observe("id-a", [week(3, clock.now(), null)]);
  assert.equal(await serve("s"), undefined);
});

Deno.test("an end that is past blocks nobody", async () => {
  const { pool, serve, clock, store } = await poolOf([testAccount("a")]);
  await pool.block(usageLimit("a", clock.now(), clock.now()));
  assert.equal(await serve("s"), "a");
  assert.equal(store.blocks.size, 0);
});

Deno.test("an account as it was before a renewal does not come back", async () => {
  const { pool } = await poolOf([testAccount("a", { generation: 3 })]);
  pool.replace(testAccount("a", { generation: 2, email: "old@example.test" }));
  assert.equal(pool.account("id-a")?.generation, 3);
  pool.replace(testAccount("a", { generation: 4 }));
  assert.equal(pool.account("id-a")?.generation, 4);
});

Deno.test("of two readings of a window the newer one counts, in whatever order they come", async () => {
  const { pool, serve, clock } = await poolOf(three(), { strategy: "quota" });
  const reset = clock.now() + 10 * HOUR;
  await pool.observe("id-b", [week(90, clock.now() - 1, reset)]);
  await pool.observe("id-c", [week(50, clock.now() - 1, reset)]);
  await pool.observe("id-a", [week(95, clock.now(), reset)]);
  await pool.observe("id-a", [week(5, clock.now() - 1_000, reset)]);
  assert.equal(await serve("s"), "c", "a's older reading would have made it first");
});

Deno.test("clock jumps back or forward one day: blocks stay within their evidence", async () => {
  const { pool, serve, clock } = await poolOf([testAccount("a")]);
  const until = clock.now() + HOUR;
  await pool.block(usageLimit("a", clock.now(), until));
  clock.jump(clock.now() - 24 * HOUR);
  assert.equal(await serve("s"), undefined);
  clock.jump(until + 1);
  assert.equal(await serve("s"), "a");
});

Deno.test("account removed while requests run: the next ones do not use it", async () => {
  const { store, pool, serve } = await poolOf(three());
  assert.equal(await serve("s"), "a");
  await store.remove("id-a");
  await pool.refresh();
  assert.equal(await serve("s"), "b");
});

Deno.test("a choice touches neither disk nor network in steady state", async () => {
  const { store, pool, serve } = await poolOf(three());
  await serve("s");
  const loads = store.loads;
  for (let n = 0; n < 100; n++) {
    assert.equal(pool.refresh(), undefined);
    await serve("s");
  }
  assert.equal(store.loads, loads);
});

Deno.test("least-used, drain and weighted keep their word", async () => {
  const least = await poolOf(three(), { strategy: "least-used" });
  least.pool.answered("id-a");
  least.pool.answered("id-c");
  assert.equal(await least.serve("s"), "b");

  const drain = await poolOf(three(), { strategy: "drain" });
  assert.deepEqual([await drain.serve("1"), await drain.serve("2")], ["a", "a"]);
  await drain.pool.block(usageLimit("a", drain.clock.now(), drain.clock.now() + HOUR));
  assert.equal(await drain.serve("3"), "b");

  const weighted = await poolOf(three(), { strategy: "weighted", weights: { a: 0, b: 1, c: 0 } });
  assert.deepEqual([await weighted.serve("1"), await weighted.serve("2")], ["b", "b"]);
});

Deno.test("quota takes what would expire unused first", async () => {
  const { pool, serve, clock } = await poolOf(three(), { strategy: "quota" });
  await pool.observe("id-a", [week(50, clock.now(), clock.now() + 100 * HOUR)]);
  await pool.observe("id-b", [week(80, clock.now(), clock.now() + 2 * HOUR)]);
  await pool.observe("id-c", [week(10, clock.now(), clock.now() + 160 * HOUR)]);
  assert.equal(await serve("s"), "b");
});

Deno.test("quota spares an account below the soft threshold while another has more", async () => {
  const { pool, serve, clock } = await poolOf(three(), { strategy: "quota", softThreshold: 15 });
  await pool.observe("id-a", [week(50, clock.now(), clock.now() + 100 * HOUR)]);
  await pool.observe("id-b", [week(90, clock.now(), clock.now() + HOUR / 60)]);
  await pool.observe("id-c", [week(60, clock.now(), clock.now() + 100 * HOUR)]);
  assert.equal(await serve("1"), "a", "b's 10 % would expire first, and are spared");
  await pool.block(usageLimit("a", clock.now(), clock.now() + HOUR));
  await pool.block(usageLimit("c", clock.now(), clock.now() + HOUR));
  assert.equal(await serve("2"), "b", "spared is not blocked");
});

Deno.test("an account kept for interactive work is left alone by sub-agents while another can serve", async () => {
  for (const strategy of ["round-robin", "drain", "quota"] as const) {
    const { pool, serve, clock } = await poolOf(three(), { strategy, interactive: "a" });
    assert.equal(await serve("parent"), "a");
    assert.notEqual(await serve("child", { parent: "parent" }), "a", strategy);
    await pool.block(usageLimit("b", clock.now(), clock.now() + HOUR));
    await pool.block(usageLimit("c", clock.now(), clock.now() + HOUR));
    assert.equal(await serve("another child", { parent: "parent" }), "a", strategy);
  }
});

Deno.test("property: a blocked account is never chosen before its end without newer evidence", async () => {
  const strategy = fc.constantFrom(
    "round-robin" as const,
    "least-used" as const,
    "drain" as const,
    "random" as const,
    "weighted" as const,
    "quota" as const,
  );
  const step = fc.oneof(
    fc.record({ kind: fc.constant("ask" as const), session: fc.integer({ min: 0, max: 9 }) }),
    fc.record({
      kind: fc.constant("block" as const),
      who: fc.integer({ min: 0, max: 3 }),
      ms: fc.integer({ min: 1, max: 10_000 }),
    }),
    fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 8_000 }) }),
    fc.record({ kind: fc.constant("pin" as const), who: fc.integer({ min: 0, max: 3 }) }),
  );
  await fc.assert(
    fc.asyncProperty(strategy, fc.array(step, { maxLength: 60 }), async (name, steps) => {
      const aliases = ["a", "b", "c", "d"];
      const { pool, clock, store, serve } = await poolOf(
        aliases.map((alias) => testAccount(alias)),
        {
          strategy: name,
        },
      );
      const ends = new Map<string, number>();
      for (const one of steps) {
        if (one.kind === "pass") clock.jump(clock.now() + one.ms);
        if (one.kind === "pin") {
          await store.setPin({ accountId: `id-${aliases[one.who]}`, until: null });
          await pool.refresh();
        }
        if (one.kind === "block") {
          const alias = aliases[one.who] ?? "a";
          await pool.block(usageLimit(alias, clock.now(), clock.now() + one.ms));
          ends.set(alias, clock.now() + one.ms);
        }
        if (one.kind === "ask") {
          const alias = await serve(`s${one.session}`);
          const free = aliases.filter((name) => (ends.get(name) ?? 0) <= clock.now());
          if (alias === undefined) assert.deepEqual(free, []);
          else assert.ok(free.includes(alias), `${alias} was blocked`);
        }
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("property: 10,000 interleaved requests of 200 sessions use one account per session, and no account starves", async () => {
  const { serve } = await poolOf(three());
  const seen = new Map<string, string>();
  const count = new Map<string, number>();
  let state = 7;
  for (let n = 0; n < 10_000; n++) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const session = `s${state % 200}`;
    const alias = await serve(session) ?? "nobody";
    assert.equal(alias, seen.get(session) ?? alias);
    if (!seen.has(session)) count.set(alias, (count.get(alias) ?? 0) + 1);
    seen.set(session, alias);
  }
  const shares = [...count.values()];
  assert.equal(count.size, 3);
  assert.ok(Math.max(...shares) - Math.min(...shares) <= 1, `uneven: ${shares}`);
});
