import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Hooks, PluginInput } from "../../src/opencode/host.ts";
import { createNotifications } from "../../src/opencode/notifications.ts";
import { PLACEHOLDER_ENTRY } from "../../src/opencode/placeholder.ts";
import { server } from "../../src/opencode/server.ts";
import { silentLog } from "../../src/platform/log.ts";
import { type Environment, resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { type NtfyServer, startNtfy } from "../notify/stubs.ts";
import { storePlan } from "../simulated_account.ts";
import { type SimulatedPlan, type Simulator, startSimulator } from "../simulator/simulator.ts";
import { VirtualClock } from "../virtual_clock.ts";

const HOUR = 3_600_000;
const TOKEN = "tk_averysecrettoken";

interface Scene {
  readonly env: Environment;
  readonly simulator: Simulator;
  readonly ntfy: NtfyServer;
  /** Starts the plugin, as one of several OpenCodes does. */
  start(input?: PluginInput): Promise<Hooks>;
  signIn(name: string): Promise<SimulatedPlan>;
  /** What has arrived, first lines only, sorted. */
  told(count: number): Promise<string[]>;
  log(): string;
}

async function inScene(
  use: (scene: Scene) => Promise<void>,
  options: { answer?: () => number | "never"; settings?: object; env?: Environment } = {},
): Promise<void> {
  const home = Deno.makeTempDirSync({ prefix: "notifications-" });
  const simulator = await startSimulator();
  await using ntfy = startNtfy(options.answer);
  const env = {
    HOME: home,
    PATH: "",
    OPENCODE_MULTI_AUTH_STORE_DIR: join(home, "store"),
    OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
    OPENCODE_MULTI_AUTH_REFRESH_GAP_MS: "0",
    OPENCODE_MULTI_AUTH_NOTIFY_NTFY_URL: ntfy.url,
    OPENCODE_MULTI_AUTH_NOTIFY_NTFY_TOKEN: TOKEN,
    ...options.env,
  };
  const paths = resolvePaths(env);
  const started: Hooks[] = [];
  try {
    if (options.settings) {
      Deno.mkdirSync(paths.folder, { recursive: true });
      Deno.writeTextFileSync(paths.settings, JSON.stringify(options.settings));
    }
    await use({
      env,
      simulator,
      ntfy,
      async start(input = {}) {
        const hooks = await server(input, env);
        started.push(hooks);
        return hooks;
      },
      async signIn(name) {
        const plan = simulator.addPlan({ name });
        const store = await openLocalStore({ paths, env });
        await storePlan(store, plan);
        await store.close();
        return plan;
      },
      told: async (count) =>
        (await ntfy.arrived(count)).map(({ body }) => body.split("\n")[0] ?? "").sort(),
      log: () => readFileSync(paths.log, "utf8"),
    });
  } finally {
    for (const hooks of started) await hooks.dispose();
    await simulator.close();
    Deno.removeSync(home, { recursive: true });
  }
}

async function ask(hooks: Hooks, session: string): Promise<void> {
  const loaded = await hooks.auth.loader(() => Promise.resolve({ ...PLACEHOLDER_ENTRY }), {});
  const answer = await (loaded["fetch"] as typeof fetch)("https://api.openai.com/v1/responses", {
    method: "POST",
    headers: { "content-type": "application/json", "session-id": session },
    body: JSON.stringify({ model: "gpt-5.5", input: [], stream: true, store: false }),
  });
  await answer.text();
}

/** A turn of a session, as OpenCode's events tell it; its end comes twice. */
async function turn(hooks: Hooks, id: string): Promise<void> {
  const status = (type: string) => ({
    event: { type: "session.status", properties: { sessionID: id, status: { type } } },
  });
  await hooks.event(status("busy"));
  for (let times = 0; times < 2; times++) {
    await hooks.event(status("idle"));
    await hooks.event({ event: { type: "session.idle", properties: { sessionID: id } } });
  }
}

Deno.test("the plugin tells a session's end once, with the title that OpenCode gives", async () => {
  await inScene(async ({ start, told, ntfy, log }) => {
    const hooks = await start({
      client: {
        session: { get: ({ path }) => Promise.resolve({ data: { title: `Title of ${path.id}` } }) },
      },
    });
    await turn(hooks, "ses_1");
    assert.deepEqual(await told(1), ["Session idle: Title of ses_1"]);
    await hooks.dispose();
    assert.equal(ntfy.received.length, 1);
    assert.ok(!log().includes(TOKEN) && !log().includes("my-topic"), log());
  });
});

Deno.test("sessions of sub-agents are quiet", async () => {
  await inScene(async ({ start, told, ntfy }) => {
    const hooks = await start();
    const info = { id: "child", title: "Child", parentID: "ses_1" };
    await hooks.event({ event: { type: "session.created", properties: { info } } });
    await turn(hooks, "child");
    await turn(hooks, "ses_1");
    assert.deepEqual(await told(1), ["Session idle: ses_1"]);
    await hooks.dispose();
    assert.equal(ntfy.received.length, 1);
  });
});

Deno.test("settings decide what is told", async () => {
  await inScene(async ({ start, told }) => {
    const hooks = await start();
    await turn(hooks, "ses_1");
    const error = { name: "APIError", data: { message: "no" } };
    await hooks.event({ event: { type: "session.error", properties: { sessionID: "b", error } } });
    assert.deepEqual(await told(1), ["Session error: b"]);
  }, { settings: { notifyAbout: ["error"] } });
});

Deno.test("a variable that cannot be costs no other setting, and is one line in the log", async () => {
  await inScene(async ({ start, signIn, told, log }) => {
    const hooks = await start();
    await turn(hooks, "ses_1");
    const error = { name: "APIError", data: { message: "no" } };
    await hooks.event({ event: { type: "session.error", properties: { sessionID: "b", error } } });
    assert.deepEqual(await told(1), ["Session error: b"]);
    await signIn("work");
    await ask(hooks, "s1");
    await hooks.dispose();
    const said =
      /\[error\] \S+_NOTIFY_UI_BASE_URL must be the address of OpenCode's web interface/g;
    assert.equal([...log().matchAll(said)].length, 1, log());
  }, {
    settings: { notifyAbout: ["error"] },
    env: { OPENCODE_MULTI_AUTH_NOTIFY_UI_BASE_URL: "oc.example" },
  });
});

Deno.test("what happens to accounts is told once by two OpenCodes", async () => {
  await inScene(async ({ start, signIn, told, ntfy }) => {
    const work = await signIn("work");
    const [a, b] = [await start(), await start()];
    work.setUsed(300, 83, 2 * HOUR);
    await ask(a, "s1");
    await ask(b, "s2");
    assert.match((await told(1))[0] ?? "", /^work: 83 % of the 5-hour window used/);
    work.setUsed(300, 100, 2 * HOUR);
    await ask(a, "s1");
    await ask(b, "s2");
    await ask(a, "s3");
    const all = await told(3);
    assert.match(all[0] ?? "", /^No ChatGPT account can serve now: work at its limit/);
    assert.match(all[2] ?? "", /^work: usage limit reached, back (at|on) /);
    await a.dispose();
    await b.dispose();
    assert.equal(ntfy.received.length, 3);
  });
});

Deno.test("an account that needs its person is told, inside OpenCode too", async () => {
  await inScene(async ({ start, signIn, told, simulator }) => {
    const work = await signIn("work");
    work.invalidateAccessTokens();
    work.revokeRefreshTokens();
    const toasts: string[] = [];
    const showToast = ({ body }: { body: { variant: string; message: string } }) =>
      Promise.resolve(void toasts.push(`${body.variant}: ${body.message}`));
    const hooks = await start({ client: { tui: { showToast } } });
    await ask(hooks, "s1");
    assert.equal(toasts[0], "warning: work needs login: opencode-multi-auth add work");
    const all = await told(2);
    assert.ok(all.includes("work: needs login"), all.join("\n"));
    assert.ok(simulator.requests.length > 0);
  });
});

Deno.test("a pool that has nobody is told, and that it is back", async () => {
  await inScene(async ({ start, signIn, told }) => {
    const work = await signIn("work");
    work.setUsed(300, 100, 4_000);
    const hooks = await start();
    await ask(hooks, "s1");
    const [empty, back] = await told(2);
    assert.match(empty ?? "", /^No ChatGPT account can serve now: work at its limit/);
    assert.equal(back, "work can serve again");
  }, { settings: { notifyAbout: ["exhausted", "back"] } });
});

const WEEK = 10_080;

Deno.test("quota that expires unused is told to who asks for it", async () => {
  await inScene(async ({ start, signIn, told }) => {
    const work = await signIn("work");
    work.setUsed(WEEK, 40, 5 * HOUR);
    const hooks = await start();
    await ask(hooks, "s1");
    await turn(hooks, "ses_1");
    assert.match((await told(1))[0] ?? "", /^work: 60 % of the weekly window expires unused /);
  }, { settings: { notifyAbout: ["expiring"] } });
  await inScene(async ({ start, signIn, told, ntfy }) => {
    const work = await signIn("work");
    work.setUsed(WEEK, 40, 5 * HOUR);
    const hooks = await start();
    await ask(hooks, "s1");
    await turn(hooks, "ses_1");
    assert.deepEqual(await told(1), ["Session idle: ses_1"]);
    await hooks.dispose();
    assert.equal(ntfy.received.length, 1);
  });
});

Deno.test("no event waits for a notification, and the end waits for less than a second", async () => {
  await inScene(async ({ env, ntfy }) => {
    const clock = new VirtualClock();
    const input = { client: { session: { get: () => new Promise<never>(() => {}) } } };
    const options = { input, env, clock, log: silentLog, client: () => undefined };
    const notifications = createNotifications(options);
    const properties = { sessionID: "ses_1" };
    notifications.session({
      type: "session.status",
      properties: { ...properties, status: { type: "busy" } },
    });
    assert.equal(notifications.session({ type: "session.idle", properties }), undefined);
    // The title is asked for half a second at most.
    await clock.advance(500);
    await ntfy.arrived(1);
    let over = false;
    void notifications.close().then(() => over = true);
    await clock.advance(700);
    assert.equal(over, false);
    await clock.advance(299);
    assert.equal(over, true);
  }, { answer: () => "never" });
});

Deno.test("`dispose` sends what is under way, and lets go of a server that hangs within a second", async () => {
  await inScene(async ({ start, ntfy, log }) => {
    const hooks = await start();
    await turn(hooks, "ses_1");
    const before = performance.now();
    await hooks.dispose();
    // Alone, the request would be given up after ten seconds.
    assert.ok(performance.now() - before < 5_000);
    assert.equal(ntfy.received.length, 1);
    assert.match(log(), /notification \(idle\): ntfy was under way when OpenCode ended/);
  }, { answer: () => "never" });
});
