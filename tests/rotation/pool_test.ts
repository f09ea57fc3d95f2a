import assert from "node:assert/strict";
import { STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { workspaceSubject } from "../../src/quota/block.ts";
import { Pool } from "../../src/rotation/pool.ts";
import { testAccount } from "../memory_store.ts";
import { HOUR, NOBODY, poolOf, three, usageLimit, week } from "./pool_scene.ts";

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

Deno.test("a session with two models moves once when its account is at the limit of one of them", async () => {
  for (
    const strategy of [
      "round-robin",
      "least-used",
      "drain",
      "random",
      "weighted",
      "quota",
    ] as const
  ) {
    const { pool, serve, clock } = await poolOf(three(), { strategy });
    const turn = () => serve("s", { model: "gpt-5.5" });
    const title = () => serve("s", { model: "spark" });
    const home = await turn() ?? "";
    assert.equal(await title(), home);
    await pool.block(usageLimit(home, clock.now(), clock.now() + HOUR, { model: "spark" }));
    assert.equal(await turn(), home, "the other model stays as long as it can");
    const next = await title();
    assert.notEqual(next, home);
    for (let n = 0; n < 3; n++) {
      assert.deepEqual([await turn(), await title()], [next, next], strategy);
    }
    await clock.advance(HOUR);
    assert.deepEqual([await turn(), await title()], [next, next], "nor back when it is over");

    // The third can serve both models where the other two cannot.
    await pool.block(usageLimit(home, clock.now(), clock.now() + HOUR, { model: "spark" }));
    await pool.block(usageLimit(next ?? "", clock.now(), clock.now() + HOUR));
    const third = ["a", "b", "c"].find((alias) => alias !== home && alias !== next);
    assert.deepEqual([await turn(), await title(), await turn()], [third, third, third], strategy);
  }
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
