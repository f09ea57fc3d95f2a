import type { Clock } from "../platform/clock.ts";
import type { QuotaWindow } from "../quota/window.ts";
import { endingFromDone, faultEvent } from "./ending.ts";
import type { Outcome } from "./outcome.ts";
import { type Chunk, Passage } from "./passage.ts";
import { type Step, TimedReader } from "./timed_reader.ts";
import { ALIAS, Watch } from "./watch.ts";

/** What {@linkcode openStream} needs. All times are milliseconds. */
export interface StreamOptions {
  readonly clock: Clock;
  /** Longest silence (no bytes at all) before the first useful event. */
  readonly stallMs: number;
  /** When the first useful event must be there at the latest, epoch milliseconds (default: whenever it comes). */
  readonly until?: number;
  /** Longest silence after it; comments that keep the connection alive are no silence. */
  readonly silenceMs: number;
  /** Ends everything, upstream included, at once. */
  readonly signal?: AbortSignal;
  /** Epoch milliseconds when the request was sent: how old figures in the head of the answer are. Default: when they arrive. */
  readonly sentAt?: number;
  /** Figures from `codex.rate_limits` events, whenever they come. Must not throw. */
  readonly onWindows?: (windows: readonly QuotaWindow[]) => void;
  /** Called once, when an opened stream is over for whatever reason. Must not throw. */
  readonly onEnd?: (end: StreamEnd) => void;
}

/** How an opened stream ended. */
export interface StreamEnd {
  /**
   * - `terminal`: the backend said that the answer is over
   * - `ended early`: the connection closed without that
   * - `silent`: nothing came for too long
   * - `cut`: the connection broke
   * - `cancelled`: the reader or the signal gave up
   */
  readonly how: "terminal" | "ended early" | "silent" | "cut" | "cancelled";
  /** The terminal event's type, with `terminal`. */
  readonly type?: string;
  /** The terminal event's data, decoded when asked for; usage figures are in it. */
  readonly data?: () => string;
  /** What the terminal event means when it is a refusal (`response.failed`, `error`), else `ok`. */
  readonly outcome?: Outcome;
  /** What broke the connection, with `cut`. */
  readonly error?: unknown;
}

/** What came of looking at the head of an answer. Everything but `open` has let go of the connection. */
export type Opened =
  /** Something useful has come, or enough to stop waiting: the whole answer, byte for byte. */
  | { readonly kind: "open"; readonly body: ReadableStream<Chunk> }
  /** The backend refused before anything useful came. */
  | {
    readonly kind: "refused";
    readonly outcome: Outcome;
    /** Figures that came before the refusal; `onWindows` has seen them too. */
    readonly windows: readonly QuotaWindow[];
  }
  /** Silence. */
  | { readonly kind: "stalled" }
  /** The connection broke, or the signal aborted; then `error` is its reason. */
  | { readonly kind: "broken"; readonly error: unknown }
  /** The connection closed before anything useful came. */
  | { readonly kind: "ended" };

/**
 * Reads the head of a streamed answer and opens the rest.
 *
 * Only what a handshake consists of is held back, so that a refusal inside a
 * 200 can still be handed to another account; from the first useful event on
 * every byte passes as it came, an event at a time at the latest. An answer
 * that breaks after that is ended with an error event, because a clean end
 * without a terminal event makes OpenCode send the turn again, for ever.
 *
 * Never rejects.
 */
export async function openStream(response: Response, options: StreamOptions): Promise<Opened> {
  const source = response.body?.getReader();
  if (!source) return { kind: "ended" };
  return await new Answer(source, response.headers, options).open();
}

/** Most bytes that are held back beside the events that repeat the request; see {@linkcode Watch.heldBytes}. */
const MAX_HELD_BYTES = 64 * 1024;
/** Most bytes that are held back in all. */
const MAX_HEAD_BYTES = 256 * 1024;
/**
 * Longest that a living answer is held back, in milliseconds. One that sends
 * only comments is not stalled; it goes through before OpenCode's own limit of
 * 300 s for the headers ends the turn.
 */
const MAX_HELD_MS = 60_000;
/** How long a connection may stay open behind the terminal event, in milliseconds. */
const AFTER_END_MS = 5_000;

/** One answer, from its first byte to its last. */
class Answer {
  readonly #passage = new Passage();
  readonly #reader: TimedReader;
  readonly #watch: Watch;
  #controller: ReadableStreamDefaultController<Chunk> | undefined;
  #over = false;
  /** Whether a read for the open stream is under way. */
  #reading = false;

