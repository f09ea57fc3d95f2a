import assert from "node:assert/strict";
import { join } from "node:path";
import { inRepository } from "../../scripts/repository.ts";
import { toolPaths } from "../../scripts/tools.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { type LocalStore, openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";

/** What lies on a disk from which an update takes the plugin's files away. */
interface Scene {
  readonly simulator: Simulator;
  readonly store: LocalStore;
  readonly folder: string;
  /** Sends requests in a process of its own. */
  run(
    count: number,
    name: string,
    ...form: string[]
  ): Promise<{ statuses: string[]; said: string }>;
  /** Runs a program in the runtime that OpenCode is made with. */
  evaluate(program: string): Promise<string>;
}

/** Sets a scene with some of the package's files. */
async function withFiles(
  files: readonly string[],
  use: (scene: Scene) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "late-" });
  const simulator = await startSimulator({ keepAlive: false });
  const env = {
    HOME: folder,
    OPENCODE_MULTI_AUTH_STORE_DIR: join(folder, "store"),
    OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
  };
  for (const file of files) Deno.copyFileSync(inRepository("npm", file), join(folder, file));
  const bun = async (...args: string[]) => {
    const { success, stdout, stderr } = await new Deno.Command(toolPaths().bun, {
      args,
      env,
      clearEnv: true,
      stdin: "null",
      signal: AbortSignal.timeout(60_000),
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    assert.ok(success, text(stderr));
    return { printed: text(stdout), said: text(stderr) };
  };
  const store = await openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
  try {
    await use({
      simulator,
      store,
      folder,
      async run(count, name, ...form) {
        const worker = inRepository("tests", "chaos", "plugin_worker.js");
        const plugin = join(folder, "plugin.js");
        const { printed, said } = await bun(worker, plugin, `${count}`, name, ...form);
        return { statuses: printed.split("\n"), said };
      },
      evaluate: async (program) => (await bun("-e", program)).printed,
    });
    assert.equal(simulator.tokenCalls.length, 0, "no refresh token has left");
    for (const { alias, setAside } of (await store.load()).accounts) {
      assert.equal(setAside, undefined, alias);
    }
  } finally {
    await store.close();
    await simulator.close();
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("the plugin is updated while OpenCode runs and later.js is gone: no token is lost, who can serve serves", () =>
  withFiles(["plugin.js", "client.js"], async ({ simulator, store, run }) => {
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
    assert.equal(await store.openRefresh((await store.load()).accounts[0]!.id), undefined);
  }));

Deno.test("client.js is gone before the plugin has loaded it: the answer says to restart OpenCode", () =>
  withFiles(["plugin.js"], async ({ simulator, store, run }) => {
    await storePlan(store, simulator.addPlan({ name: "good" }));
    const { statuses, said } = await run(1, "alone");
    assert.deepEqual(statuses, ["403"]);
    assert.match(JSON.parse(said).error.message, /Restart OpenCode/);
  }));

Deno.test("client.js is loaded when OpenCode takes the fetch, so that an update before the first request takes nothing away", () =>
  withFiles(["plugin.js", "client.js"], async ({ simulator, store, folder, evaluate }) => {
    await storePlan(store, simulator.addPlan({ name: "good" }));
    const client = join(folder, "client.js");
    Deno.writeTextFileSync(client, "\nglobalThis.onClient();", { append: true });
    const status = await evaluate(`
      const loaded = new Promise((resolve) => globalThis.onClient = resolve);
      const { default: { server } } = await import(${JSON.stringify(join(folder, "plugin.js"))});
      const { auth, dispose } = await server({});
      const entry = { type: "oauth", refresh: "opencode-multi-auth", access: "-", expires: 9e15 };
      const { fetch } = await auth.loader(() => Promise.resolve(entry), {});
      await loaded;
      require("node:fs").unlinkSync(${JSON.stringify(client)});
      const { status } = await fetch("https://api.openai.com/v1/responses", {
        method: "POST",
        headers: { "content-type": "application/json", "session-id": "first" },
        body: JSON.stringify({ model: "gpt-5.5", input: [], store: false, stream: true }),
      });
      console.log(status);
      await dispose();
      process.exit(0);
    `);
    assert.equal(status, "200");
  }));
