import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "../../src/codex/client.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { testAccount } from "../memory_store.ts";
import { OnTheWay } from "../faults/on_the_way.ts";
import { startSimulator } from "../simulator/simulator.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { RESPONSES, turn } from "./failover.ts";
import { DAY, isBlocked, MINUTE, SECOND } from "./recheck_scene.ts";

Deno.test("a client finds out in the simulated backend, and no request waits for it", async () => {
  const clock = new VirtualClock();
  const simulator = await startSimulator({ clock });
  const folder = mkdtempSync(join(tmpdir(), "recheck-"));
  const env = {
    HOME: folder,
    OPENCODE_MULTI_AUTH_STORE_DIR: join(folder, "store"),
    OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
  };
  const store = await openLocalStore({ paths: resolvePaths(env), env, clock });
  for (const alias of ["a", "b"]) {
    const plan = simulator.addPlan({ name: alias });
    const { expiresAt, ...tokens } = plan.issueTokens();
    await store.add(testAccount(alias, {
      credentials: { ...tokens, expiresAt },
      identity: { workspaceId: plan.workspaceId, userId: plan.userId },
    }));
  }
  await store.close();
  const onTheWay = new OnTheWay();
  const client = await createClient({
    env,
    clock,
    random: () => 0.5,
    fetch: onTheWay.watch(fetch),
  });
  /** Lets virtual time pass, and answers arrive, until something holds. */
  const settled = async (holds: () => boolean) => {
    for (let step = 0; step < 700 && !holds(); step++) {
      await clock.advance(100);
      await onTheWay.arrive();
    }
    assert.ok(holds());
  };
  try {
    const ask = async (session: string) => {
      const answer = await client.fetch(RESPONSES, turn(session));
      return /served by (\w)/.exec((await answer.text()).replaceAll('","delta":"', ""))?.[1] ??
        `${answer.status}`;
    };
    simulator.plan("a").setUsed(300, 100, 3 * DAY);
    await ask("s");
    assert.equal(isBlocked(client.pool), true);

    // The endpoint takes its time: requests do not care.
    const asked = () => simulator.requests.filter((one) => one.path.endsWith("/usage"));
    simulator.plan("a").fail({ kind: "delay", ms: 5 * SECOND }, 1, "wham/usage");
    const question = simulator.waitFor((one) => one.path.endsWith("/usage"));
    await clock.advance(56 * SECOND);
    await question;
    const before = clock.now();
    await ask("s");
    assert.equal(clock.now(), before);
    await settled(() => asked()[0]?.status !== null);
    assert.equal(isBlocked(client.pool), true, "the backend still says 100 %");

    simulator.plan("a").setUsed(300, 3);
    const back = clock.now();
    await settled(() => !isBlocked(client.pool));
    assert.ok(clock.now() - back <= MINUTE, `${clock.now() - back} ms`);
    assert.deepEqual(asked().map((one) => one.plan), ["a", "a"]);
  } finally {
    await client.close();
    await simulator.close();
    rmSync(folder, { recursive: true });
  }
});
