import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "../../src/codex/client.ts";
import type { LimitSource } from "../../src/limits/limit_queue.ts";
import { createQuestion, type QuestionEnd } from "../../src/limits/question.ts";
import { type LimitAnswer, limitSources, type SourceName } from "../../src/limits/sources.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { type LocalStore, openLocalStore } from "../../src/store/local.ts";
import { readHistories } from "../../src/store/histories.ts";
import { readPlanExtras } from "../../src/store/plan_extras.ts";
import { storePlan } from "../simulated_account.ts";
import { fixture } from "../cli/session.ts";
import { type SimulatedPlan, type Simulator, startSimulator } from "../simulator/simulator.ts";

const MINUTE = 60_000;

/** A machine with one account, a simulated backend, and scripted answers of the Codex CLI. */
interface Scene {
  readonly simulator: Simulator;
  readonly plan: SimulatedPlan;
  readonly client: Client;
  readonly store: LocalStore;
  readonly id: string;
  /** What the Codex CLI answers by source; taken in turn. */
  readonly codex: Record<"app-server" | "exec", LimitAnswer[]>;
  /** Sources that were asked, with the access token they were given. */
  readonly asked: { source: SourceName; token: string }[];
  ask(source?: LimitSource): Promise<QuestionEnd>;
}

