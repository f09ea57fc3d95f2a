import assert from "node:assert/strict";
import fc from "fast-check";
import { testAccount } from "../memory_store.ts";
import { DAY, isBlocked, limit, limited, MINUTE, Scene, SECOND, usage } from "./recheck_scene.ts";

Deno.test("quota reset early (credit, promotion)", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 300 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      async (backAfter, random) => {
        const scene = new Scene([testAccount("a"), testAccount("b")]);
        const one = await scene.process(random);
        await one.pool.block(limit(scene, "a"));
        await scene.busy(backAfter * SECOND, one);
        assert.equal(isBlocked(one.pool), true);
        scene.answer = (alias) => usage(alias, 3);
        await scene.busy(MINUTE, one);
        assert.equal(isBlocked(one.pool), false);
        assert.equal(scene.store.blocks.size, 0, "in the store as well");
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("a quota that is not back stays blocked to its end, and nothing is written", async () => {
  const { scene, pool, recheck } = await limited();
  const until = pool.limits(pool.accounts[0]!)[0]?.until;
  let writes = 0;
  const block = scene.store.block.bind(scene.store);
  scene.store.block = (one) => {
    writes++;
    return block(one);
  };
  const at = Math.floor((until ?? 0) / SECOND);
  scene.answer = (alias) =>
    usage(alias, 100, {}, {
      primary_window: { used_percent: 100, limit_window_seconds: 604_800, reset_at: at },
    });
  await scene.busy(10 * MINUTE, { recheck });
  assert.ok(scene.asked.length >= 10);
  assert.equal(pool.limits(pool.accounts[0]!)[0]?.until, until);
  assert.equal(writes, 0);
});

for (
  const [what, late] of [
    ["figures", usage("a", 3, { user_id: null })],
    ["being allowed", usage("a", 3, {}, { primary_window: null })],
  ] as const
) {
  Deno.test(`an answer to a question from before the refusal lifts nothing: ${what}`, async () => {
    const { scene, pool, recheck } = await limited();
    let answer = (_: Response) => {};
    scene.answer = () => new Promise((resolve) => answer = resolve);
    await scene.busy(56 * SECOND, { recheck });
    assert.equal(scene.asked.length, 1);
    await pool.block(limit(scene, "a", { until: scene.clock.now() + 4 * DAY }));
    await scene.clock.advance(SECOND);
    answer(late);
    await scene.clock.advance(SECOND);
    assert.equal(isBlocked(pool), true);
  });
}

Deno.test("an idle pool asks nobody", async () => {
  const { scene, recheck } = await limited();
  await scene.clock.advance(10 * MINUTE);
  assert.equal(scene.asked.length, 0);
  recheck.inUse();
  await scene.clock.advance(10 * MINUTE);
  const { length } = scene.asked;
  assert.ok(length >= 2 && length <= 3, `${length} questions within two minutes of use`);
  assert.equal(scene.clock.pending, 0);
});

Deno.test("a pool without limits asks nobody, nor about accounts that take no part", async () => {
  const scene = new Scene([
    testAccount("a", { enabled: false }),
    testAccount("b", { setAside: { at: 0, reason: "needs login" } }),
    testAccount("c"),
    testAccount("d"),
  ]);
  const one = await scene.process();
  for (const alias of ["a", "b"]) await one.pool.block(limit(scene, alias));
  await one.pool.block(limit(scene, "d", { reason: "rate limit" }));
  await scene.busy(5 * MINUTE, one);
  assert.equal(scene.asked.length, 0);
});

for (const status of [401, 403, 429, 500]) {
  Deno.test(`${status} from the usage endpoint says nothing about the account`, async () => {
    const { scene, pool, recheck } = await limited();
    scene.answer = () => new Response("<html>", { status });
    await scene.busy(30 * MINUTE, { recheck });
    assert.equal(isBlocked(pool), true);
    assert.equal(scene.store.accounts[0]?.setAside, undefined);
    assert.equal(scene.store.blocks.size, 1);
    const rounds = new Set(scene.asked.map((one) => one.at)).size;
    assert.ok(rounds >= 4 && rounds <= 8, `asked ${rounds} times in 30 minutes`);
  });
}

Deno.test("403 on one path: the other one is asked", async () => {
  const { scene, pool, recheck } = await limited();
  scene.answer = (alias) =>
    scene.asked.at(-1)?.path === "/wham/usage"
      ? new Response("{}", { status: 403 })
      : usage(alias, 3);
  await scene.busy(MINUTE, { recheck });
  assert.equal(isBlocked(pool), false);
});

Deno.test("an end that is a guess is asked about at once", async () => {
  const { scene, recheck } = await limited((scene) => ({
    source: "guess",
    until: scene.clock.now() + 5 * MINUTE,
  }));
  recheck.inUse();
  await scene.clock.advance(0);
  assert.equal(scene.asked.length, 1);
});

Deno.test("while tokens are being invalidated nobody is asked", async () => {
  const { scene, recheck } = await limited();
  scene.careful = true;
  await scene.busy(5 * MINUTE, { recheck });
  assert.equal(scene.asked.length, 0);
  scene.careful = false;
  await scene.busy(15 * SECOND, { recheck });
  assert.equal(scene.asked.length, 1);
});

Deno.test("heavy traffic does not put the question off", async () => {
  const { scene, recheck } = await limited((scene) => ({ since: scene.clock.now() - DAY }));
  const after = scene.clock.after.bind(scene.clock);
  let timers = 0;
  scene.clock.after = (ms, run) => {
    timers++;
    return after(ms, run);
  };
  for (let n = 0; n < 1_000; n++) recheck.inUse();
  assert.equal(timers, 1);
  await scene.clock.advance(1);
  assert.equal(scene.asked.length, 1);
});

Deno.test("a pool in use is looked through once a second, and at once when a limit comes", async () => {
  const { scene, pool, recheck } = await limited();
  let looks = 0;
  const limits = pool.limits.bind(pool);
  pool.limits = (account) => (looks++, limits(account));
  const looked = () => {
    const before = looks;
    for (let n = 0; n < 100; n++) recheck.inUse();
    return looks - before;
  };
  const accounts = pool.accounts.length;
  assert.equal(looked(), accounts);
  assert.equal(looked(), 0);
  await scene.clock.advance(999);
  assert.equal(looked(), 0);
  await scene.clock.advance(1);
  assert.equal(looked(), accounts);
  await pool.block(limit(scene, "a", { until: scene.clock.now() + 2 * DAY }));
  assert.equal(looked(), accounts);
  await pool.lift(limit(scene, "a"), scene.clock.now() + 1);
  assert.equal(looked(), accounts);
  await pool.snapshot();
  assert.equal(looked(), accounts);
  scene.clock.jump(scene.clock.now() - DAY);
  assert.equal(looked(), accounts, "the clock was set back");
});

Deno.test("a client that closes lets go of a question that is under way, and asks no more", async () => {
  const { scene, recheck } = await limited();
  let signal: AbortSignal | null | undefined;
  scene.onRequest = (init) => signal = init?.signal;
  scene.answer = () => new Promise(() => {});
  await scene.busy(56 * SECOND, { recheck });
  assert.equal(signal?.aborted, false);
  recheck.stop();
  assert.equal(signal?.aborted, true);
  await scene.busy(5 * MINUTE, { recheck });
  assert.equal(scene.asked.length, 1);
});

Deno.test("a store that cannot be written does not stop the questions", async () => {
  const { scene, pool, recheck } = await limited();
  scene.store.lease = () => Promise.reject(new Error("disk full"));
  scene.answer = (alias) => usage(alias, 3);
  await scene.busy(MINUTE, { recheck });
  assert.equal(isBlocked(pool), false);
});
