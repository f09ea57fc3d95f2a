import assert from "node:assert/strict";
import { Bed, HOUR, recorded, said } from "./bed.ts";

Deno.test("many sub-agents at once: 1,000 requests over a pool with faults, each answered exactly once", async () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  await using bed = await Bed.open({ plans: names.map((name) => ({ name })) });
  const { simulator } = bed;
  simulator.reply = ({ session }) => `to ${session}`;
  simulator.plan("a").setUsed(300, 100, HOUR);
  simulator.plan("b").fail(recorded("503_overloaded"), 40);
  simulator.plan("c").fail({ kind: "refuse" }, 40);
  simulator.plan("d").fail({ kind: "end-early", afterEvents: 2 }, 40);
  simulator.plan("e").fail({ kind: "usage-limit-in-stream", after: "created" });
  simulator.plan("f").invalidateAccessTokens();

  const sessions = Array.from({ length: 1_000 }, (_, n) => `session-${n}`);
  const answers = await bed.patiently(
    Promise.all(sessions.map((session) => bed.ask(session).then(said))),
  );
  assert.deepEqual(answers, sessions.map((session) => `to ${session}`));

  const served = new Map<string | null, number>();
  for (const { status, fault, session, plan } of bed.turns) {
    if (status === 200 && fault === null && plan !== "a") {
      served.set(session, (served.get(session) ?? 0) + 1);
    }
  }
  assert.deepEqual([...served.values()].filter((times) => times !== 1), []);
  assert.equal(served.size, sessions.length);
  await bed.client.store.flush();
  const { figures } = await bed.client.store.load();
  assert.equal([...figures.values()].reduce((sum, { uses }) => sum + uses, 0), 1_000);
  for (const name of ["b", "c", "d", "f"]) {
    assert.ok(simulator.plan(name).served > 0, `${name} keeps its good name`);
    assert.equal(await bed.blockedUntil(name), undefined);
  }
});
