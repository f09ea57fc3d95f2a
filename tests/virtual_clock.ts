import { setImmediate, setTimeout } from "node:timers";
import type { Clock } from "../src/platform/clock.ts";

interface Timer {
  at: number;
  order: number;
  callback: () => void;
}

/** The fixtures' "now": 2026-11-23T18:00:00Z. */
export const FIXTURE_NOW = 1795456800_000;

/** How long some work may take by the real clock before a test is ended that would wait for ever, in milliseconds. */
const PATIENCE_MS = 60_000;

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

  /**
   * Lets time pass until some work has ended, and gives what came of it. Time stands still while no
   * timer waits: then the work waits for a program, a disk or a socket, however slow the machine is.
   *
   * @throws {Error} when it has not ended after a real minute.
   */
  async passUntil<T>(work: Promise<T>, stepMs = 100): Promise<T> {
    let done = false;
    work.then(() => done = true, () => done = true);
    const start = performance.now();
    for (let step = 1; !done; step++) {
      if (this.pending > 0) await this.advance(stepMs);
      else if (step < 5) await settle();
      else await moment();
      if (performance.now() - start > PATIENCE_MS) {
        throw new Error(`not done after ${step} steps of ${stepMs} ms and a real minute`);
      }
    }
    return await work;
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

/** A real moment, for what happens outside of this process. */
function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
