/**
 * Tokens under several real processes and sudden deaths, with the plugin as it is released, in the
 * runtime that OpenCode brings. `deno task chaos` runs the same with ten times the rounds.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { inRepository } from "../../scripts/repository.ts";
import { toolPaths } from "../../scripts/tools.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { loadSqlite } from "../../src/store/sqlite.ts";
import { type LocalStore, openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import { type SimulatedPlan, type Simulator, startSimulator } from "../simulator/simulator.ts";

const LONG = Deno.env.get("OPENCODE_MULTI_AUTH_CHAOS") === "long";
const KILLS = LONG ? 3_000 : 300;
const WORKER = inRepository("tests", "chaos", "plugin_worker.js");
/** Shorter than the margin in which a token is renewed, so that every request renews it. */
const ALWAYS_EXPIRING_MS = 240_000;

interface Bed {
  readonly simulator: Simulator;
  readonly env: Record<string, string>;
  /** Adds an account, or signs it in again; `expiresInMs` is the life of its access token. */
  signIn(plan: SimulatedPlan, expiresInMs?: number): Promise<void>;
  open(): Promise<LocalStore>;
  worker(count: number, name: string): Deno.ChildProcess;
}

async function inBed(
  use: (bed: Bed) => Promise<void>,
  more: Record<string, string> = {},
): Promise<void> {
  const home = Deno.makeTempDirSync({ prefix: "chaos-" });
  const simulator = await startSimulator({ keepAlive: false });
  const env = {
    HOME: home,
    OPENCODE_MULTI_AUTH_STORE_DIR: join(home, "store"),
    OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
    OPENCODE_MULTI_AUTH_REFRESH_GAP_MS: "0",
    ...more,
  };
  const open = () => openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
  try {
    await use({
      simulator,
      env,
      open,
      async signIn(plan, expiresInMs) {
        const store = await open();
        await storePlan(store, plan, expiresInMs);
        await store.close();
      },
      worker: (count, name) =>
        new Deno.Command(toolPaths().bun, {
          args: [WORKER, inRepository("npm", "plugin.js"), String(count), name],
          env,
          clearEnv: true,
          stdin: "null",
          stdout: "piped",
          stderr: "piped",
        }).spawn(),
    });
  } finally {
    await simulator.close();
    Deno.removeSync(home, { recursive: true });
  }
}

/** Waits for a worker and gives the statuses of its answers. */
async function statuses(worker: Deno.ChildProcess): Promise<string[]> {
  const { stdout, stderr } = await worker.output();
  assert.equal(new TextDecoder().decode(stderr), "", "nothing on standard error");
  return new TextDecoder().decode(stdout).trim().split("\n");
}

function refreshes(simulator: Simulator) {
  const calls = simulator.tokenCalls.filter((call) => call.grant === "refresh_token");
  return {
    sent: calls.length,
    exchanged: calls.filter((call) => call.ok).length,
    refused: calls.filter((call) => call.error !== null).length,
  };
}

Deno.test("8 processes, 20 accounts, all expired", () =>
  inBed(async ({ simulator, signIn, worker }) => {
    const accounts = 20;
    for (let n = 0; n < accounts; n++) {
      await signIn(simulator.addPlan({ name: `account-${n}` }), -1_000);
    }
    const start = performance.now();
    const workers = Array.from({ length: 8 }, (_, n) => worker(accounts, `process-${n}`));
    const answers = (await Promise.all(workers.map(statuses))).flat();
    const seen = refreshes(simulator);
    console.log(
      `  ${answers.length} answers, ${seen.exchanged} exchanges, ${seen.refused} refused, ` +
        `${((performance.now() - start) / 1000).toFixed(1)} s`,
    );
    assert.deepEqual(new Set(answers), new Set(["200"]));
    assert.equal(answers.length, 8 * accounts);
    assert.deepEqual(seen, { sent: accounts, exchanged: accounts, refused: 0 });
  }));

Deno.test("3 processes, 100 requests each", () =>
  inBed(async ({ simulator, signIn, worker, open }) => {
    for (const name of ["personal", "work", "backup"]) await signIn(simulator.addPlan({ name }));
    const workers = ["a", "b", "c"].map((name) => worker(100, name));
    const answers = (await Promise.all(workers.map(statuses))).flat();
    const store = await open();
    const { figures } = await store.load();
    await store.close();
    const uses = [...figures.values()].reduce((sum, one) => sum + one.uses, 0);
    console.log(`  ${answers.length} answers, ${uses} counted`);
    assert.equal(answers.filter((status) => status === "200").length, 300);
    assert.equal(uses, 300);
  }));

