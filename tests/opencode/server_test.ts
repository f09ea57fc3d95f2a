import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
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
interface Scene {
  readonly simulator: Simulator;
  readonly env: Record<string, string>;
  readonly entries: AuthEntry[];
  readonly toasts: string[];
  readonly input: PluginInput;
  signIn(name: string): Promise<void>;
  aliases(): Promise<string[]>;
  start(): Promise<Hooks>;
}

async function inScene(use: (scene: Scene) => Promise<void>): Promise<void> {
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

async function load(hooks: Hooks, entry: AuthEntry = PLACEHOLDER_ENTRY) {
  return await hooks.auth.loader(() => Promise.resolve(entry), {}) as {
    apiKey?: string;
    fetch?: typeof fetch;
  };
}

async function ask(hooks: Hooks, session: string): Promise<Response> {
  const { fetch: pluginFetch } = await load(hooks);
  assert.ok(pluginFetch);
  return await pluginFetch("https://api.openai.com/v1/responses", {
    method: "POST",
    headers: { "content-type": "application/json", "session-id": session },
    body: JSON.stringify({ model: "gpt-5.5", input: [], stream: true, store: false }),
  });
}

Deno.test("the plugin exports what OpenCode asks for, and nothing else", async () => {
  const module = await import("../../plugin.ts");
  assert.deepEqual(Object.keys(module), ["default"]);
  assert.equal(module.default.id, "opencode-multi-auth");
  assert.equal(typeof module.default.server, "function");
});

Deno.test("the hooks serve openai and offer both logins", async () => {
  await inScene(async ({ start }) => {
    const hooks = await start();
    assert.equal(hooks.auth.provider, "openai");
    assert.deepEqual(hooks.auth.methods.map((method) => [method.type, method.label]), [
      ["oauth", "ChatGPT OAuth (Multi-Account)"],
      ["oauth", "Skip (use existing accounts)"],
    ]);
    for (const hook of ["config", "event", "dispose"] as const) {
      assert.equal(typeof hooks[hook], "function");
    }
  });
});

Deno.test("loading makes no network call and no file but the log", async () => {
  await inScene(async ({ start, simulator, env }) => {
    await load(await start());
    assert.equal(simulator.requests.length + simulator.tokenCalls.length, 0);
    assert.equal(existsSync(resolvePaths(env).accounts), false);
    assert.equal(existsSync(resolvePaths(env).state), false);
  });
});

Deno.test("what getAuth returns may be our own placeholder: it is never stored as an account", async () => {
  await inScene(async ({ start, aliases, entries }) => {
    const { apiKey, fetch } = await load(await start());
    assert.ok(apiKey && typeof fetch === "function");
    assert.deepEqual(await aliases(), []);
    assert.deepEqual(entries, []);
  });
});

Deno.test("an API key of the person's own leaves the built-in provider in charge", async () => {
  await inScene(async ({ start }) => {
    assert.deepEqual(await load(await start(), { type: "api", key: "x" }), {});
  });
});

Deno.test("a login that OpenCode made itself becomes the first account, held by us alone", async () => {
  await inScene(async ({ start, aliases, entries, simulator }) => {
    const plan = simulator.addPlan({ name: "own", email: "you@home.example" });
    const { accessToken, refreshToken, expiresAt } = plan.issueTokens();
    const entry = { type: "oauth", refresh: refreshToken, access: accessToken, expires: expiresAt };
    const hooks = await start();
    await load(hooks, entry);
    assert.deepEqual(await aliases(), ["you"]);
    assert.deepEqual(entries, [PLACEHOLDER_ENTRY]);
    await load(hooks, entry);
    assert.deepEqual(await aliases(), ["you"], "once");
  });
});

Deno.test("beside stored accounts a foreign login is left for the person to decide", async () => {
  await inScene(async ({ start, aliases, signIn, simulator, entries }) => {
    await signIn("personal");
    const { accessToken, refreshToken, expiresAt } = simulator.addPlan({ name: "x" }).issueTokens();
    await load(await start(), {
      type: "oauth",
      refresh: refreshToken,
      access: accessToken,
      expires: expiresAt,
    });
    assert.deepEqual(await aliases(), ["personal"]);
    // The one entry is our own, for the auth.json that was missing.
    assert.deepEqual(entries, [PLACEHOLDER_ENTRY]);
  });
});

Deno.test("no `openai` entry in OpenCode's auth.json: written through OpenCode's own client", async () => {
  await inScene(async ({ start, signIn, entries, env }) => {
    await start();
    assert.deepEqual(entries, [], "not without an account");
    await signIn("personal");
    const folder = join(env["HOME"] ?? "", ".local", "share", "opencode");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "auth.json"), '{"openai":{"type":"api","key":"k"}}');
    await start();
    assert.deepEqual(entries, [], "an entry that is there stays");
    writeFileSync(join(folder, "auth.json"), '{"anthropic":{"type":"api","key":"k"}}');
    await start();
    assert.deepEqual(entries, [PLACEHOLDER_ENTRY]);
  });
});

Deno.test("the loader's fetch serves a request, and dispose flushes what is pending", async () => {
  await inScene(async ({ start, signIn, simulator, env }) => {
    await signIn("personal");
    const hooks = await start();
    const answer = await ask(hooks, "ses_1");
    assert.match(await answer.text(), /served by personal/);
    await hooks.dispose();
    const store = await openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
    const { accounts, figures } = await store.load();
    await store.close();
    assert.equal(figures.get(accounts[0]?.id ?? "")?.uses, 1);
    assert.equal(simulator.plan("personal").served, 1);
    const log = readFileSync(resolvePaths(env).log, "utf8");
    assert.match(log, /opencode-multi-auth-codex \S+ loaded by OpenCode/);
  });
});

