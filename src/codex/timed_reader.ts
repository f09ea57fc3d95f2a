import type { Clock } from "../platform/clock.ts";
import type { Chunk } from "./passage.ts";

/** What came of waiting for the next bytes. */
export type Step =
  | { readonly kind: "chunk"; readonly chunk: Chunk }
  /** The body is over, in good order. */
  | { readonly kind: "end" }
  /** Nothing came in time; the read goes on until the source is cancelled. */
  | { readonly kind: "silent" }
  /** The connection broke. */
  | { readonly kind: "cut"; readonly error: unknown };

/** How late a timer may fire, in milliseconds. A wait that seems longer by more is a clock that jumped, or a machine that slept. */
const LAG_MS = 1_000;

/**
 * Reads a body, and notices when it falls silent.
 *
 * An answer may have thousands of chunks, so a timer is not set for each: one
 * timer runs, and when it fires looks at when the last wait began. Where the
 * clock has jumped in between it waits anew.
 */
export class TimedReader {
  #waitingSince = 0;
  #giveUp: ((step: Step) => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerMs = 0;
  /** Reads begun; tells a timer whether anything happened while it ran. */
  #reads = 0;

  constructor(
    private readonly source: ReadableStreamDefaultReader<Chunk>,
    private readonly clock: Clock,
  ) {}

  /**
   * Waits for the next bytes. Never rejects.
   *
   * @param ms How long, in milliseconds.
   */
  read(ms: number): Promise<Step> {
    this.#reads++;
    this.#waitingSince = this.clock.now();
    if (this.#timerMs !== ms) this.stop();
    if (this.#cancelTimer === undefined) this.#arm(ms, ms);
    return new Promise((resolve) => {
      this.#giveUp = resolve;
      this.source.read().then(
        ({ done, value }) => {
          this.#giveUp = undefined;
          if (done) this.stop();
          resolve(done ? END : { kind: "chunk", chunk: value });
        },
        (error: unknown) => {
          this.stop();
          resolve({ kind: "cut", error });
        },
      );
    });
  }

  /** Ends the timer; the next read sets it again. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #arm(ms: number, wait: number): void {
    this.#timerMs = ms;
    const reads = this.#reads;
    this.#cancelTimer = this.clock.after(wait, () => {
      this.#cancelTimer = undefined;
      const giveUp = this.#giveUp;
      // Nobody waits: the reader takes its time, and the next read sets the timer.
      if (giveUp === undefined) return;
      const left = ms - (this.clock.now() - this.#waitingSince);
      const late = left <= 0 && left > -LAG_MS;
      if (late || this.#reads === reads) return giveUp({ kind: "silent" });
      this.#arm(ms, left > 0 && left <= ms ? left : ms);
    });
  }
}

const END: Step = { kind: "end" };