async function onMachine(
  work: (scene: Scene) => Promise<void>,
  { lifeMs = 10 * 86_400_000, offline = false } = {},
): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "limits-question-"));
  const simulator = await startSimulator({ keepAlive: false });
  const env = {
    HOME: home,
    OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
    OPENCODE_MULTI_AUTH_REFRESH_GAP_MS: "0",
  };
  const store = await openLocalStore({ paths: resolvePaths(env), env });
  const plan = simulator.addPlan({
    name: "work",
    windows: [{ minutes: 300, usedPercent: 40, resetsInMs: 120 * MINUTE }, {
      minutes: 10_080,
      usedPercent: 12,
    }],
  });
  const { id } = await storePlan(store, plan, lifeMs);
  const client = await createClient({ env });
  const asked: Scene["asked"] = [];
  const codex: Scene["codex"] = { "app-server": [], exec: [] };
  const none: LimitAnswer = { kind: "failed", cause: "No Codex.", fix: "Install it." };
  const { usage } = limitSources({
    env,
    folder: home,
    fetch: offline ? () => Promise.reject(new TypeError("fetch failed")) : fetch,
    backend: simulator.backendUrl,
    clock: systemClock,
    aliases: () => ["work"],
    sealed: () => false,
  });
  const noted = (source: SourceName, answer: typeof usage): typeof usage => (account, signal) => {
    asked.push({ source, token: account.credentials.accessToken });
    return answer(account, signal);
  };
  const question = createQuestion({
    sources: {
      usage: noted("usage", usage),
      "app-server": noted(
        "app-server",
        () => Promise.resolve(codex["app-server"].shift() ?? none),
      ),
      exec: noted("exec", () => Promise.resolve(codex.exec.shift() ?? none)),
    },
    pool: client.pool,
    refresher: client.refresher,
    store,
    clock: systemClock,
    log: silentLog,
  });
  try {
    const ask = (source: LimitSource = "auto") =>
      question(id, source, new AbortController().signal);
    await work({ simulator, plan, client, store, id, codex, asked, ask });
  } finally {
    await client.close();
    await store.close();
    await simulator.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function windowsOf({ client, store, id }: Scene): Promise<string[]> {
  await client.store.flush();
  return ((await store.load()).figures.get(id)?.windows ?? []).map(
    ({ bucket, minutes, usedPercent }) => `${bucket} ${minutes} ${usedPercent}`,
  );
}

/** Figures as the Codex CLI would bring them. */
function figures(usedPercent: number, askedAt = Date.now()): LimitAnswer {
  const window = {
    bucket: "codex",
    minutes: 300,
    usedPercent,
    resetsAt: askedAt + 60 * MINUTE,
    observedAt: askedAt,
  };
  return { kind: "read", usage: { windows: [window], buckets: [{ bucket: "codex" }] }, askedAt };
}

Deno.test("limits: the usage endpoint's figures are those of the account from then on", () =>
  onMachine(async (scene) => {
    assert.deepEqual(await scene.ask("usage"), { kind: "answered", source: "usage" });
    assert.deepEqual(await windowsOf(scene), ["codex 300 40", "codex 10080 12"]);
    assert.equal((await readHistories(scene.store)).get(scene.id)?.length, 2);
  }));

Deno.test("limits: auto asks the cheapest first and no further than needed", () =>
  onMachine(async (scene) => {
    await scene.ask();
    assert.deepEqual(scene.asked.map(({ source }) => source), ["usage"]);
  }));

Deno.test("limits: auto goes on to the Codex CLI, and to a real request last", () =>
  onMachine(async (scene) => {
    for (const on of ["wham/usage", "codex/usage"] as const) {
      scene.simulator.fail({ kind: "status", status: 403 }, 9, on);
    }
    scene.codex.exec.push(figures(77));
    assert.deepEqual(await scene.ask(), { kind: "answered", source: "exec" });
    assert.deepEqual(scene.asked.map(({ source }) => source), ["usage", "app-server", "exec"]);
    assert.deepEqual(await windowsOf(scene), ["codex 300 77"]);
  }));

Deno.test("limits: auto that fails says why each way did, and advises none that was tried", () =>
  onMachine(async (scene) => {
    scene.simulator.fail({ kind: "status", status: 500 }, 9, "wham/usage");
    const usage = "usage: The usage endpoint gave no figures (status 500). Try again later.";
    const failed = (cause: string, fix: string) => ({ kind: "failed", cause, fix }) as const;
    const missing = failed("No Codex.", "Install it, or ask with --source usage.");
    const mute = failed("No figures.", "Ask with --source usage, or with --source app-server.");
    scene.codex["app-server"].push(missing, failed("Slow.", "Look; or ask with --source usage."));
    scene.codex.exec.push(missing, mute);
    const said = async () => Object.entries(await scene.ask())[1]?.[1];
    assert.equal(await said(), `${usage} app-server, exec: No Codex. Install it.`);
    assert.equal(await said(), `${usage} app-server: Slow. Look. exec: No figures.`);
  }));

Deno.test("limits: 403 from the usage endpoint says nothing about the account", () =>
  onMachine(async (scene) => {
    for (const on of ["wham/usage", "codex/usage"] as const) {
      scene.simulator.fail({ kind: "status", status: 403 }, 1, on);
    }
    const end = await scene.ask("usage");
    assert.equal(end.kind, "failed");
    if (end.kind !== "failed") return;
    assert.match(end.error, /^The usage endpoint gave no figures \(status 403\)\. .*app-server/);
    assert.equal(end.careful, false);
    const account = (await scene.store.load()).accounts[0];
    assert.equal(account?.setAside, undefined);
    assert.equal(scene.simulator.tokenCalls.length, 0);
  }));

Deno.test("limits: the other spelling of the usage endpoint is asked where the first is refused", () =>
  onMachine(async (scene) => {
    scene.simulator.fail({ kind: "status", status: 403 }, 1, "wham/usage");
    assert.equal((await scene.ask("usage")).kind, "answered");
    assert.deepEqual(scene.simulator.requests.map(({ path }) => path), [
      "/backend-api/wham/usage",
      "/backend-api/codex/usage",
    ]);
  }));

Deno.test("limits: without a network nobody is sent on the dearest way", () =>
  onMachine(async (scene) => {
    const end = await scene.ask();
    assert.equal(end.kind, "failed");
    assert.deepEqual(scene.asked.map(({ source }) => source), ["usage"]);
    if (end.kind === "failed") assert.match(end.error, /fetch failed.*reaches chatgpt\.com/);
  }, { offline: true }));

Deno.test("limits: a token near its end is renewed before the question", () =>
  onMachine(async (scene) => {
    scene.codex["app-server"].push(figures(50));
    await scene.ask("app-server");
    assert.equal(scene.simulator.tokenCalls.length, 1);
    const { credentials } = (await scene.store.load()).accounts[0] ?? {};
    assert.equal(scene.asked[0]?.token, credentials?.accessToken);
  }, { lifeMs: MINUTE }));

Deno.test("limits: a refused token is renewed once and the question asked again", () =>
  onMachine(async (scene) => {
    scene.plan.invalidateAccessTokens();
    assert.equal((await scene.ask("usage")).kind, "answered");
    assert.equal(scene.simulator.tokenCalls.length, 1);
    // The Codex CLI does not renew: it is the same there.
    scene.codex["app-server"].push({ kind: "unauthorized" }, figures(60));
    assert.equal((await scene.ask("app-server")).kind, "answered");
    const tokens = scene.asked.map(({ token }) => token);
    assert.equal(new Set(tokens).size, 3);
  }));

Deno.test("limits: refused for good, the account is set aside and its error names the fix", () =>
  onMachine(async (scene) => {
    scene.plan.invalidateAccessTokens();
    scene.plan.revokeRefreshTokens();
    const end = await scene.ask("usage");
    assert.deepEqual(end, {
      kind: "failed",
      error: "It needs login. Sign in: opencode-multi-auth add work",
      careful: true,
    });
    assert.equal((await scene.store.load()).accounts[0]?.setAside?.reason, "needs login");
    const again = await scene.ask("usage");
    assert.equal(again.kind === "failed" && again.careful, false);
    assert.equal(scene.asked.length, 1, "a dead token was shown again");
  }));

Deno.test("limits: figures below 100 % lift an older limit, figures older than it do not", () =>
  onMachine(async (scene) => {
    const { client, store, id } = scene;
    await client.pool.refresh();
    const since = Date.now();
    const block = {
      subject: accountSubject(id),
      model: "",
      reason: "usage limit" as const,
      until: since + 60 * MINUTE,
      source: "body" as const,
      since,
    };
    await client.pool.block(block);
    scene.codex.exec.push(figures(10, since - 5_000));
    await scene.ask("exec");
    assert.equal((await store.load()).blocks.length, 1);
    scene.codex.exec.push(figures(20, since + 1));
    await scene.ask("exec");
    assert.equal((await store.load()).blocks.length, 0);
  }));

Deno.test("limits: figures of 100 % keep the account back until the reset", () =>
  onMachine(async (scene) => {
    scene.plan.setUsed(300, 100);
    await scene.ask("usage");
    const [block] = (await scene.store.load()).blocks;
    assert.equal(block?.reason, "usage limit");
    assert.ok(Math.abs((block?.until ?? 0) - Date.now() - 120 * MINUTE) < 10_000);
  }));

Deno.test("limits: reset credits, paid credits, models' buckets and a changed plan are kept", () =>
  onMachine(async (scene) => {
    const known = JSON.parse(fixture("codex/usage.json"));
    const body = Object.values(known).map((row) => (row as { body?: unknown }).body ?? row)
      .find((row) => JSON.stringify(row).includes("codex_bengalfox"));
    assert.ok(body, "the fixture with a model's bucket");
    const text = JSON.stringify({
      ...body as object,
      plan_type: "pro",
      rate_limit_reset_credits: { available_count: 2 },
      credits: { has_credits: true, unlimited: false, balance: "5.00" },
    });
    scene.simulator.fail({ kind: "status", status: 200, body: text }, 1, "wham/usage");
    await scene.ask("usage");
    const extras = (await readPlanExtras(scene.store)).get(scene.id);
    assert.equal(extras?.resetCredits, 2);
    assert.equal(extras?.credits?.balance, "5.00");
    assert.ok(extras?.bucketNames?.["codex_bengalfox"]);
    assert.equal((await scene.store.load()).accounts[0]?.plan, "pro");
    assert.ok((await windowsOf(scene)).some((window) => window.startsWith("codex_bengalfox")));
    // What a poorer answer leaves out stays as it was known.
    scene.codex.exec.push(figures(50));
    await scene.ask("exec");
    assert.equal((await readPlanExtras(scene.store)).get(scene.id)?.resetCredits, 2);
    await scene.store.remove(scene.id);
    assert.equal((await readPlanExtras(scene.store)).size, 0);
  }));

Deno.test("limits: an account that is gone, or set aside, is not asked", () =>
  onMachine(async (scene) => {
    await scene.store.edit(scene.id, (account) => ({
      ...account,
      setAside: { at: 0, reason: "workspace deactivated" },
    }));
    const end = await scene.ask("usage");
    assert.match(end.kind === "failed" ? end.error : "", /opencode-multi-auth restore work/);
    await scene.store.remove(scene.id);
    const gone = await scene.ask("usage");
    assert.match(gone.kind === "failed" ? gone.error : "", /not there any more/);
    assert.equal(scene.asked.length, 0);
  }));
