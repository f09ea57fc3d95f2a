import assert from "node:assert/strict";
import { HOUR, NOBODY, poolOf, three, usageLimit, week } from "./pool_scene.ts";

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

Deno.test("quota counts a window whose reset has passed as unused", async () => {
  const { pool, serve, clock } = await poolOf(three(), { strategy: "quota", softThreshold: 15 });
  const now = clock.now();
  const short = { ...week(99, now, now + HOUR), minutes: 300 };
  // a: 99 % of a window that is over, and hardly anything of the week.
  await pool.observe("id-a", [short, week(1, now, now + 2 * HOUR)]);
  await pool.observe("id-b", [{ ...short, usedPercent: 20, resetsAt: now + 4 * HOUR }]);
  await pool.observe("id-c", [week(100, now, now + HOUR)]);
  assert.equal(await serve("1"), "b", "a has 1 % left");
  await clock.advance(HOUR);
  const choice = await pool.choose({ session: "2" }, NOBODY);
  assert.deepEqual([choice?.account.alias, choice?.reason], [
    "a",
    "99% left, most to lose at its reset",
  ]);
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
