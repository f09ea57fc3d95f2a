import assert from "node:assert/strict";
import { RESPONSES, turn } from "../codex/failover.ts";
import { Bed, HOUR, said } from "./bed.ts";

Deno.test("a conversation, its title and its sub-agents stay on their account over a restart of the process", async () => {
  await using bed = await Bed.open();
  /** One process after the other over the same store, each closed before the next begins. */
  const run = async (sessions: readonly string[], parent?: string) => {
    const client = await bed.another();
    const served = [];
    for (const session of sessions) {
      const init = turn(session);
      const headers = { ...init.headers as Record<string, string> };
      if (parent !== undefined) headers["x-parent-session-id"] = parent;
      const answer = await client.fetch(RESPONSES, { ...init, headers });
      served.push(/served by (\w)/.exec(await said(answer))?.[1]);
    }
    await client.close();
    return served.join(" ");
  };
  assert.equal(await run(["one", "two", "three"]), "a b c");
  assert.equal(await run(["three", "two"]), "c b");
  // The one that has moved stays where it went, after its old account is back as well.
  bed.simulator.plan("b").setUsed(300, 100, HOUR);
  const moved = await run(["two"]);
  assert.notEqual(moved, "b");
  await bed.clock.advance(2 * HOUR);
  assert.equal(await run(["two", "one"]), `${moved} a`);
  assert.equal(await run(["a sub-agent"], "three"), "c");
});