Deno.test("a program that ends without dispose still saves its last second", async () => {
  await inScene(async ({ signIn, env, aliases }) => {
    await signIn("personal");
    const program = `
      import { server } from "./src/opencode/server.ts";
      const hooks = await server({});
      const { fetch } = await hooks.auth.loader(() => Promise.resolve({ type: "oauth" }), {});
      const response = await fetch("https://api.openai.com/v1/responses", {
        method: "POST",
        headers: { "content-type": "application/json", "session-id": "s" },
        body: JSON.stringify({ model: "gpt-5.5", input: [], stream: true, store: false }),
      });
      await response.text();
      process.exit(0);`;
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", "--no-lock", program],
      cwd: new URL("../..", import.meta.url),
      env,
    }).output();
    assert.ok(success);
    const store = await openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
    const { figures } = await store.load();
    await store.close();
    assert.deepEqual(await aliases(), ["personal"]);
    assert.deepEqual([...figures.values()].map((one) => one.uses), [1]);
  });
});

Deno.test("a hand-over shows one toast with both names", async () => {
  await inScene(async ({ start, signIn, simulator, toasts }) => {
    await signIn("personal");
    await signIn("work");
    const hooks = await start();
    await (await ask(hooks, "s")).text();
    simulator.plan("personal").setUsed(300, 100, 60_000);
    await (await ask(hooks, "s")).text();
    await (await ask(hooks, "s")).text();
    assert.deepEqual(toasts, ["personal hands over to work"]);
  });
});

Deno.test("a login from inside OpenCode stores the account and gives OpenCode the placeholder", async () => {
  await inScene(async ({ start, aliases, simulator }) => {
    simulator.addPlan({ name: "work" });
    const [method] = (await start()).auth.methods;
    const login = await method!.authorize({ alias: "work" });
    assert.equal(login.method, "auto");
    assert.match(login.url, /\/oauth\/authorize\?/);
    await (await fetch(login.url)).body?.cancel();
    const result = await (login.callback as () => Promise<unknown>)();
    assert.deepEqual(result, { ...PLACEHOLDER_ENTRY, type: "success" });
    assert.deepEqual(await aliases(), ["work"]);
  });
});

Deno.test("a refused login from inside OpenCode fails without a word on the terminal", async () => {
  await inScene(async ({ start, aliases, simulator }) => {
    simulator.addPlan({ name: "work" });
    simulator.approveNext({ refuse: "access_denied" });
    const login = await (await start()).auth.methods[0]!.authorize({ alias: "work" });
    await (await fetch(login.url)).body?.cancel();
    const result = await (login.callback as () => Promise<unknown>)();
    assert.deepEqual(result, { type: "failed" });
    assert.deepEqual(await aliases(), []);
  });
});

Deno.test("Skip gives OpenCode the placeholder", async () => {
  await inScene(async ({ start }) => {
    const login = await (await start()).auth.methods[1]!.authorize();
    const result = await (login.callback as () => Promise<unknown>)();
    assert.deepEqual(result, { ...PLACEHOLDER_ENTRY, type: "success" });
  });
});

Deno.test("`server()` returns undefined, a hook throws, an `event` hook rejects: never", async () => {
  await inScene(async ({ env }) => {
    const broken: PluginInput = {
      client: {
        auth: { set: () => Promise.reject(new Error("no")) },
        tui: { showToast: () => Promise.reject(new Error("no")) },
      },
    };
    mkdirSync(env["OPENCODE_MULTI_AUTH_STORE_DIR"] ?? "", { recursive: true });
    writeFileSync(resolvePaths(env).accounts, "{broken");
    const hooks = await server(broken, env);
    await hooks.config({ plugin: [["x", {}], "opencode-openai-codex-auth"] });
    await hooks.config({});
    await hooks.event({ event: { type: "session.idle" } });
    const loaded = await hooks.auth.loader(() => Promise.reject(new Error("no auth")), {});
    const answer = await (loaded["fetch"] as typeof fetch)("https://api.openai.com/v1/responses", {
      method: "POST",
      body: "{}",
    });
    assert.equal(answer.status, 403);
    const { error } = await answer.json();
    assert.ok(error.message.includes("accounts.json"), error.message);
    assert.equal(readFileSync(resolvePaths(env).accounts, "utf8"), "{broken");
    await hooks.dispose();
  });
});

Deno.test("an address override that tokens must not go to is refused in one line", async () => {
  await inScene(async ({ env, input }) => {
    const hooks = await server(input, {
      ...env,
      OPENCODE_MULTI_AUTH_BACKEND_URL: "http://evil.example",
    });
    const answer = await ask(hooks, "s");
    assert.equal(answer.status, 403);
    const { error } = await answer.json();
    assert.match(error.message, /OPENCODE_MULTI_AUTH_BACKEND_URL/);
    await hooks.dispose();
  });
});

Deno.test("nothing is ever printed to OpenCode's terminal", async () => {
  const program = `
    import { server } from "./src/opencode/server.ts";
    const hooks = await server({}, { HOME: ${JSON.stringify("HOME_FOLDER")} });
    const { fetch } = await hooks.auth.loader(() => Promise.resolve({ type: "oauth" }), {});
    await fetch("https://api.openai.com/v1/responses", { method: "POST", body: "{}" });
    await hooks.dispose();`;
  const home = Deno.makeTempDirSync();
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-lock", program.replace("HOME_FOLDER", home)],
    cwd: new URL("../..", import.meta.url),
  }).output();
  Deno.removeSync(home, { recursive: true });
  assert.equal(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr), "");
  assert.ok(success);
});
