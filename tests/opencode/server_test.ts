import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { PluginInput } from "../../src/opencode/host.ts";
import { server } from "../../src/opencode/server.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { ask, inScene, load } from "./server_scene.ts";

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
