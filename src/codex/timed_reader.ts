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
 * An answer may have thousands of chunks, so neither a timer nor a promise is
 * made for each: one timer runs, and when it fires looks at when the last wait
 * began; what came is told to a function. Where the clock has jumped in between
 * it waits anew.
 */
export class TimedReader {
  #waitingSince = 0;
  #tell: ((step: Step) => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  /** How long the wait that is under way may last. */
  #ms = 0;
  /** How long the running timer was set for. */
  #timerMs = 0;
  /** Reads begun; tells a timer whether anything happened while it ran. */
  #reads = 0;

  constructor(
    private readonly source: ReadableStreamDefaultReader<Chunk>,
    private readonly clock: Clock,
  ) {}

  /**
   * Waits for the next bytes. One wait at a time.
   *
   * @param ms How long, in milliseconds.
   * @param tell Is told what came of it, once. Must not throw.
   */
  read(ms: number, tell: (step: Step) => void): void {
    this.#reads++;
    this.#waitingSince = this.clock.now();
    this.#ms = ms;
    this.#tell = tell;
    // A timer for a longer wait would fire too late; one for a shorter wait looks again.
    if (this.#cancelTimer !== undefined && this.#timerMs > ms) this.stop();
    if (this.#cancelTimer === undefined) this.#arm(ms);
    this.source.read().then(this.#came, this.#broke);
  }

  /** Ends the timer; the next read sets it again. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  readonly #came = ({ done, value }: ReadableStreamReadResult<Chunk>): void => {
    if (done) this.stop();
    this.#step(done ? END : { kind: "chunk", chunk: value });
  };

  readonly #broke = (error: unknown): void => {
    this.stop();
    this.#step({ kind: "cut", error });
  };

  #step(step: Step): void {
    const tell = this.#tell;
    this.#tell = undefined;
    tell?.(step);
  }

  #arm(wait: number): void {
    this.#timerMs = wait;
    const reads = this.#reads;
    this.#cancelTimer = this.clock.after(wait, () => {
      this.#cancelTimer = undefined;
      // Nobody waits: the reader takes its time, and the next read sets the timer.
      if (this.#tell === undefined) return;
      const ms = this.#ms;
      const left = ms - (this.clock.now() - this.#waitingSince);
      const late = left <= 0 && left > -LAG_MS;
      if (late || this.#reads === reads) return this.#step({ kind: "silent" });
      this.#arm(left > 0 && left <= ms ? left : ms);
    });
  }
}

const END: Step = { kind: "end" };
