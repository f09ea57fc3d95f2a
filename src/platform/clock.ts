/**
 * Time as an argument. Everything that asks what time it is, or waits, takes a
 * {@linkcode Clock}, so that tests move time by hand.
 *
 * @module
 */
import { builtin } from "./runtime.ts";

let timers: typeof import("node:timers") | undefined;

/** Wall-clock time and timers. All values are milliseconds. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /**
   * Runs `callback` once after `ms` milliseconds.
   *
   * @param options.background Whether the process may end while this timer waits (default false).
   * @returns A function that cancels the timer; calling it twice is harmless.
   */
  after(
    ms: number,
    callback: () => void,
    options?: { background?: boolean },
  ): () => void;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback, options) {
    // Deno's global timers are numbers, which cannot be told to let the process end.
    const { clearTimeout, setTimeout } = timers ??= builtin("node:timers");
    // Timers above 2^31 - 1 ms fire at once in every runtime.
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), 0x7fff_ffff));
    if (options?.background) timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Waits on a clock.
 *
 * @param clock Whose time passes.
 * @param ms How long, in milliseconds.
 * @param signal Ends the wait early.
 * @throws The signal's reason when it aborts before the time is up.
 */
export function sleep(
  clock: Clock,
  ms: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
