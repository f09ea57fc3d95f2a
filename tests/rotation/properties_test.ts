import assert from "node:assert/strict";
import fc from "fast-check";
import { testAccount } from "../memory_store.ts";
import { poolOf, three, usageLimit } from "./pool_scene.ts";

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
