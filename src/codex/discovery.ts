import type { Account } from "../account/account.ts";
import type { Clock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import type { Pool } from "../rotation/pool.ts";
import type { LocalStore } from "../store/local.ts";
import { saveModelList } from "../store/models.ts";
import { savePlanExtras } from "../store/plan_extras.ts";
import type { Lease } from "../store/store.ts";
import type { KnownModels } from "./known_models.ts";
import { fetchModels } from "./model_question.ts";
import { fetchResetCredits } from "./reset_credits.ts";

/** A list is believed so long, in milliseconds. */
const EVERY_MS = 6 * 3_600_000;
/** Most that chance adds to it, in milliseconds. */
const SPREAD_MS = 3_600_000;
/** An account whose question failed is left alone so long, by every process of the machine, in milliseconds. */
const RETRY_MS = 30 * 60_000;
/** Least pause between two accounts, and most that chance adds to it, in milliseconds. */
const GAP_MS = 5_000;
/** How soon to look again where another process asks, or accounts must not be shown, in milliseconds. */
const LATER_MS = 20_000;
/** How long one question may hold the others back if its process hangs, in milliseconds. */
const LEASE_MS = 60_000;

/** What discovery needs. */
export interface DiscoveryOptions {
  readonly fetch: typeof fetch;
  readonly backend: string;
  readonly pool: Pool;
  readonly store: LocalStore;
  readonly known: KnownModels;
  /** Whether the person wants to hear of reset credits, which are asked for then as well. */
  readonly credits: () => boolean;
  /** Whether accounts must not be shown to the backend now. */
  readonly careful: () => boolean;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

/**
 * Asks the backend which models each account has, and where the person wants that
 * which reset credits: in the background, one
 * account after the other, one process of the machine at a time, and only while
 * the pool is in use. No token is renewed for it: an account whose token has
 * run out is asked once a request has renewed it.
 */
export class Discovery {
  /** account id -> not before, epoch milliseconds. */
  readonly #next = new Map<string, number>();
  readonly #spread: number;
  #usedAt = Number.NEGATIVE_INFINITY;
  #free = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #asking = false;
  readonly #stopped = new AbortController();

  constructor(private readonly options: DiscoveryOptions) {
    this.#spread = options.random() * SPREAD_MS;
  }

  /** The pool is in use. Takes microseconds; the questions come later. */
  inUse(): void {
    this.#usedAt = this.options.clock.now();
    this.#arm();
  }

  /** Asks nobody any more, and lets go of a question that is under way. */
  stop(): void {
    this.#stopped.abort();
    this.#cancel?.();
  }

  #arm(): void {
    const { clock, log } = this.options;
    if (this.#asking || this.#cancel || this.#stopped.signal.aborted) return;
    const due = this.#due();
    // A pool that nobody uses any more is left alone; the next request looks again.
    if (!due || due.at - this.#usedAt > LATER_MS + 2 * GAP_MS) return;
    this.#cancel = clock.after(Math.max(due.at - clock.now(), 0), () => {
      this.#cancel = undefined;
      this.#asking = true;
      this.#ask(due.account).catch((error) => log.warn(messageOf(error))).finally(() => {
        this.#asking = false;
        this.#arm();
      });
    }, { background: true });
  }

  /** Who is to be asked next, and when. */
  #due(): { account: Account; at: number } | undefined {
    const { pool, clock } = this.options;
    const now = clock.now();
    let first: { account: Account; at: number } | undefined;
    for (const account of pool.accounts) {
      if (!account.enabled || account.setAside || account.credentials.expiresAt <= now) continue;
      const at = Math.max(
        this.#believedUntil(account),
        this.#next.get(account.id) ?? now,
        this.#free,
      );
      if (!first || at < first.at) first = { account, at };
    }
    return first;
  }

  /** Until when an account's list is good, epoch milliseconds; now for one without. */
  #believedUntil({ id }: Account): number {
    const now = this.options.clock.now();
    const list = this.options.known.lists.get(id);
    // A list from the future means that the clock was set back.
    return list && list.at <= now ? list.at + EVERY_MS + this.#spread : now;
  }

  async #ask(account: Account): Promise<void> {
    const { clock, pool, store, known, random, log } = this.options;
    const later = (ms: number) => this.#next.set(account.id, clock.now() + ms);
    this.#free = clock.now() + GAP_MS * (1 + random());
    later(LATER_MS);
    if (this.options.careful()) return;
    const lane = await this.#lease("models", LEASE_MS);
    if (!lane) return;
    try {
      await pool.refresh();
      await known.read();
      const current = pool.account(account.id);
      // Another process may have asked meanwhile.
      if (!current || this.#believedUntil(current) > clock.now()) return;
      const own = await this.#lease(`models ${account.id}`, LEASE_MS);
      if (!own) return void later(RETRY_MS);
      const before = known.lists.get(account.id);
      const { signal } = this.#stopped;
      const answer = await fetchModels(current, before?.etag ?? "", { ...this.options, signal });
      if (this.#stopped.signal.aborted) return await own.release();
      if (answer.kind === "read" || (answer.kind === "same" && before)) {
        const list = answer.kind === "read" ? answer : before;
        await saveModelList(store, account.id, {
          at: clock.now(),
          etag: list?.etag ?? "",
          models: list?.models ?? [],
        });
        await own.release();
        await known.read();
        if (answer.kind === "read") log.info(`${account.alias}: ${answer.models.length} models`);
        if (this.options.credits()) await this.#askCredits(current, signal);
        return;
      }
      later(RETRY_MS);
      await own.release(RETRY_MS);
      const cause = answer.kind === "failed" ? answer.cause : "the access token is refused";
      log.info(`${account.alias}: no model list (${cause})`);
    } finally {
      await lane.release();
    }
  }

  async #askCredits(account: Account, signal: AbortSignal): Promise<void> {
    const at = this.options.clock.now();
    const found = await fetchResetCredits(account, { ...this.options, signal });
    if (found) await savePlanExtras(this.options.store, account.id, { at, ...found });
    else if (!signal.aborted) this.options.log.info(`${account.alias}: no list of reset credits`);
  }

  /** A store that cannot be written keeps no list either. */
  async #lease(name: string, ms: number): Promise<Lease | undefined> {
    return await this.options.store.lease(name, ms).catch(() => undefined);
  }
}
