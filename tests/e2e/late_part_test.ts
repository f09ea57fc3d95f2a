import assert from "node:assert/strict";
import { join } from "node:path";
import { inRepository } from "../../scripts/repository.ts";
import { toolPaths } from "../../scripts/tools.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import { startSimulator } from "../simulator/simulator.ts";

Deno.test("the plugin is updated while OpenCode runs and later.js is gone: no token is lost, who can serve serves", async () => {
  const home = Deno.makeTempDirSync({ prefix: "late-" });
  const simulator = await startSimulator({ keepAlive: false });
  const env = {
    HOME: home,
    OPENCODE_MULTI_AUTH_STORE_DIR: join(home, "store"),
    OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
  };
  const open = () => openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
  // The plugin alone, as an update that is under way leaves it.
  const plugin = join(home, "plugin.js");
  Deno.copyFileSync(inRepository("npm", "plugin.js"), plugin);
  const run = async (count: number, name: string, ...form: string[]) => {
    const { success, stdout, stderr } = await new Deno.Command(toolPaths().bun, {
      args: [inRepository("tests", "chaos", "plugin_worker.js"), plugin, `${count}`, name, ...form],
      env,
      clearEnv: true,
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    assert.ok(success, text(stderr));
    return { statuses: text(stdout).split("\n"), said: text(stderr) };
  };
  try {
    const store = await open();
    await storePlan(store, simulator.addPlan({ name: "expired" }), -1_000);
    const alone = await run(2, "alone");
    assert.deepEqual(alone.statuses.map((status) => status === "200"), [false, false]);
    assert.match(alone.said, /expired/);

    const spent = simulator.addPlan({ name: "spent" });
    spent.setUsed(300, 100, 3_600_000);
    await storePlan(store, spent);
    await storePlan(store, simulator.addPlan({ name: "good" }));
    assert.deepEqual((await run(3, "three")).statuses, ["200", "200", "200"]);
    const whole = await run(1, "whole", "whole");
    assert.deepEqual(whole.statuses, ["403"]);
    assert.match(JSON.parse(whole.said).error.message, /Restart OpenCode/);

    assert.equal(simulator.tokenCalls.length, 0, "no refresh token has left");
    for (const { alias, setAside } of (await store.load()).accounts) {
      assert.equal(setAside, undefined, alias);
    }
    assert.equal(await store.openRefresh((await store.load()).accounts[0]!.id), undefined);
    await store.close();
  } finally {
    await simulator.close();
    Deno.removeSync(home, { recursive: true });
  }
});
