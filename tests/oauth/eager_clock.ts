import { setImmediate } from "node:timers";
import { VirtualClock } from "../virtual_clock.ts";

/**
 * A virtual clock on which short waits pass by themselves, each in a turn of
 * the event loop, and long ones wait for `advance`. So pauses between tries
 * cost no time, while the time limits of real sockets are never reached.
 */
export class EagerClock extends VirtualClock {
  /** The waits that have passed by themselves, in milliseconds. */
  readonly passed: number[] = [];

  /** @param longestMs What still counts as short, in milliseconds. */
  constructor(private readonly longestMs: number) {
    super();
  }

  override after(ms: number, callback: () => void): () => void {
    if (ms > this.longestMs) return super.after(ms, callback);
    let cancelled = false;
    setImmediate(() => {
      if (cancelled) return;
      this.passed.push(ms);
      this.jump(this.now() + ms);
      callback();
    });
    return () => cancelled = true;
  }
}
