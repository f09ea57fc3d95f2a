import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PLACEHOLDER_ENTRY } from "../../src/opencode/placeholder.ts";
import { inScene, load } from "./server_scene.ts";

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
