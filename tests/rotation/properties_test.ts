import assert from "node:assert/strict";
import fc from "fast-check";
import { STRATEGIES } from "../../src/platform/setting_definitions.ts";
import { testAccount } from "../memory_store.ts";
import { HOUR, poolOf, three, usageLimit } from "./pool_scene.ts";

const strategy = fc.constantFrom(...STRATEGIES);

Deno.test("property: a blocked account is never chosen before its end without newer evidence", async () => {
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

/** What keeps an account from serving, or nothing. */
const state = fc.constantFrom("free", "free", "blocked", "disabled", "set aside");

Deno.test("property: round-robin gives every account that can serve a session in turn", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(state, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 30 }),
      async (states, sessions) => {
        const { pool, clock, serve } = await poolOf(states.map((one, n) =>
          testAccount(`n${n}`, {
            enabled: one !== "disabled",
            ...(one === "set aside" ? { setAside: { at: 0, reason: "needs login" } } : {}),
          })
        ));
        for (const [n, one] of states.entries()) {
          if (one !== "blocked") continue;
          await pool.block(usageLimit(`n${n}`, clock.now(), clock.now() + HOUR));
        }
        const free = states.flatMap((one, n) => one === "free" ? [`n${n}`] : []);
        for (let n = 0; n < sessions; n++) {
          assert.equal(await serve(`s${n}`), free[n % free.length]);
        }
      },
    ),
  );
});

Deno.test("property: a pin wins on the very next request of every session, as long as its account can serve", async () => {
  const steps = fc.array(
    fc.record({
      session: fc.integer({ min: 0, max: 5 }),
      pin: fc.option(fc.integer({ min: 0, max: 3 })),
      block: fc.option(fc.integer({ min: 0, max: 3 })),
      model: fc.constantFrom("gpt-5.5", "spark"),
    }),
    { maxLength: 40 },
  );
  const rotate = fc.constantFrom("session" as const, "request" as const);
  await fc.assert(fc.asyncProperty(strategy, rotate, steps, async (name, rotate, steps) => {
    const aliases = ["a", "b", "c", "d"];
    const { pool, clock, store, serve } = await poolOf(
      aliases.map((alias) => testAccount(alias)),
      { strategy: name, rotate },
    );
    const blocked = new Set<string>();
    for (const { session, pin, block, model } of steps) {
      const pinned = pin === null ? undefined : aliases[pin];
      await store.setPin(pinned === undefined ? null : { accountId: `id-${pinned}`, until: null });
      await pool.refresh();
      if (block !== null) {
        const alias = aliases[block] ?? "a";
        await pool.block(usageLimit(alias, clock.now(), clock.now() + HOUR, { model }));
        blocked.add(`${alias} ${model}`);
      }
      const chosen = await serve(`s${session}`, { model });
      const free = aliases.filter((alias) => !blocked.has(`${alias} ${model}`));
      if (pinned !== undefined && free.includes(pinned)) assert.equal(chosen, pinned);
      else if (free.length > 0) assert.ok(free.includes(chosen ?? ""));
      else assert.equal(chosen, undefined);
    }
  }));
});
