import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Account } from "../../src/account/account.ts";
import { createClient } from "../../src/codex/client.ts";
import { Recheck } from "../../src/codex/recheck.ts";
import { sleep } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { accountSubject, type Block, workspaceSubject } from "../../src/quota/block.ts";
import { Pool } from "../../src/rotation/pool.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { MemoryStore, testAccount } from "../memory_store.ts";
import { startSimulator } from "../simulator/simulator.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { RESPONSES, turn } from "./failover.ts";

const SECOND = 1_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** An answer of the usage endpoint. */
function usage(
  alias: string,
  usedPercent: number,
  more: Record<string, unknown> = {},
  limit: Record<string, unknown> = {},
): Response {
  return Response.json({
    user_id: `user-${alias}`,
    account_id: `ws-${alias}`,
    plan_type: "plus",
    rate_limit: {
      allowed: usedPercent < 100,
      limit_reached: usedPercent >= 100,
      primary_window: { used_percent: usedPercent, limit_window_seconds: 604_800 },
      ...limit,
    },
    ...more,
  });
}

/** A pool in which requests come, and a scripted usage endpoint. */
class Scene {
  readonly clock = new VirtualClock();
  readonly store: MemoryStore;
  readonly asked: { alias: string; at: number; path: string }[] = [];
  careful = false;
  /** The most questions that were under way at once. */
  most = 0;
  answer: (alias: string) => Response | Promise<Response> = (alias) => usage(alias, 100);
  /** How long it takes until an account's token is fresh, in milliseconds. */
  refreshMs = 0;
  onRequest: (init: RequestInit | undefined) => void = () => {};
  #open = 0;

  constructor(accounts: Account[]) {
    this.store = new MemoryStore(this.clock, accounts);
  }

