import assert from "node:assert/strict";
import fc from "fast-check";
import { sleep } from "../../src/platform/clock.ts";
import { testAccount } from "../memory_store.ts";
import { isBlocked, limit, MINUTE, Scene, SECOND, usage } from "./recheck_scene.ts";

for (const count of [1, 3, 10, 20]) {
  Deno.test(`a quota that is back early is noticed within 60 s, ${count} accounts at their limit`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 200 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.boolean(),
        async (backAfter, random, atOnce) => {
          const { scene, one, aliases } = await manyLimited(count, random, atOnce);
          await scene.busy(backAfter * SECOND, one);
          assert.ok(aliases.every((alias) => isBlocked(one.pool, alias)));
          const late = aliases[Math.floor(random * count)]!;
          scene.answer = slowly(scene, (alias) => usage(alias, alias === late ? 3 : 100));
          await scene.busy(MINUTE, one);
          assert.equal(isBlocked(one.pool, late), false);
          assert.equal(scene.most, 1);
          assertPace(scene, count);
        },
      ),
      { numRuns: 15 },
    );
  });
}

Deno.test("more accounts than a minute holds take their turns, 2 s apart at the least", async () => {
  const { scene, one, aliases } = await manyLimited(40, 0.5, true);
  await scene.busy(10 * MINUTE, one);
  assertPace(scene, 40);
  for (const alias of aliases) {
    const times = scene.asked.filter((one) => one.alias === alias).map(({ at }) => at);
    for (const [index, at] of times.entries()) {
      assert.ok(
        at - (times[index - 1] ?? scene.start) <= 100 * SECOND,
        `${alias} waits ${at - (times[index - 1] ?? scene.start)} ms, ${times}`,
      );
    }
    assert.ok(times.length >= 6);
  }
});

Deno.test("one account is asked at a time, however long it takes", async () => {
  const scene = new Scene(["a", "b"].map((alias) => testAccount(alias)));
  const one = await scene.process();
  for (const alias of ["a", "b"]) await one.pool.block(limit(scene, alias));
  scene.refreshMs = 30 * SECOND;
  await scene.busy(5 * MINUTE, one);
  assert.ok(scene.asked.length >= 5);
  assert.equal(scene.most, 1);
});

Deno.test("several processes together ask no more than one", async () => {
  const scene = new Scene(["a", "b"].map((alias) => testAccount(alias)));
  const processes = [];
  for (const random of [0, 0.3, 0.6]) processes.push(await scene.process(random));
  for (const alias of ["a", "b"]) await processes[0]?.pool.block(limit(scene, alias));
  scene.store.touch();
  for (const { pool } of processes) {
    scene.store.touch();
    await pool.refresh();
  }
  await scene.busy(10 * MINUTE, ...processes);
  assert.ok(scene.asked.length >= 20 && scene.asked.length <= 36, `${scene.asked.length}`);
  assertPace(scene, 2);

  scene.answer = (alias) => usage(alias, 3);
  await scene.busy(MINUTE, ...processes);
  assert.equal(scene.store.blocks.size, 0);
});

Deno.test("ten accounts in three processes: as many questions as in one, all in time", async () => {
  const { scene, one } = await manyLimited(10, 0, true);
  const processes = [one];
  for (const random of [0.3, 0.6]) processes.push(await scene.process(random));
  await scene.busy(5 * MINUTE, ...processes);
  assertPace(scene, 10);
  scene.answer = slowly(scene, (alias) => usage(alias, 3));
  await scene.busy(MINUTE, ...processes);
  assert.equal(scene.store.blocks.size, 0);
});

Deno.test("a process that nobody uses any more leaves its accounts to one in use", async () => {
  const { scene, one } = await manyLimited(1, 0.2, true);
  const other = await scene.process(0.7);
  await scene.busy(3 * MINUTE, one, other);
  await scene.busy(10 * MINUTE, other);
  for (const [index, { at }] of scene.asked.entries()) {
    const since = at - (scene.asked[index - 1]?.at ?? scene.start);
    assert.ok(since <= MINUTE, `${since} ms without a question`);
  }
  assert.ok(scene.clock.now() - (scene.asked.at(-1)?.at ?? 0) <= MINUTE);
});

/** So many accounts at their limit, from one moment on or each at another time of the minute before. */
async function manyLimited(count: number, random: number, atOnce: boolean) {
  const aliases = Array.from({ length: count }, (_, n) => `a${n}`);
  const scene = new Scene(aliases.map((alias) => testAccount(alias)));
  scene.answer = slowly(scene, (alias) => usage(alias, 100));
  const one = await scene.process(random);
  for (const alias of aliases) {
    await one.pool.block(limit(scene, alias));
    if (!atOnce) await scene.busy(MINUTE / count, one);
  }
  return { scene, one, aliases };
}

/** An answer that takes a second. */
function slowly(scene: Scene, answer: (alias: string) => Response) {
  return async (alias: string) => {
    await sleep(scene.clock, SECOND);
    return answer(alias);
  };
}

/** Nothing is ever asked in a burst. */
function assertPace({ asked }: Scene, accounts: number): void {
  const slot = Math.floor(Math.min(Math.max(40 / accounts, 2), 20) * SECOND);
  for (const [index, { at }] of asked.entries()) {
    const before = asked[index - 1]?.at ?? Number.NEGATIVE_INFINITY;
    assert.ok(at - before >= slot, `${at - before} ms after another`);
  }
}
