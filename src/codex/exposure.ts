import { type Clock, sleep } from "../platform/clock.ts";

/** How long an invalidation makes us careful, in milliseconds. */
const ALARM_MS = 5_000;
/** Accounts that may be shown to the backend within that time. */
const MAX_SHOWN = 2;

/**
 * After a token was invalidated, accounts are shown one after the other, those
 * that were in use a moment ago too: presenting every token right after one
 * invalidation is said to invalidate them in turn. Whoever had to wait comes
 * at the same pace when the alarm is over; accounts that have answered well
 * since then go on undisturbed. With no invalidation in sight nothing here
 * ever waits.
 */
export class Exposure {
  #alarmedAt = Number.NEGATIVE_INFINITY;
  /** When each account was shown during or right after an alarm, oldest first. */
  readonly #shown = new Map<string, number>();
  /** Accounts that have answered well since the last invalidation. */
  readonly #proven = new Set<string>();

  constructor(private readonly clock: Clock) {}

  /** Whether accounts are shown one after the other now. */
  get careful(): boolean {
    const now = this.clock.now();
    this.#prune(now);
    return this.#alarmed(now) || this.#shown.size > 0;
  }

  /** The backend has refused this account's token. */
  invalidated(accountId: string): void {
    const now = this.clock.now();
    this.#prune(now);
    this.#alarmedAt = now;
    this.#proven.clear();
    // It was shown a moment ago. Requests that ran side by side may have shown more than two.
    if (this.#shown.size < MAX_SHOWN) this.#show(accountId, now);
  }

  /** The backend has taken this account's token. */
  passed(accountId: string): void {
    this.#proven.add(accountId);
  }

  /**
   * Waits until this account may be shown, be it with a request or with its refresh token.
   *
   * @param until When to give up, epoch milliseconds.
   * @returns Whether it may.
   * @throws The signal's reason when it aborts meanwhile.
   */
  async turn(
    accountId: string,
    signal: AbortSignal | undefined,
    until = Number.POSITIVE_INFINITY,
  ): Promise<boolean> {
    for (let waited = false; this.careful || waited; waited = true) {
      const now = this.clock.now();
      const alarmed = this.#alarmed(now);
      if (!alarmed && this.#proven.has(accountId)) return true;
      const known = this.#shown.has(accountId);
      if (known || this.#shown.size < MAX_SHOWN) {
        // After the alarm an account that nobody hears of must not keep others out for ever.
        if (alarmed || !known) this.#show(accountId, now);
        return true;
      }
      if (now >= until) return false;
      const [oldest = now] = this.#shown.values();
      await sleep(this.clock, Math.max(oldest + ALARM_MS - now, 1), signal);
    }
    return true;
  }

  #show(accountId: string, now: number): void {
    this.#shown.delete(accountId);
    this.#shown.set(accountId, now);
  }

  #alarmed(now: number): boolean {
    // A clock that was set back must not make the alarm last.
    return Math.abs(now - this.#alarmedAt) < ALARM_MS;
  }

  #prune(now: number): void {
    for (const [accountId, at] of this.#shown) {
      if (Math.abs(now - at) >= ALARM_MS) this.#shown.delete(accountId);
    }
  }
}