/**
 * Kills a process at any moment of its work, over and over, and looks at the store after each death. In two rounds of
 * three the death follows a token call, since what is between that and the save is what can be lost.
 */
async function kill({ simulator, env, signIn, worker, open }: Bed, kills: number): Promise<void> {
  const plans = ["personal", "work", "backup"].map((name) =>
    simulator.addPlan({ name, accessTokenLifetimeMs: ALWAYS_EXPIRING_MS })
  );
  for (const plan of plans) await signIn(plan);
  /** The generation in the store, by plan. */
  const known = new Map(plans.map((plan) => [plan.name, 1]));
  /** By how many the issuer is ahead of the store, from exchanges that were cut off. */
  const lost = new Map(plans.map((plan) => [plan.name, 0]));
  const signIns = new Map<string, number>();
  let interrupted = 0;
  let inRefresh = 0;
  let random = 12_345;
  const next = (limit: number) => {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    return random % limit;
  };
  for (let round = 0; round < kills; round++) {
    const answered = simulator.requests.length;
    const asked = simulator.tokenCalls.length;
    const child = worker(0, `round-${round}`);
    const said = child.stdout.getReader();
    // It says when the plugin is loaded, however long that takes here; then one request follows the other.
    await said.read();
    if (round % 3 === 0) await pause(next(130));
    else {
      while (simulator.tokenCalls.length === asked) await pause(1);
      await pause(next(60));
    }
    child.kill("SIGKILL");
    if (simulator.tokenCalls.length > asked) inRefresh++;
    while (!(await said.read()).done);
    await Promise.all([child.stderr.cancel(), child.status]);

    const store = await open();
    const { accounts, locked } = await store.load();
    assert.equal(locked, false);
    assert.deepEqual(store.warnings, []);
    assert.deepEqual(accounts.map(({ alias }) => alias), plans.map(({ name }) => name));
    for (const { alias, generation, id } of accounts) {
      assert.ok(generation >= (known.get(alias) ?? 0), `${alias} went back in round ${round}`);
      known.set(alias, generation);
      // Tokens are on disk before their use: whatever the backend has seen is not newer than the file.
      const used = simulator.requests.slice(answered)
        .filter((request) => request.plan === alias)
        .map((request) =>
          Number(/access token (\d+)/.exec(request.headers["authorization"] ?? "")?.[1])
        );
      const newest = generation + (lost.get(alias) ?? 0);
      assert.ok(Math.max(0, ...used) <= newest, `${alias}: a token in use is not on disk`);
      if (await store.openRefresh(id) !== undefined) {
        // Its token may be spent, so nobody refreshes it any more; the person signs in again.
        interrupted++;
        await signIn(simulator.plan(alias));
        known.set(alias, generation + 1);
        signIns.set(alias, (signIns.get(alias) ?? 1) + 1);
        const handedOut = (signIns.get(alias) ?? 0) +
          simulator.tokenCalls.filter((call) => call.ok && call.plan === alias).length;
        lost.set(alias, handedOut - (generation + 1));
      }
    }
    await store.close();
  }
  const seen = refreshes(simulator);
  console.log(
    `  ${kills} kills, ${inRefresh} after a token call, ${seen.exchanged} exchanges, ` +
      `${interrupted} interrupted, ${seen.refused} tokens sent twice`,
  );
  assert.equal(seen.refused, 0);
  assert.ok(inRefresh >= kills / 2, "the kills met refreshes");
  const db = (await loadSqlite())(join(env.OPENCODE_MULTI_AUTH_STORE_DIR ?? "", "state.db"));
  assert.deepEqual(db.prepare("PRAGMA integrity_check").all().map((row) => ({ ...row })), [
    { integrity_check: "ok" },
  ]);
  db.close();
  if (kills >= 100) {
    assert.ok(interrupted > 0, "some kill met the moment between exchange and save");
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("kill -9 at any moment of a refresh or a save", () => inBed((bed) => kill(bed, KILLS)));

Deno.test("kill -9 at any moment of a refresh or a save, the store sealed", () =>
  inBed(async (bed) => {
    await kill(bed, KILLS / 60);
    const text = Deno.readTextFileSync(
      join(bed.env.OPENCODE_MULTI_AUTH_STORE_DIR ?? "", "accounts.json"),
    );
    assert.equal(JSON.parse(text).encrypted, true);
  }, { CODEX_SOFT_STORE_PASSPHRASE: "a passphrase" }));