  constructor(
    private readonly source: ReadableStreamDefaultReader<Chunk>,
    headers: Headers,
    private readonly options: StreamOptions,
  ) {
    const { clock, sentAt, onWindows } = options;
    this.#reader = new TimedReader(source, clock);
    this.#watch = new Watch(headers, {
      clock,
      ...(sentAt !== undefined && { sentAt }),
      onWindows: (windows) => quietly(() => onWindows?.(windows)),
    });
  }

  open(): Promise<Opened> {
    const { clock, signal, stallMs, until = Number.POSITIVE_INFINITY } = this.options;
    if (signal?.aborted) this.#onAbort();
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    const patientUntil = clock.now() + MAX_HELD_MS;
    return new Promise((resolve) => {
      const read = () => this.#reader.read(Math.min(stallMs, until - clock.now()), head);
      const head = (step: Step) => {
        const opened = this.#tryHead(step, clock.now() < patientUntil);
        if (opened === undefined) return read();
        if (opened.kind !== "open") {
          this.#over = true;
          signal?.removeEventListener("abort", this.#onAbort);
          this.#letGo(new Error("the answer is not needed any more"));
        }
        resolve(opened);
      };
      read();
    });
  }

  #tryHead(step: Step, patient: boolean): Opened | undefined {
    try {
      return this.#head(step, patient);
    } catch (error) {
      return { kind: "broken", error };
    }
  }

  /** Looks at the next bytes of the head. Undefined means: read on. */
  #head(step: Step, patient: boolean): Opened | undefined {
    const { signal } = this.options;
    if (signal?.aborted) return { kind: "broken", error: signal.reason };
    if (step.kind === "silent") return { kind: "stalled" };
    if (step.kind === "cut") return { kind: "broken", error: step.error };
    if (step.kind === "chunk") this.#passage.take(step.chunk, this.#watch.see);
    else this.#completeLast();
    if (this.#watch.refusal) {
      return { kind: "refused", outcome: this.#watch.refusal, windows: this.#watch.windows };
    }
    const enough = this.#watch.heldBytes > MAX_HELD_BYTES ||
      this.#passage.length > MAX_HEAD_BYTES || !patient;
    if (this.#watch.useful || (enough && step.kind === "chunk")) {
      this.#watch.useful = true;
      return { kind: "open", body: this.#body() };
    }
    return step.kind === "end" ? { kind: "ended" } : undefined;
  }

  #body(): ReadableStream<Chunk> {
    // Nothing is read ahead: the reader's pace is the backend's pace.
    return new ReadableStream<Chunk>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: (reason) => {
        this.#finish("cancelled");
        this.#letGo(reason);
      },
    }, { highWaterMark: 0 });
  }

  /** Hands out what is there, else reads on; what comes then is handed out by {@linkcode Answer.#come}. */
  #pull(): void {
    const ready = this.#passage.next();
    if (ready) return this.#controller?.enqueue(ready);
    if (this.#reading) return;
    this.#reading = true;
    this.#readOn();
  }

  #readOn(): void {
    const { silenceMs } = this.options;
    this.#reader.read(
      this.#watch.ending ? Math.min(silenceMs, AFTER_END_MS) : silenceMs,
      this.#come,
    );
  }

  readonly #come = (step: Step): void => {
    const controller = this.#controller;
    if (this.#over || controller === undefined) return;
    try {
      if (step.kind !== "chunk") return this.#conclude(controller, step);
      this.#passage.take(step.chunk, this.#watch.see);
      const ready = this.#passage.next();
      // Not one whole event yet.
      if (!ready) return this.#readOn();
      this.#reading = false;
      controller.enqueue(ready);
    } catch (error) {
      // Nobody above us would hear of it, and the reader would wait for ever.
      controller.error(error);
      this.#finish("cut", error);
      this.#letGo(error);
    }
  };

  /** The backend sends no more: ends the stream in a way that its reader understands. */
  #conclude(
    controller: ReadableStreamDefaultController<Chunk>,
    step: Exclude<Step, { kind: "chunk" }>,
  ): void {
    if (step.kind === "silent") this.#letGo(new Error("the answer fell silent"));
    if (this.#watch.ending === undefined) this.#completeLast();
    for (let part = this.#passage.next(); part; part = this.#passage.next()) {
      controller.enqueue(part);
    }
    const last = this.#watch.ending;
    const fault = step.kind === "end" ? "ended early" : step.kind;
    let ending: string | undefined;
    if (last === undefined) ending = faultEvent(fault);
    else if (last.type === ALIAS) ending = endingFromDone(last.data()) ?? faultEvent(fault);
    else for (const rest of this.#passage.rest()) controller.enqueue(rest);
    if (ending !== undefined) controller.enqueue(encoder.encode(ending));
    controller.close();
    this.#finish(fault, step.kind === "cut" ? step.error : undefined);
  }

  /** An event that lacks nothing but the blank line behind it gets one; it may be the terminal one. */
  #completeLast(): void {
    const data = this.#passage.unfinishedData;
    if (data !== undefined && isJson(data)) {
      this.#passage.take(encoder.encode("\n\n"), this.#watch.see);
    }
  }

  readonly #onAbort = (): void => {
    const reason = this.options.signal?.reason;
    if (!this.#over && this.#controller) {
      this.#controller.error(reason);
      this.#finish("cancelled");
    }
    this.#letGo(reason);
  };

  #finish(how: Exclude<StreamEnd["how"], "terminal">, error?: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#passage.clear();
    const { signal, onEnd } = this.options;
    signal?.removeEventListener("abort", this.#onAbort);
    const last = this.#watch.ending;
    quietly(() =>
      onEnd?.(last ? { how: "terminal", ...last } : error === undefined ? { how } : { how, error })
    );
  }

  #letGo(reason: unknown): void {
    this.#reader.stop();
    this.source.cancel(reason).catch(() => {});
  }
}

const encoder = new TextEncoder();

/** Runs what others gave us; a fault of theirs must not cut somebody's answer. */
function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // Named by the documentation of the options: must not throw.
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
