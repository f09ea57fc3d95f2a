import type { Clock } from "../platform/clock.ts";
import { readRateLimitsEvent } from "../quota/rate_limits_event.ts";
import type { QuotaWindow } from "../quota/window.ts";
import { classifyEvent, type Outcome } from "./outcome.ts";
import type { SseEvent } from "./sse.ts";

/** Events of the handshake: they tell nothing that a reader waits for. */
const HANDSHAKE = new Set([
  "response.created",
  "response.in_progress",
  "response.queued",
  "response.metadata",
]);

/**
 * Events that may repeat the request's instructions and tools: each has 29 KB in
 * an everyday OpenCode turn, more with MCP tools, and a refusal comes right behind them.
 */
const REPEATING = new Set(["response.created", "response.in_progress"]);

const TERMINAL = new Set(["response.completed", "response.incomplete", "response.failed", "error"]);

/** Those that refuse nothing. */
const GOOD = new Set(["response.completed", "response.incomplete"]);

/** The old name of every terminal event; OpenCode does not know it. */
export const ALIAS = "response.done";

/** Most events that are held back. */
const MAX_HELD_EVENTS = 16;

/** The event that ended an answer. */
export interface Ending {
  readonly type: string;
  /** Its data, decoded when asked for. */
  readonly data: () => string;
  /** What it means when it is a refusal, else `ok`. */
  readonly outcome: Outcome;
}

/**
 * What the events of one answer have told so far. In the head every event is
 * understood; behind it only those are looked at that end the answer or bring
 * figures, and only these are ever decoded.
 */
export class Watch {
  /** Whether something has come that the reader must get. Nothing is held back from then on. */
  useful = false;
  /** A refusal that came before anything useful. */
  refusal: Outcome | undefined;
  /** Figures that came before anything useful. */
  readonly windows: QuotaWindow[] = [];
  /** The terminal event, or its alias as long as no true one has come. */
  ending: Ending | undefined;
  /** Bytes of whole events before anything useful, those that repeat the request left out. */
  heldBytes = 0;
  #handshakes = 0;
  /** Where the last event ended, in bytes from the beginning. */
  #seen = 0;

  constructor(
    private readonly headers: Headers,
    private readonly options: {
      readonly clock: Clock;
      readonly sentAt?: number;
      readonly onWindows?: (windows: readonly QuotaWindow[]) => void;
    },
  ) {}

  /** Takes note of the next event. */
  readonly see = (event: SseEvent): void => {
    if (this.refusal) return;
    const { type } = event;
    if (type === "codex.rate_limits") this.#learn(event);
    // The `event:` line alone ends nothing: OpenCode does not look at it.
    const ends = type !== undefined && (TERMINAL.has(type) || type === ALIAS);
    // A good ending repeats the whole answer; what it means is told by its name.
    const telling = ends ? !GOOD.has(type) : type === undefined && !this.useful;
    const outcome: Outcome = telling
      ? classifyEvent(event.data, this.headers, this.options.clock.now(), event.eventName)
      : { kind: "ok" };
    if (!this.useful) {
      if (isRefusal(outcome)) {
        this.refusal = outcome;
        return;
      }
      this.#handshakes++;
      if (type === undefined || !REPEATING.has(type)) this.heldBytes += event.byteEnd - this.#seen;
      this.#seen = event.byteEnd;
      this.useful = ends || this.#handshakes >= MAX_HELD_EVENTS ||
        (type !== undefined && type.startsWith("response.") && !HANDSHAKE.has(type));
    }
    if (ends && (type !== ALIAS || this.ending === undefined)) {
      // `error` and `response.failed` may come one after the other, the reason in only one of them.
      const known = this.ending?.outcome;
      const best = isRefusal(outcome) || known === undefined ? outcome : known;
      this.ending = { type, data: () => event.data, outcome: best };
    }
  };

  #learn(event: SseEvent): void {
    const { clock, sentAt, onWindows } = this.options;
    const now = clock.now();
    const limits = readRateLimitsEvent(event.data, now, this.useful ? now : sentAt ?? now);
    if (!limits || limits.windows.length === 0) return;
    if (!this.useful) this.windows.push(...limits.windows);
    onWindows?.(limits.windows);
  }
}

/** Whether another account, or another try, may do better. */
function isRefusal({ kind }: Outcome): boolean {
  return kind !== "ok" && kind !== "pass through";
}
