import assert from "node:assert/strict";
import { join } from "node:path";
import { PLACEHOLDER_ENTRY } from "../../src/opencode/placeholder.ts";
import type { AuthEntry, Hooks, PluginInput } from "../../src/opencode/host.ts";
import { server } from "../../src/opencode/server.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";

/** A plugin as OpenCode would hold it, with a simulated backend behind it. */
export interface Scene {
  readonly simulator: Simulator;
  readonly env: Record<string, string>;
  readonly entries: AuthEntry[];
  readonly toasts: string[];
  readonly input: PluginInput;
  signIn(name: string): Promise<void>;
  aliases(): Promise<string[]>;
  start(): Promise<Hooks>;
}

/** Makes one, with a home folder of its own, and clears up behind it. */
export async function inScene(use: (scene: Scene) => Promise<void>): Promise<void> {
  const home = Deno.makeTempDirSync({ prefix: "plugin-" });
  const simulator = await startSimulator();
  const env = {
    HOME: home,
    OPENCODE_MULTI_AUTH_STORE_DIR: join(home, "store"),
    OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
    OPENCODE_MULTI_AUTH_REFRESH_GAP_MS: "0",
  };
  const entries: AuthEntry[] = [];
  const toasts: string[] = [];
  const started: Hooks[] = [];
  const open = () => openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
  try {
    const input: PluginInput = {
      client: {
        auth: {
          set: ({ path, body }) => {
            assert.equal(path.id, "openai");
            entries.push(body);
            return Promise.resolve();
          },
        },
        tui: {
          showToast: ({ body }) => {
            toasts.push(body.message);
            return Promise.resolve();
          },
        },
      },
    };
    await use({
      simulator,
      env,
      entries,
      toasts,
      input,
      async signIn(name) {
        const store = await open();
        await storePlan(store, simulator.addPlan({ name }));
        await store.close();
      },
      async aliases() {
        const store = await open();
        const { accounts } = await store.load();
        await store.close();
        return accounts.map((account) => account.alias);
      },
      async start() {
        const hooks = await server(input, env);
        started.push(hooks);
        return hooks;
      },
    });
  } finally {
    for (const hooks of started) await hooks.dispose();
    await simulator.close();
    Deno.removeSync(home, { recursive: true });
  }
}

/** What OpenCode gets from the plugin's loader. */
export async function load(hooks: Hooks, entry: AuthEntry = PLACEHOLDER_ENTRY) {
  return await hooks.auth.loader(() => Promise.resolve(entry), {}) as {
    apiKey?: string;
    fetch?: typeof fetch;
  };
}

/** One turn of a session, as OpenCode asks for it. */
export async function ask(hooks: Hooks, session: string): Promise<Response> {
  const { fetch: pluginFetch } = await load(hooks);
  assert.ok(pluginFetch);
  return await pluginFetch("https://api.openai.com/v1/responses", {
    method: "POST",
    headers: { "content-type": "application/json", "session-id": session },
    body: JSON.stringify({ model: "gpt-5.5", input: [], stream: true, store: false }),
  });
}
