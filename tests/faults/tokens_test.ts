import assert from "node:assert/strict";
import { Bed, DAY, HOUR, said, SECOND } from "./bed.ts";

Deno.test("10 concurrent requests, one expiring token", async () => {
  await using bed = await Bed.open({ plans: [{ name: "a", accessTokenLifetimeMs: HOUR }] });
  bed.clock.jump(bed.clock.now() + HOUR + SECOND);
  const all = Promise.all(Array.from({ length: 10 }, (_, n) => bed.ask(`s${n}`).then(said)));
  const answers = await bed.patiently(all);
  assert.ok(answers.every((one) => /served by a/.test(one)), "10 answers");
  assert.equal(bed.simulator.tokenCalls.length, 1, "1 token call");
});

Deno.test("clock jumps back or forward one day", async () => {
  await using bed = await Bed.open({
    plans: ["a", "b", "c"].map((name) => ({ name, accessTokenLifetimeMs: 10 * DAY })),
  });
  const { clock, simulator } = bed;
  const ask = async () => {
    for (let n = 0; n < 6; n++) {
      assert.match(await said(await bed.patiently(bed.ask(`s${n}`))), /served by/);
    }
  };
  simulator.plan("a").setUsed(300, 100, 2 * HOUR);
  await ask();
  const until = await bed.blockedUntil("a");
  for (const days of [1, -1, -1, 1]) {
    clock.jump(clock.now() + days * DAY);
    await ask();
  }
  assert.equal(simulator.tokenCalls.length, 0, "no refresh storm");
  assert.ok((until ?? 0) <= clock.now() + 2 * HOUR, "no block outlives its evidence");

  // Tokens that the jump has ended are renewed once each, and not again on the way back.
  await using short = await Bed.open({
    plans: ["a", "b", "c"].map((name) => ({ name, accessTokenLifetimeMs: HOUR })),
  });
  for (const days of [1, -1]) {
    short.clock.jump(short.clock.now() + days * DAY);
    for (let n = 0; n < 6; n++) {
      assert.match(await said(await short.patiently(short.ask(`s${n}`))), /served by/);
    }
  }
  assert.deepEqual(short.simulator.tokenCalls.map((one) => one.plan).sort(), ["a", "b", "c"]);
});

Deno.test("account removed while requests run", async () => {
  await using bed = await Bed.open();
  const { simulator } = bed;
  simulator.plan("a").fail({ kind: "delay", ms: 5 * SECOND });
  const running = bed.ask();
  await simulator.waitFor((one) => one.plan === "a");
  // As `opencode-multi-auth remove` does it, in another process.
  const store = await bed.otherStore();
  await store.remove("id-a");
  await store.close();
  assert.match(await said(await bed.ask("s")), /served by b/, "the next ones do not use it");
  assert.match(await said(await bed.patiently(running)), /served by a/, "they finish");
  assert.match(await said(await bed.ask("t")), /served by c/);
  await bed.client.store.flush();
  assert.equal((await bed.client.store.load()).figures.has("id-a"), false);
});
