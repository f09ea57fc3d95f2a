import type { QuotaWindow } from "../quota/window.ts";
import type { AccountFigures } from "../store/store.ts";

interface Figure {
  uses: number;
  readonly windows: Map<string, QuotaWindow>;
}

/** Uses and quota windows of all accounts, as one process knows them. Newer evidence wins. */
export class Figures {
  readonly #accounts = new Map<string, Figure>();

  /** Answered requests of an account. */
  uses(accountId: string): number {
    return this.#accounts.get(accountId)?.uses ?? 0;
  }

  /** The last known windows of an account. */
  windows(accountId: string): readonly QuotaWindow[] {
    return [...this.#accounts.get(accountId)?.windows.values() ?? []];
  }

  /** Counts an answered request. */
  count(accountId: string): void {
    this.#figure(accountId).uses++;
  }

  /**
   * Takes windows in.
   *
   * @returns Those that are not older than what was known.
   */
  learn(accountId: string, windows: readonly QuotaWindow[]): QuotaWindow[] {
    const known = this.#figure(accountId).windows;
    return windows.filter((window) => {
      const key = `${window.bucket}/${window.minutes}`;
      const before = known.get(key);
      if (before && before.observedAt > window.observedAt) return false;
      known.set(key, window);
      return true;
    });
  }

  /** Takes in what the store knows. */
  merge(stored: ReadonlyMap<string, AccountFigures>): void {
    for (const [accountId, { uses, windows }] of stored) {
      const figure = this.#figure(accountId);
      figure.uses = Math.max(figure.uses, uses);
      this.learn(accountId, windows);
    }
  }

  #figure(accountId: string): Figure {
    let figure = this.#accounts.get(accountId);
    if (!figure) this.#accounts.set(accountId, figure = { uses: 0, windows: new Map() });
    return figure;
  }
}
