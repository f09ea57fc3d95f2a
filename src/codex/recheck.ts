import type { Account } from "../account/account.ts";
import { type Clock, sleep } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import type { Pool } from "../rotation/pool.ts";
import type { Lease, Store } from "../store/store.ts";
import { fetchUsage, learnUsage } from "./usage_question.ts";

/** One account is asked at the latest after this time, in milliseconds: with the answer's own time below a minute. */
const GAP_MS = 50_000;
/** Most that chance takes from it, in milliseconds. */
const SPREAD_MS = 5_000;
/** All accounts that wait are asked within this time, evenly spread, in milliseconds. */
const ROUND_MS = 40_000;
/** Two questions are never closer than this, in milliseconds: polling pools in bursts is said to have cost accounts. More than 20 accounts take longer than a minute. */
const MIN_SLOT_MS = 2_000;
/** Nor need they be further apart, in milliseconds. */
const MAX_SLOT_MS = 20_000;
/** How much chance adds to the time between two questions, as a share of it. */
const JITTER = 0.1;
/** How long a process that has asked about an account is the one to do so again, in milliseconds; it asks before that is over. */
const HOLD_MS = 55_000;
/** How often the others look whether it has gone, in milliseconds. */
const LOOK_MS = 25_000;
/** A pool that has served nobody for so long is idle, and nobody is asked, in milliseconds. */
const IDLE_MS = 120_000;
/** An account that should have been asked so long ago is overdue, in milliseconds: the pool was idle meanwhile. */
const OVERDUE_MS = 10_000;
/** Longest that a request waits for those, in milliseconds. */
const CATCH_UP_MS = 10_000;
/** How often it looks, in milliseconds. */
const WATCH_MS = 50;
/** How soon a pool in use is looked through again although no limit has come or gone, in milliseconds. */
const LOOK_AGAIN_MS = 1_000;
/** How soon to look again after a token was invalidated, in milliseconds. */
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
 * that wait for it: each within a minute, one after the other and evenly spread,
 * never in a burst, over all processes of the machine, and only while the pool
 * is in use.
 *
 * What comes of it is in the pool; a refusal, 401 included, says nothing about
 * the account.
 */
export class Recheck {
  /** account id -> when to ask again at the latest, epoch milliseconds. */
  readonly #next = new Map<string, number>();
  /** When questions were asked lately, epoch milliseconds. */
  #asked: number[] = [];
  /** account id -> questions without an answer in a row. */
  readonly #failures = new Map<string, number>();
  /** So that processes which met the same limit do not ask at the same time. */
  readonly #phase: number;
  /** Accounts that this process asks about, by id. */
  readonly #held = new Map<string, Lease>();
  /** Those that another process asks about. */
  readonly #others = new Set<string>();
  /** Keeps all processes from asking before the next question's time. */
  #pace: Lease | undefined;
  #usedAt = Number.NEGATIVE_INFINITY;
  /** Nobody is asked before, epoch milliseconds. */
  #free = Number.NEGATIVE_INFINITY;
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  #asking = false;
  /** Whether somebody was overdue when the question under way was asked. */
  #late = false;
  /** State of the pool's limits at the last look, and when that was, epoch milliseconds. */
  #seen = -1;
  #lookedAt = Number.NEGATIVE_INFINITY;
  readonly #stopped = new AbortController();

  constructor(private readonly options: RecheckOptions) {
    this.#phase = options.random() * SPREAD_MS;
  }

