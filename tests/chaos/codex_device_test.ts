/**
 * The login that the plugin and the Codex CLI share, under sudden deaths: the plugin as it is
 * released renews it with every request, in the runtime that OpenCode brings.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { inRepository } from "../../scripts/repository.ts";
import { toolPaths } from "../../scripts/tools.ts";
import { codexDevice } from "../../src/codex_cli/codex_device.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import { startSimulator } from "../simulator/simulator.ts";

const KILLS = Deno.env.get("OPENCODE_MULTI_AUTH_CHAOS") === "long" ? 200 : 16;
/** Shorter than the margin in which a token is renewed, so that every request renews it. */
const ALWAYS_EXPIRING_MS = 240_000;

Deno.test("kill -9 at any moment: the Codex CLI's file is whole, and the next look gives it what it is owed", async () => {
  const home = Deno.makeTempDirSync({ prefix: "chaos-" });
  await using simulator = await startSimulator({ keepAlive: false });
  const env = {
    HOME: home,
    PATH: "/usr/local/bin:/usr/bin:/bin",
    OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
    OPENCODE_MULTI_AUTH_REFRESH_GAP_MS: "0",
  };
  const plan = simulator.addPlan({ name: "shared", accessTokenLifetimeMs: ALWAYS_EXPIRING_MS });
  const file = join(home, ".codex", "auth.json");
  const inFile = () => JSON.parse(Deno.readTextFileSync(file));
  const open = async () => {
    const store = await openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
    const device = codexDevice({ store, env, issuer: simulator.issuerUrl });
    return { store, device, account: async () => (await store.load()).accounts[0]! };
  };
  const seen = { healed: 0, interrupted: 0, inStep: 0 };
  try {
    const first = await open();
    await first.device.switchTo(await storePlan(first.store, plan));
    await first.store.close();
    let random = 4_711;
    const next = (limit: number) => {
      random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
      return random % limit;
    };
    const until = async (happened: () => boolean) => {
      while (!happened()) await new Promise((done) => setTimeout(done, 1));
    };
    const changed = (path: string) => {
      const { ino } = Deno.statSync(path);
      return until(() => Deno.statSync(path).ino !== ino);
    };
    const exchanged = () => {
      const calls = simulator.tokenCalls.length;
      return until(() => simulator.tokenCalls.length > calls);
    };
    const step = [
      exchanged,
      () => changed(resolvePaths(env).accounts),
      () => changed(file),
      async () => {
        await exchanged();
        await new Promise((done) => setTimeout(done, next(300)));
      },
    ];
    for (let round = 0; round < KILLS; round++) {
      const worker = new Deno.Command(toolPaths().bun, {
        args: [
          inRepository("tests", "chaos", "plugin_worker.js"),
          inRepository("npm", "plugin.js"),
          "0",
          `round-${round}`,
        ],
        env,
        clearEnv: true,
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      // It renews again and again; the kill comes right after one of the three steps, or somewhere.
      await step[round % step.length]?.();
      worker.kill("SIGKILL");
      await worker.status;

      const { store, device, account } = await open();
      const left = inFile().tokens.refresh_token;
      const before = await account();
      if (await store.openRefresh(before.id) !== undefined) {
        // The only copy of the newest tokens died with the process; the person signs in again.
        seen.interrupted++;
        await device.switchTo(await storePlan(store, plan));
      } else if (left === before.credentials.refreshToken) {
        seen.inStep++;
      } else {
        const outcome = await device.sync();
        assert.equal(outcome.kind, "updated", outcome.text);
        seen.healed++;
      }
      const { credentials } = await account();
      assert.equal(inFile().tokens.refresh_token, credentials.refreshToken, `round ${round}`);
      assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
      await store.close();
    }
    const refused = simulator.tokenCalls.filter(({ ok }) => !ok).length;
    console.log(
      `  ${KILLS} kills: ${seen.inStep} in step, ${seen.healed} healed, ` +
        `${seen.interrupted} interrupted, ${refused} tokens sent twice`,
    );
    assert.equal(refused, 0);
    assert.ok(seen.interrupted > 0, "some kill met the moment between exchange and save");
    assert.ok(seen.healed > 0, "some kill met the moment between our store and Codex's file");
    assert.ok(seen.inStep > 0, "some kill came after both");
  } finally {
    Deno.removeSync(home, { recursive: true });
  }
});
