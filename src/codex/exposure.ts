import { type Clock, sleep } from "../platform/clock.ts";

/** How long an invalidation makes us careful, in milliseconds. */
const ALARM_MS = 5_000;
/** Accounts that may be shown to the backend within that time. */
const MAX_SHOWN = 2;

/**
 * After a token was invalidated, accounts are shown one after the other:
 * presenting every token right after one invalidation is said to invalidate
 * them in turn. Accounts that were already in use go on undisturbed; with no
 * invalidation in sight nothing here ever waits.
 */
export class Exposure {
  #alarmedAt = Number.NEGATIVE_INFINITY;
  /** When each account was last shown; only entries of the last seconds matter. */
  readonly #shown = new Map<string, number>();
  /** Accounts that were brought in since the alarm began, with their time. */
  #during: { id: string; at: number }[] = [];

  constructor(private readonly clock: Clock) {}

  /** The backend has refused this account's token. */
  invalidated(accountId: string): void {
    const now = this.clock.now();
    this.#prune(now);
    this.#alarmedAt = now;
    if (!this.#during.some((entry) => entry.id === accountId)) {
      this.#during.push({ id: accountId, at: now });
    }
  }

  /**
   * Waits until this account may be shown.
   *
   * @throws The signal's reason when it aborts meanwhile.
   */
  async turn(accountId: string, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const now = this.clock.now();
      const alarm = now - this.#alarmedAt < ALARM_MS;
      if (!alarm) {
        this.#shown.set(accountId, now);
        return;
      }
      this.#prune(now);
      const known = this.#during.find((entry) => entry.id === accountId);
      const inUse = now - (this.#shown.get(accountId) ?? Number.NEGATIVE_INFINITY) < ALARM_MS;
      if (known || inUse || this.#during.length < MAX_SHOWN) {
        if (known) known.at = now;
        else if (!inUse) this.#during.push({ id: accountId, at: now });
        this.#shown.set(accountId, now);
        return;
      }
      const oldest = Math.min(...this.#during.map((entry) => entry.at));
      await sleep(this.clock, Math.max(oldest + ALARM_MS - now, 1), signal);
    }
  }

  #prune(now: number): void {
    this.#during = this.#during.filter((entry) => now - entry.at < ALARM_MS);
  }
}
