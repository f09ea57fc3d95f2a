import type { Account } from "../../src/account/account.ts";
import { Recheck } from "../../src/codex/recheck.ts";
import { sleep } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { accountSubject, type Block } from "../../src/quota/block.ts";
import { Pool } from "../../src/rotation/pool.ts";
import { MemoryStore, testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

/** An answer of the usage endpoint. */
export function usage(
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
export class Scene {
  readonly clock = new VirtualClock();
  readonly store: MemoryStore;
  readonly asked: { alias: string; at: number; path: string }[] = [];
  readonly start = this.clock.now();
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

export function limit(scene: Scene, alias: string, fields: Partial<Block> = {}): Block {
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
export async function limited(
  fields: (scene: Scene) => Partial<Block> = () => ({}),
): Promise<{ scene: Scene; pool: Pool; recheck: Recheck }> {
  const scene = new Scene([testAccount("a")]);
  const one = await scene.process();
  await one.pool.block(limit(scene, "a", fields(scene)));
  return { scene, ...one };
}

export const isBlocked = (pool: Pool, alias = "a", model?: string) =>
  pool.absences(model).some((one) => one.account.alias === alias && one.hindrance !== undefined);
