import { setImmediate } from "node:timers";
import type { Clock } from "../src/platform/clock.ts";

interface Timer {
  at: number;
  order: number;
  callback: () => void;
}

/** The fixtures' "now": 2026-11-23T18:00:00Z. */
export const FIXTURE_NOW = 1795456800_000;

/** A clock that moves only when a test says so. */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #timers = new Set<Timer>();

  constructor(now: number = FIXTURE_NOW) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = {
      at: this.#now + Math.max(ms, 0),
      order: this.#order++,
      callback,
    };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time forward and runs every timer that falls due, in order, letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = [...this.#timers].filter((timer) => timer.at <= end)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!next) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
    await settle();
  }

  /** Sets the wall clock without running timers, as an operator or NTP does. */
  jump(to: number): void {
    this.#now = to;
  }
}

/** Lets pending promise reactions and one round of I/O callbacks run. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
