import type { Clock } from "../platform/clock.ts";

/** Longest that one request waits for the edge to let it through, in milliseconds. */
const PATIENCE_MS = 12_000;
/** Waits between requests while the edge keeps refusing, in milliseconds. */
const GROWING_MS = [10_000, 30_000, 90_000] as const;

/**
 * Cloudflare's refusals. They are about this machine's address or client, so
 * another account would meet the same wall: a request waits a little and tries
 * again, and while requests keep failing the next ones wait longer.
 */
export class Edge {
  #failures = 0;
  #closedUntil = 0;

  constructor(private readonly clock: Clock, private readonly random: () => number) {}

  /** How long a new request must wait first, in milliseconds; undefined when that is more than a request may wait. */
  entry(): number | undefined {
    const wait = this.#closedUntil - this.clock.now();
    if (wait <= 0) return 0;
    return wait <= PATIENCE_MS ? wait : undefined;
  }

  /**
   * How long a refused request waits before it tries again, in milliseconds;
   * undefined when its patience is used up, which makes the next requests wait.
   *
   * @param waited What it has waited so far, in milliseconds.
   */
  refused(waited: number): number | undefined {
    const wait = 2_000 + this.random() * 3_000;
    if (waited + wait <= PATIENCE_MS) return wait;
    const pause = GROWING_MS[Math.min(this.#failures, GROWING_MS.length - 1)] ?? 0;
    this.#failures++;
    this.#closedUntil = this.clock.now() + pause;
    return undefined;
  }

  /** An answer came through. */
  passed(): void {
    this.#failures = 0;
    this.#closedUntil = 0;
  }
}