  /** A process with a pool of its own over the same store. */
  async process(random = 0.5): Promise<{ pool: Pool; recheck: Recheck }> {
    const { clock, store } = this;
    const pool = new Pool({
      store,
      clock,
      random: () => random,
      settings: () => STANDARD_SETTINGS,
    });
    await pool.refresh();
    const recheck = new Recheck({
      fetch: (input, init) => {
        this.onRequest(init);
        return this.#serve(String(input), new Headers(init?.headers));
      },
      backend: "https://backend.test",
      pool,
      store,
      fresh: async (account) => {
        this.most = Math.max(this.most, ++this.#open);
        await sleep(clock, this.refreshMs);
        this.#open--;
        return account;
      },
      careful: () => this.careful,
      clock,
      random: () => random,
      log: silentLog,
    });
    return { pool, recheck };
  }

  /** Lets time pass while a request comes every ten seconds. */
  async busy(ms: number, ...processes: { recheck: Recheck }[]): Promise<void> {
    for (const end = this.clock.now() + ms; this.clock.now() < end;) {
      for (const { recheck } of processes) recheck.inUse();
      await this.clock.advance(Math.min(10 * SECOND, end - this.clock.now()));
    }
  }

  async #serve(url: string, headers: Headers): Promise<Response> {
    const alias = (headers.get("authorization") ?? "").replace("Bearer access-", "");
    this.asked.push({ alias, at: this.clock.now(), path: new URL(url).pathname });
    this.most = Math.max(this.most, ++this.#open);
    try {
      return await this.answer(alias);
    } finally {
      this.#open--;
    }
  }
}

function limit(scene: Scene, alias: string, fields: Partial<Block> = {}): Block {
  const now = scene.clock.now();
  return {
    subject: accountSubject(`id-${alias}`),
    model: "",
    reason: "usage limit",
    until: now + 3 * DAY,
    since: now,
    source: "body",
    ...fields,
  };
}

/** One account at its limit. */
async function limited(
  fields: (scene: Scene) => Partial<Block> = () => ({}),
): Promise<{ scene: Scene; pool: Pool; recheck: Recheck }> {
  const scene = new Scene([testAccount("a")]);
  const one = await scene.process();
  await one.pool.block(limit(scene, "a", fields(scene)));
  return { scene, ...one };
}

const isBlocked = (pool: Pool, alias = "a", model?: string) =>
  pool.absences(model).some((one) => one.account.alias === alias && one.hindrance !== undefined);

Deno.test("quota reset early (credit, promotion)", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 300 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      async (backAfter, random) => {
        const scene = new Scene([testAccount("a"), testAccount("b")]);
        const one = await scene.process(random);
        await one.pool.block(limit(scene, "a"));
        await scene.busy(backAfter * SECOND, one);
        assert.equal(isBlocked(one.pool), true);
        scene.answer = (alias) => usage(alias, 3);
        await scene.busy(MINUTE, one);
        assert.equal(isBlocked(one.pool), false);
        assert.equal(scene.store.blocks.size, 0, "in the store as well");
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("a quota that is not back stays blocked to its end, and nothing is written", async () => {
  const { scene, pool, recheck } = await limited();
  const until = pool.limits(pool.accounts[0]!)[0]?.until;
  let writes = 0;
  const block = scene.store.block.bind(scene.store);
  scene.store.block = (one) => {
    writes++;
    return block(one);
  };
  const at = Math.floor((until ?? 0) / SECOND);
  scene.answer = (alias) =>
    usage(alias, 100, {}, {
      primary_window: { used_percent: 100, limit_window_seconds: 604_800, reset_at: at },
    });
  await scene.busy(10 * MINUTE, { recheck });
  assert.ok(scene.asked.length >= 10);
  assert.equal(pool.limits(pool.accounts[0]!)[0]?.until, until);
  assert.equal(writes, 0);
});

for (
  const [what, late] of [
    ["figures", usage("a", 3, { user_id: null })],
    ["being allowed", usage("a", 3, {}, { primary_window: null })],
  ] as const
) {
  Deno.test(`an answer to a question from before the refusal lifts nothing: ${what}`, async () => {
    const { scene, pool, recheck } = await limited();
    let answer = (_: Response) => {};
    scene.answer = () => new Promise((resolve) => answer = resolve);
    await scene.busy(56 * SECOND, { recheck });
    assert.equal(scene.asked.length, 1);
    await pool.block(limit(scene, "a", { until: scene.clock.now() + 4 * DAY }));
    await scene.clock.advance(SECOND);
    answer(late);
    await scene.clock.advance(SECOND);
    assert.equal(isBlocked(pool), true);
  });
}

Deno.test("many accounts are asked one after the other, 20 s apart, each after 50 s at the earliest", async () => {
  const aliases = ["a", "b", "c", "d", "e"];
  const scene = new Scene(aliases.map((alias) => testAccount(alias)));
  const one = await scene.process();
  for (const alias of aliases) await one.pool.block(limit(scene, alias));
  scene.answer = async (alias) => {
    await sleep(scene.clock, 3 * SECOND);
    return usage(alias, 100);
  };
  await scene.busy(20 * MINUTE, one);
  assert.equal(scene.most, 1);
  assertPace(scene);
  for (const alias of aliases) {
    const times = scene.asked.filter((one) => one.alias === alias).length;
    assert.ok(times >= 8, `${alias} was asked ${times} times in 20 minutes`);
  }
});

Deno.test("one account is asked at a time, however long it takes", async () => {
  const scene = new Scene(["a", "b"].map((alias) => testAccount(alias)));
  const one = await scene.process();
  for (const alias of ["a", "b"]) await one.pool.block(limit(scene, alias));
  scene.refreshMs = 30 * SECOND;
  await scene.busy(5 * MINUTE, one);
  assert.ok(scene.asked.length >= 5);
  assert.equal(scene.most, 1);
});

Deno.test("several processes together ask no more than one", async () => {
  const scene = new Scene(["a", "b"].map((alias) => testAccount(alias)));
  const processes = [];
  for (const random of [0, 0.3, 0.6]) processes.push(await scene.process(random));
  for (const alias of ["a", "b"]) await processes[0]?.pool.block(limit(scene, alias));
  scene.store.touch();
  for (const { pool } of processes) {
    scene.store.touch();
    await pool.refresh();
  }
  await scene.busy(10 * MINUTE, ...processes);
  assert.ok(scene.asked.length >= 15);
  assertPace(scene);

  scene.answer = (alias) => usage(alias, 3);
  await scene.busy(MINUTE + 5 * SECOND, ...processes);
  assert.equal(scene.store.blocks.size, 0);
});

function assertPace({ asked }: Scene): void {
  const last = new Map<string, number>();
  let before = Number.NEGATIVE_INFINITY;
  for (const { alias, at } of asked) {
    assert.ok(at - before >= 20 * SECOND, `${at - before} ms after another`);
    assert.ok(at - (last.get(alias) ?? 0) >= 50 * SECOND, `${alias} too soon`);
    before = at;
    last.set(alias, at);
  }
}

Deno.test("an idle pool asks nobody", async () => {
  const { scene, recheck } = await limited();
  await scene.clock.advance(10 * MINUTE);
  assert.equal(scene.asked.length, 0);
  recheck.inUse();
  await scene.clock.advance(10 * MINUTE);
  const { length } = scene.asked;
  assert.ok(length >= 2 && length <= 3, `${length} questions within two minutes of use`);
  assert.equal(scene.clock.pending, 0);
});

Deno.test("a pool without limits asks nobody, nor about accounts that take no part", async () => {
  const scene = new Scene([
    testAccount("a", { enabled: false }),
    testAccount("b", { setAside: { at: 0, reason: "needs login" } }),
    testAccount("c"),
    testAccount("d"),
  ]);
  const one = await scene.process();
  for (const alias of ["a", "b"]) await one.pool.block(limit(scene, alias));
  await one.pool.block(limit(scene, "d", { reason: "rate limit" }));
  await scene.busy(5 * MINUTE, one);
  assert.equal(scene.asked.length, 0);
});

for (const status of [401, 403, 429, 500]) {
  Deno.test(`${status} from the usage endpoint says nothing about the account`, async () => {
    const { scene, pool, recheck } = await limited();
    scene.answer = () => new Response("<html>", { status });
    await scene.busy(30 * MINUTE, { recheck });
    assert.equal(isBlocked(pool), true);
    assert.equal(scene.store.accounts[0]?.setAside, undefined);
    assert.equal(scene.store.blocks.size, 1);
    const rounds = new Set(scene.asked.map((one) => one.at)).size;
    assert.ok(rounds >= 4 && rounds <= 8, `asked ${rounds} times in 30 minutes`);
  });
}

Deno.test("403 on one path: the other one is asked", async () => {
  const { scene, pool, recheck } = await limited();
  scene.answer = (alias) =>
    scene.asked.at(-1)?.path === "/wham/usage"
      ? new Response("{}", { status: 403 })
      : usage(alias, 3);
  await scene.busy(MINUTE, { recheck });
  assert.equal(isBlocked(pool), false);
});

Deno.test("an end that is a guess is asked about at once", async () => {
  const { scene, recheck } = await limited((scene) => ({
    source: "guess",
    until: scene.clock.now() + 5 * MINUTE,
  }));
  recheck.inUse();
  await scene.clock.advance(0);
  assert.equal(scene.asked.length, 1);
});

Deno.test("while tokens are being invalidated nobody is asked", async () => {
  const { scene, recheck } = await limited();
  scene.careful = true;
  await scene.busy(5 * MINUTE, { recheck });
  assert.equal(scene.asked.length, 0);
  scene.careful = false;
  await scene.busy(15 * SECOND, { recheck });
  assert.equal(scene.asked.length, 1);
});

Deno.test("being allowed counts only where user and account are the ones asked about", async () => {
  const other = { user_id: "user-z" };
  const table: [string, Response, boolean][] = [
    ["allowed, no figures", usage("a", 0, {}, { primary_window: null }), false],
    ["somebody else is allowed", usage("a", 0, other, { primary_window: null }), true],
    ["low shares, not allowed", usage("a", 3, {}, { allowed: false }), true],
    ["low shares, limit reached", usage("a", 3, {}, { limit_reached: true }), true],
    ["low shares, spending stopped", usage("a", 3, { spend_control: { reached: true } }), true],
    ["low shares, somebody else stopped", usage("a", 3, other, { allowed: false }), false],
    ["low shares and no ids", usage("a", 3, { user_id: null, account_id: null }), false],
    [
      "allowed with a full window",
      usage("a", 100, {}, { allowed: true, limit_reached: false }),
      true,
    ],
  ];
  for (const [name, response, blocked] of table) {
    const { scene, pool, recheck } = await limited();
    scene.answer = () => response.clone();
    await scene.busy(MINUTE, { recheck });
    assert.equal(isBlocked(pool), blocked, name);
  }
});

Deno.test("a workspace's limit ends when one of its seats is allowed, not by low shares", async () => {
  const seat = (alias: string) =>
    testAccount(alias, { identity: { workspaceId: "ws-a", userId: `user-${alias}` } });
  const reached = { rate_limit_reached_type: { type: "workspace_owner_credits_depleted" } };
  const table: [string, Response, boolean][] = [
    ["allowed", usage("a", 3), false],
    ["not allowed", usage("a", 3, {}, { allowed: false }), true],
    ["allowed, and the workspace's reason is named", usage("a", 3, reached), true],
    ["somebody else", usage("a", 3, { user_id: "user-z" }), true],
  ];
  for (const [name, response, blocked] of table) {
    const scene = new Scene([seat("a"), seat("b")]);
    const { pool, recheck } = await scene.process();
    await pool.block(
      limit(scene, "a", { subject: workspaceSubject("ws-a"), reason: "workspace limit" }),
    );
    scene.answer = (alias) => alias === "a" ? response.clone() : new Response("", { status: 403 });
    await scene.busy(2 * MINUTE, { recheck });
    assert.equal(isBlocked(pool, "a"), blocked, name);
    assert.equal(isBlocked(pool, "b"), blocked, name);
  }
});

Deno.test("a model's own limit ends when the models' buckets are free", async () => {
  const bucket = (used_percent: number) => ({
    additional_rate_limits: [{
      metered_feature: "codex_bengalfox",
      rate_limit: { primary_window: { used_percent, limit_window_seconds: 604_800 } },
    }],
  });
  for (
    const [response, blocked] of [
      [usage("a", 3, bucket(5)), false],
      [usage("a", 3, bucket(100)), true],
      [usage("a", 3), true],
    ] as const
  ) {
    const { scene, pool, recheck } = await limited(() => ({ model: "spark" }));
    scene.answer = () => response.clone();
    await scene.busy(MINUTE, { recheck });
    assert.equal(isBlocked(pool, "a", "spark"), blocked);
  }
});

Deno.test("heavy traffic does not put the question off", async () => {
  const { scene, recheck } = await limited((scene) => ({ since: scene.clock.now() - DAY }));
  const after = scene.clock.after.bind(scene.clock);
  let timers = 0;
  scene.clock.after = (ms, run) => {
    timers++;
    return after(ms, run);
  };
  for (let n = 0; n < 1_000; n++) recheck.inUse();
  assert.equal(timers, 1);
  await scene.clock.advance(1);
  assert.equal(scene.asked.length, 1);
});

Deno.test("a client that closes lets go of a question that is under way, and asks no more", async () => {
  const { scene, recheck } = await limited();
  let signal: AbortSignal | null | undefined;
  scene.onRequest = (init) => signal = init?.signal;
  scene.answer = () => new Promise(() => {});
  await scene.busy(56 * SECOND, { recheck });
  assert.equal(signal?.aborted, false);
  recheck.stop();
  assert.equal(signal?.aborted, true);
  await scene.busy(5 * MINUTE, { recheck });
  assert.equal(scene.asked.length, 1);
});

Deno.test("a store that cannot be written does not stop the questions", async () => {
  const { scene, pool, recheck } = await limited();
  scene.store.lease = () => Promise.reject(new Error("disk full"));
  scene.answer = (alias) => usage(alias, 3);
  await scene.busy(MINUTE, { recheck });
  assert.equal(isBlocked(pool), false);
});

Deno.test("a client finds out in the simulated backend, and no request waits for it", async () => {
  const clock = new VirtualClock();
  const simulator = await startSimulator({ clock });
  const folder = mkdtempSync(join(tmpdir(), "recheck-"));
  const env = {
    HOME: folder,
    OPENCODE_MULTI_AUTH_STORE_DIR: join(folder, "store"),
    OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
  };
  const store = await openLocalStore({ paths: resolvePaths(env), env, clock });
  for (const alias of ["a", "b"]) {
    const plan = simulator.addPlan({ name: alias });
    const { expiresAt, ...tokens } = plan.issueTokens();
    await store.add(testAccount(alias, {
      credentials: { ...tokens, expiresAt },
      identity: { workspaceId: plan.workspaceId, userId: plan.userId },
    }));
  }
  await store.close();
  const client = await createClient({ env, clock, random: () => 0.5 });
  try {
    const ask = async (session: string) => {
      const answer = await client.fetch(RESPONSES, turn(session));
      return /served by (\w)/.exec((await answer.text()).replaceAll('","delta":"', ""))?.[1] ??
        `${answer.status}`;
    };
    simulator.plan("a").setUsed(300, 100, 3 * DAY);
    await ask("s");
    assert.equal(isBlocked(client.pool), true);

    // The endpoint takes its time: requests do not care.
    const asked = () => simulator.requests.filter((one) => one.path.endsWith("/usage"));
    simulator.plan("a").fail({ kind: "delay", ms: 5 * SECOND }, 1, "wham/usage");
    const question = simulator.waitFor((one) => one.path.endsWith("/usage"));
    await clock.advance(56 * SECOND);
    await question;
    const before = clock.now();
    await ask("s");
    assert.equal(clock.now(), before);
    await settled(() => asked()[0]?.status !== null, clock);
    assert.equal(isBlocked(client.pool), true, "the backend still says 100 %");

    simulator.plan("a").setUsed(300, 3);
    const back = clock.now();
    await settled(() => !isBlocked(client.pool), clock);
    assert.ok(clock.now() - back <= MINUTE, `${clock.now() - back} ms`);
    assert.deepEqual(asked().map((one) => one.plan), ["a", "a"]);
  } finally {
    await client.close();
    await simulator.close();
    rmSync(folder, { recursive: true });
  }
});

/** Lets virtual time pass until something holds, with a real pause for the sockets at each step. */
async function settled(holds: () => boolean, clock: VirtualClock): Promise<void> {
  for (let step = 0; step < 700 && !holds(); step++) {
    await clock.advance(100);
    if (step % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(holds());
}
