import assert from "node:assert/strict";
import { sleep } from "../../src/platform/clock.ts";
import { Bed, DAY, HOUR, said } from "../faults/bed.ts";
import { testAccount } from "../memory_store.ts";
import { RESPONSES, turn } from "./failover.ts";
import { isBlocked, limit, MINUTE, Scene, SECOND, usage } from "./recheck_scene.ts";

/** Accounts that met their limit three hours ago; nobody has used the pool since. */
async function idle(...aliases: string[]) {
  const scene = new Scene(aliases.map((alias) => testAccount(alias)));
  const one = await scene.process();
  for (const alias of aliases) await one.pool.block(limit(scene, alias));
  await scene.busy(MINUTE, one);
  await scene.clock.advance(3 * HOUR);
  scene.asked.length = 0;
  const catchUp = async (signal?: AbortSignal) => {
    const start = scene.clock.now();
    const work = one.recheck.catchUp(signal)
      .then((changed) => ({ changed, took: scene.clock.now() - start }));
    return await scene.clock.passUntil(work, 50);
  };
  return { scene, ...one, catchUp };
}

Deno.test("a limit that ended while nobody used the pool is noticed before a request is refused", async () => {
  const { scene, pool, catchUp } = await idle("a");
  scene.answer = (alias) => usage(alias, 3);
  const { changed, took } = await catchUp();
  assert.equal(changed, true);
  assert.ok(took <= SECOND, `${took} ms`);
  assert.equal(isBlocked(pool), false);
});

Deno.test("a question that is under way already is waited for", async () => {
  const { scene, recheck, catchUp } = await idle("a");
  scene.answer = async (alias) => {
    await sleep(scene.clock, 3 * SECOND);
    return usage(alias, 3);
  };
  recheck.inUse();
  await scene.clock.advance(1);
  assert.equal(scene.asked.length, 1);
  assert.equal((await catchUp()).changed, true);
});

Deno.test("the last of several is found too, and they are asked 2 s apart", async () => {
  const { scene, pool, recheck, catchUp } = await idle("a", "b", "c", "d");
  scene.answer = (alias) => usage(alias, scene.asked.length === 4 ? 3 : 100);
  // The request has begun: a question at the usual pace is under way.
  recheck.inUse();
  await scene.clock.advance(1);
  const { changed, took } = await catchUp();
  assert.equal(changed, true);
  assert.equal(pool.accounts.filter(({ alias }) => isBlocked(pool, alias)).length, 3);
  assert.ok(took <= 8 * SECOND, `${took} ms`);
  assert.deepEqual(scene.asked.map(({ alias }) => alias).sort(), ["a", "b", "c", "d"]);
  const gaps = scene.asked.slice(1).map(({ at }, n) => at - (scene.asked[n]?.at ?? 0));
  assert.ok(gaps.every((gap) => gap >= 2 * SECOND), `${gaps}`);
});

Deno.test("a limit that comes while another one ends hides nothing", async () => {
  const { scene, pool, catchUp } = await idle("a");
  scene.store.accounts.push(testAccount("b"));
  scene.store.touch();
  scene.answer = async (alias) => {
    await pool.block(limit(scene, "b"));
    return usage(alias, 3);
  };
  assert.equal((await catchUp()).changed, true);
  assert.deepEqual([isBlocked(pool, "a"), isBlocked(pool, "b")], [false, true]);
});

Deno.test("where all limits still stand each is asked about once, and the next request waits for nothing", async () => {
  const { scene, catchUp } = await idle("a", "b");
  assert.equal((await catchUp()).changed, false);
  assert.equal(scene.asked.length, 2);
  assert.deepEqual(await catchUp(), { changed: false, took: 0 });
  assert.equal(scene.asked.length, 2);
});

Deno.test("fresh limits, and limits whose end is a guess, hold no request up", async () => {
  for (const source of ["body", "guess"] as const) {
    const scene = new Scene([testAccount("a")]);
    const { pool, recheck } = await scene.process();
    await pool.block(limit(scene, "a", { source }));
    await scene.clock.passUntil(recheck.catchUp(undefined));
    assert.equal(scene.clock.now(), scene.start);
    assert.deepEqual(scene.asked, []);
  }
});

Deno.test("an endpoint that does not answer holds a request up for ten seconds, a caller who leaves for none", async () => {
  const { scene, catchUp } = await idle("a");
  scene.answer = () => new Promise(() => {});
  const caller = new AbortController();
  const left = catchUp(caller.signal);
  caller.abort(new Error("Esc"));
  await assert.rejects(left, { message: "Esc" });
  const { changed, took } = await catchUp();
  assert.equal(changed, false);
  assert.ok(took <= 10.1 * SECOND, `${took} ms`);
});

Deno.test("quota reset early while nobody asked: the next request is served, in a new process too", async () => {
  for (const anew of [false, true]) {
    await using bed = await Bed.open({ plans: [{ name: "a" }, { name: "b" }] });
    for (const name of ["a", "b"]) bed.simulator.plan(name).setUsed(10_080, 100, 4 * DAY);
    await (await bed.ask()).text();
    await (await bed.ask("other")).text();
    assert.equal((await bed.ask()).status, 403);
    await bed.clock.advance(3 * HOUR);
    bed.simulator.plan("b").setUsed(10_080, 2);
    const client = anew ? await bed.another() : bed.client;
    const answer = await bed.patiently(client.fetch(RESPONSES, turn("s")));
    assert.match(await said(answer), /served by b/);
    if (anew) await client.close();
  }
});

Deno.test("a client that is closed holds no request, and no process, up", async () => {
  const { scene, recheck, catchUp } = await idle("a");
  scene.answer = () => new Promise(() => {});
  const held = catchUp();
  recheck.stop();
  const { changed, took } = await held;
  assert.equal(changed, false);
  assert.ok(took <= SECOND, `${took} ms`);
});