  /** The pool is in use. Takes microseconds; the questions come later. */
  inUse(): void {
    const now = this.options.clock.now();
    this.#usedAt = now;
    // Every request comes by, twice, and a look at all accounts is worth it only where something has changed.
    if (
      this.#seen === this.options.pool.limitsVersion &&
      Math.abs(now - this.#lookedAt) < LOOK_AGAIN_MS
    ) return;
    this.#arm();
  }

  /**
   * For a request that finds nobody to send: where the pool was idle, limits may have ended unseen.
   * Waits until one has, or nobody is overdue any more, at most ten seconds; where nobody is
   * overdue, not at all. Meanwhile questions come as soon after each other as they may.
   *
   * @returns Whether a limit is over.
   * @throws The signal's reason when it aborts meanwhile.
   */
  async catchUp(signal: AbortSignal | undefined): Promise<boolean> {
    const { clock } = this.options;
    const limited = () => new Set(this.#waiting(clock.now()).map(({ account }) => account.id));
    const before = limited();
    const end = clock.now() + CATCH_UP_MS;
    const stopped = this.#stopped.signal;
    while ((this.#late || this.#overdue()) && clock.now() < end && !stopped.aborted) {
      this.#hurry(this.#usedAt = clock.now());
      this.#arm();
      await sleep(clock, WATCH_MS, signal);
      if (before.difference(limited()).size > 0) return true;
    }
    return false;
  }

  #overdue(): boolean {
    const now = this.options.clock.now();
    return this.#waiting(now).some(({ by, since }) =>
      now - Math.max(by, since + GAP_MS) > OVERDUE_MS
    );
  }

  /** Brings the next question forward. */
  #hurry(now: number): void {
    const soon = (this.#asked.at(-1) ?? now) + MIN_SLOT_MS;
    if (this.#free <= soon || this.options.careful()) return;
    this.#free = soon;
    this.#pace?.release(Math.max(soon - now, 0)).catch(() => {});
  }

  /** Asks nobody any more, and lets go of a question that is under way. */
  stop(): void {
    this.#stopped.abort();
    this.#timer?.cancel();
  }

  #arm(): void {
    const { clock, log } = this.options;
    if (this.#asking || this.#stopped.signal.aborted) return;
    this.#seen = this.options.pool.limitsVersion;
    this.#lookedAt = clock.now();
    const first = this.#first(clock.now());
    if (!first || first.at - this.#usedAt >= IDLE_MS) return this.#letGo();
    // A timer that every request put off anew would never come under heavy traffic.
    if (this.#timer && this.#timer.at <= first.at) return;
    this.#timer?.cancel();
    const cancel = clock.after(first.at - clock.now(), () => {
      this.#timer = undefined;
      this.#asking = true;
      this.#late = this.#overdue();
      this.#ask(first.account).catch((error) => log.warn(messageOf(error))).finally(() => {
        this.#asking = this.#late = false;
        this.#arm();
      });
    }, { background: true });
    this.#timer = { at: first.at, cancel };
  }

  /**
   * Who is to be asked next, and when: the one whose answer is oldest, early
   * enough that everybody behind it, one slot after the other, is asked in time.
   */
  #first(now: number): { account: Account; at: number } | undefined {
    const waiting = this.#waiting(now).sort((a, b) => a.by - b.by || a.asked - b.asked);
    const slot = this.#slot(waiting.length, now) * (1 + JITTER);
    const mine = waiting.filter(({ account }) => !this.#others.has(account.id));
    const theirs = waiting.find(({ account }) => this.#others.has(account.id));
    let by = Number.POSITIVE_INFINITY;
    for (const [index, one] of mine.entries()) by = Math.min(by, one.by - index * slot);
    const first = theirs && theirs.by < by ? theirs : mine[0];
    if (!first) return undefined;
    return { account: first.account, at: Math.max(Math.min(by, first.by), this.#free, now) };
  }

  /** Accounts that wait for a quota, and by when each is to be asked. */
  #waiting(now: number): { account: Account; by: number; asked: number; since: number }[] {
    const waiting = [];
    for (const account of this.options.pool.accounts) {
      const blocks = this.options.pool.limits(account);
      if (blocks.length === 0) continue;
      // A refusal is as good as an answer, unless it did not say when it ends.
      const since = Math.max(...blocks.map((block) => Math.min(block.since, now)));
      const guess = blocks.some(({ source }) => source === "guess");
      const known = guess ? 0 : since + GAP_MS - this.#phase;
      const asked = this.#next.get(account.id) ?? 0;
      waiting.push({ account, by: Math.max(known, asked), asked, since });
    }
    return waiting;
  }

  async #ask(account: Account): Promise<void> {
    const { clock, pool, random, log } = this.options;
    const spread = random() * SPREAD_MS;
    const later = (ms: number) => this.#next.set(account.id, clock.now() + ms - spread);
    const now = clock.now();
    const slot = this.#slot(this.#waiting(now).length, now) * (1 + random() * JITTER);
    const free = this.#free;
    this.#free = clock.now() + (this.options.careful() ? LATER_MS + spread : slot);
    if (this.options.careful()) return;
    await pool.refresh();
    const current = pool.account(account.id);
    if (!current || pool.limits(current).length === 0) return;
    later(LOOK_MS);
    if (!await this.#own(account.id)) {
      this.#free = free;
      return;
    }
    this.#pace = await this.#take("usage", slot);
    if (!this.#pace) {
      // Another process is asking: this account keeps its place.
      this.#next.set(account.id, clock.now());
      return;
    }
    later(GAP_MS);
    this.#asked.push(now);
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
    later(Math.min(GAP_MS * 2 ** doublings, MAX_GAP_MS));
    const cause = answer?.kind === "failed" ? answer.cause : answer?.kind ?? "no fresh token";
    log.info(`${account.alias}: the usage endpoint gave ${cause}`);
  }

  /**
   * Time between two questions when so many accounts wait, in milliseconds. Those whose limit is
   * over still count for a while: the rest of a round must not slow down when its first ones come back.
   */
  #slot(waiting: number, now: number): number {
    this.#asked = this.#asked.filter((at) => at > now - GAP_MS);
    const round = ROUND_MS / Math.max(waiting, this.#asked.length);
    return Math.min(Math.max(round, MIN_SLOT_MS), MAX_SLOT_MS);
  }

  /** Whether asking about this account is this process's business, from now on or still. */
  async #own(accountId: string): Promise<boolean> {
    await this.#held.get(accountId)?.release();
    this.#held.delete(accountId);
    const lease = await this.#take(`usage ${accountId}`, HOLD_MS);
    if (!lease) {
      this.#others.add(accountId);
      return false;
    }
    this.#others.delete(accountId);
    this.#held.set(accountId, lease);
    return true;
  }

  /** A store that cannot be written stops nobody: this process keeps its own pace. */
  #take(name: string, ms: number): Promise<Lease | undefined> {
    return this.options.store.lease(name, ms).catch(() => ({ release: () => Promise.resolve() }));
  }

  /** Leaves the accounts to a process that is in use. */
  #letGo(): void {
    for (const lease of this.#held.values()) void lease.release();
    this.#held.clear();
  }
}
