import type { Account } from "../account/account.ts";
import type { Clock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import type { Pool } from "../rotation/pool.ts";
import type { Store } from "../store/store.ts";
import { fetchUsage, learnUsage } from "./usage_question.ts";

/** One account is asked at most this often, in milliseconds. With {@linkcode SPREAD_MS} below a minute. */
const GAP_MS = 50_000;
/** Most that chance adds to it, in milliseconds. */
const SPREAD_MS = 5_000;
/** Somebody is asked at most this often, in milliseconds: polling pools in bursts is said to have cost accounts. */
const TOTAL_GAP_MS = 20_000;
/** A pool that has served nobody for so long is idle, and nobody is asked, in milliseconds. */
const IDLE_MS = 120_000;
/** How soon to look again where another process has just asked, or a token was invalidated, in milliseconds. */
const LATER_MS = 5_000;
/** After this many questions without an answer each further one waits twice as long. */
const PATIENT_FAILURES = 2;
/** Longest pause after failures, in milliseconds. */
const MAX_GAP_MS = 600_000;

/** What a recheck needs. */
export interface RecheckOptions {
  readonly fetch: typeof fetch;
  readonly backend: string;
  readonly pool: Pool;
  readonly store: Pick<Store, "lease">;
  /** The account with a token that lives, undefined when there is none. */
  readonly fresh: (account: Account) => Promise<Account | undefined>;
  /** Whether accounts must not be shown to the backend now. */
  readonly careful: () => boolean;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

/**
 * Finds out when a spent quota is back before its time (a reset credit, a
 * promotion, a change of plan), by asking the usage endpoint about accounts
 * that wait for it: one after the other, never in a burst, over all processes
 * of the machine, and only while the pool is in use.
 *
 * What comes of it is in the pool; a refusal, 401 included, says nothing about
 * the account.
 */
export class Recheck {
  /** account id -> not before, epoch milliseconds. */
  readonly #next = new Map<string, number>();
  /** account id -> questions without an answer in a row. */
  readonly #failures = new Map<string, number>();
  /** So that processes which met the same limit do not ask at the same time. */
  readonly #phase: number;
  #usedAt = Number.NEGATIVE_INFINITY;
  /** Nobody is asked before, epoch milliseconds. */
  #free = Number.NEGATIVE_INFINITY;
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  #asking = false;
  readonly #stopped = new AbortController();

  constructor(private readonly options: RecheckOptions) {
    this.#phase = options.random() * SPREAD_MS;
  }

  /** The pool is in use. Takes microseconds; the questions come later. */
  inUse(): void {
    this.#usedAt = this.options.clock.now();
    this.#arm();
  }

  /** Asks nobody any more, and lets go of a question that is under way. */
  stop(): void {
    this.#stopped.abort();
    this.#timer?.cancel();
  }

  #arm(): void {
    const { clock, log } = this.options;
    if (this.#asking || this.#stopped.signal.aborted) return;
    const first = this.#first(clock.now());
    if (!first || first.at - this.#usedAt >= IDLE_MS) return;
    // A timer that every request put off anew would never come under heavy traffic.
    if (this.#timer && this.#timer.at <= first.at) return;
    this.#timer?.cancel();
    const cancel = clock.after(first.at - clock.now(), () => {
      this.#timer = undefined;
      this.#asking = true;
      this.#ask(first.account).catch((error) => log.warn(messageOf(error))).finally(() => {
        this.#asking = false;
        this.#arm();
      });
    }, { background: true });
    this.#timer = { at: first.at, cancel };
  }

  /** Who is to be asked next, and when. */
  #first(now: number): { account: Account; at: number } | undefined {
    let first: { account: Account; at: number } | undefined;
    for (const account of this.options.pool.accounts) {
      const blocks = this.options.pool.limits(account);
      if (blocks.length === 0) continue;
      // A refusal is as good as an answer, unless it did not say when it ends.
      const known = blocks.some((block) => block.source === "guess")
        ? now
        : Math.max(...blocks.map(({ since }) => Math.min(since, now))) + GAP_MS + this.#phase;
      const at = Math.max(known, this.#next.get(account.id) ?? now, this.#free, now);
      // The one that has waited longest comes first.
      const waits = (id: string) => this.#next.get(id) ?? 0;
      if (
        !first || at < first.at || (at === first.at && waits(account.id) < waits(first.account.id))
      ) first = { account, at };
    }
    return first;
  }

  async #ask(account: Account): Promise<void> {
    const { clock, pool, random, log } = this.options;
    const later = (ms: number) => this.#next.set(account.id, clock.now() + ms);
    const spread = random() * SPREAD_MS;
    later(LATER_MS + spread);
    if (this.options.careful()) return;
    await pool.refresh();
    const current = pool.account(account.id);
    if (!current || pool.limits(current).length === 0 || !await this.#mayAsk(account.id)) return;
    later(GAP_MS + spread);
    this.#free = clock.now() + TOTAL_GAP_MS;
    const fresh = await this.options.fresh(current);
    const { signal } = this.#stopped;
    const answer = fresh && await fetchUsage(fresh, { ...this.options, signal });
    if (fresh && answer?.kind === "read") {
      this.#failures.delete(account.id);
      await learnUsage(answer.usage, fresh, answer.askedAt, pool);
      if (pool.limits(fresh).length === 0) log.info(`${account.alias}: its limit ended early`);
      return;
    }
    const failures = (this.#failures.get(account.id) ?? 0) + 1;
    this.#failures.set(account.id, failures);
    const doublings = Math.max(failures - PATIENT_FAILURES, 0);
    later(Math.min(GAP_MS * 2 ** doublings, MAX_GAP_MS) + spread);
    const cause = answer?.kind === "failed" ? answer.cause : answer?.kind ?? "no fresh token";
    log.info(`${account.alias}: the usage endpoint gave ${cause}`);
  }

  /** Whether no other process has asked too lately. */
  async #mayAsk(accountId: string): Promise<boolean> {
    const { store } = this.options;
    // A store that cannot be written stops nobody: this process keeps its own pace.
    const take = (name: string, ms: number) => store.lease(name, ms).catch(() => null);
    const own = await take(`usage ${accountId}`, GAP_MS);
    if (own === undefined) return false;
    if (await take("usage", TOTAL_GAP_MS) !== undefined) return true;
    await own?.release();
    return false;
  }
}
