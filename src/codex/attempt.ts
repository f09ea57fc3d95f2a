import type { Account } from "../account/account.ts";
import type { Clock } from "../platform/clock.ts";
import { sharedTimer } from "../platform/shared_timer.ts";
import { readQuotaWindows } from "../quota/headers.ts";
import type { QuotaWindow } from "../quota/window.ts";
import { classify, type Outcome } from "./outcome.ts";
import { type IncomingRequest, upstreamHeaders } from "./request.ts";
import type { Chunk } from "./passage.ts";
import { openStream, type StreamEnd } from "./stream.ts";
import { type Step, TimedReader } from "./timed_reader.ts";

/** Error bodies are read up to this size, in bytes; the rest of a larger one is not worth having. */
const MAX_ERROR_BYTES = 1024 * 1024;

/** What came of sending a request on one account. */
export interface Attempt {
  readonly outcome: Outcome;
  /** The answer, ready to hand to the caller; absent when nothing arrived. */
  readonly response?: Response;
  /** Quota figures that came with it. */
  readonly windows: readonly QuotaWindow[];
  /** What went wrong on the way, for the log; never contains a body. */
  readonly trouble?: string;
}

/** Sends one request on one account and reads as much of the answer as tells what it is. */
export interface Sender {
  /**
   * @param request.body The body to send, after whatever had to change in it.
   * @param request.until When the request's time is over, epoch milliseconds: what has not begun by then is given up.
   * @param request.onEnd How the stream of a good answer ended, when it has.
   * @throws The signal's reason when the caller aborts; nothing else.
   */
  send(request: {
    readonly incoming: IncomingRequest;
    readonly url: string;
    readonly body: BodyInit | undefined;
    readonly account: Account;
    readonly until: number;
    readonly onEnd: (end: StreamEnd) => void;
  }): Promise<Attempt>;
}

/**
 * @param options.limits Longest silences before and after the first useful event, in milliseconds.
 * @param options.onWindows Figures that arrive while an answer streams.
 */
export function createSender(options: {
  fetch: typeof fetch;
  clock: Clock;
  limits: () => { stall: number; silence: number };
  onWindows: (account: Account, windows: readonly QuotaWindow[]) => void;
}): Sender {
  const clock = sharedTimer(options.clock);

  const send: Sender["send"] = async ({ incoming, url, body, account, until, onEnd }) => {
    const { stall, silence } = options.limits();
    const upstream = new AbortController();
    const release = follow(incoming.signal, upstream);
    const sentAt = clock.now();
    let response: Response;
    // A compaction is answered in one piece: its headers come when all the work is done.
    const patience = url.endsWith("/compact") ? Math.max(stall, silence) : stall;
    const cancel = clock.after(
      Math.min(patience, until - sentAt),
      () => upstream.abort(STALLED),
      { background: true },
    );
    try {
      response = await options.fetch(url, {
        method: incoming.method,
        headers: upstreamHeaders(incoming.headers, account),
        body: body ?? null,
        signal: upstream.signal,
        // Tokens do not follow a redirect.
        redirect: "manual",
        // Bun ends a fetch after five minutes unless told otherwise.
        timeout: false,
      } as RequestInit);
    } catch {
      release();
      if (incoming.signal?.aborted) throw incoming.signal.reason;
      return {
        outcome: { kind: "server trouble" },
        windows: [],
        trouble: upstream.signal.reason === STALLED ? "no answer in time" : "no connection",
      };
    } finally {
      cancel();
    }
    // Figures are as old as the question: an answer that overtook a refusal must not outdate it.
    const windows = readQuotaWindows(response.headers, clock.now(), sentAt);
    if (response.ok && isEventStream(response)) {
      const opened = await openStream(response, {
        clock,
        stallMs: stall,
        until,
        silenceMs: silence,
        signal: upstream.signal,
        sentAt,
        onWindows: (later) => options.onWindows(account, later),
        onEnd: (end) => {
          release();
          onEnd(end);
        },
      });
      if (opened.kind === "open") {
        return { outcome: { kind: "ok" }, response: withBody(response, opened.body), windows };
      }
      release();
      upstream.abort(LEFT);
      if (incoming.signal?.aborted) throw incoming.signal.reason;
      return opened.kind === "refused"
        ? { outcome: opened.outcome, windows: [...windows, ...opened.windows] }
        : { outcome: { kind: "server trouble" }, windows, trouble: TROUBLE[opened.kind] };
    }
    if (response.ok) {
      // In one piece: nothing of it is worth having before its end, so one without an end is the next account's turn.
      const { bytes, end } = await readWhole(
        response,
        clock,
        () => Math.min(silence, until - clock.now()),
      );
      release();
      if (incoming.signal?.aborted) throw incoming.signal.reason;
      if (end === "end") {
        onEnd({ how: "terminal", data: () => new TextDecoder().decode(bytes) });
        return {
          outcome: { kind: "ok" },
          response: withBody(response, response.body && bytes),
          windows,
        };
      }
      upstream.abort(LEFT);
      const trouble = end === "silent" ? TROUBLE.stalled : TROUBLE.broken;
      return { outcome: { kind: "server trouble" }, windows, trouble };
    }
    try {
      const bytes = await readError(response, clock, Math.min(stall, until - clock.now()));
      const outcome = classify(
        response.status,
        response.headers,
        new TextDecoder().decode(bytes),
        clock.now(),
      );
      return { outcome, response: withBody(response, response.body && bytes), windows };
    } finally {
      release();
      upstream.abort(LEFT);
      incoming.signal?.throwIfAborted();
    }
  };

  return { send };
}

const STALLED = new Error("no answer in time");
const LEFT = new Error("the answer is not needed any more");

const TROUBLE = {
  stalled: "the answer stalled",
  broken: "the answer broke off",
  ended: "the answer ended without a result",
} as const;

/** Aborts `inner` when `outer` does. Returns a function that ends this. */
function follow(outer: AbortSignal | undefined, inner: AbortController): () => void {
  if (!outer) return () => {};
  if (outer.aborted) throw outer.reason;
  const onAbort = () => inner.abort(outer.reason);
  outer.addEventListener("abort", onAbort, { once: true });
  return () => outer.removeEventListener("abort", onAbort);
}

function isEventStream(response: Response): boolean {
  const type = response.headers.get("content-type");
  return type === null || type.startsWith("text/event-stream");
}

/** The same answer with another body; what described the old body's encoding goes. */
export function withBody(response: Response, body: BodyInit | null): Response {
  const { headers, status, statusText } = response;
  const whole = new Response(body, { headers, status, statusText });
  whole.headers.delete("content-encoding");
  whole.headers.delete("content-length");
  return whole;
}

/** Reads an error's body, as far as it comes within the time and the size that an error deserves. */
async function readError(response: Response, clock: Clock, ms: number): Promise<Chunk> {
  const until = clock.now() + ms;
  // A cut error body is still an error; its status says enough.
  return (await readWhole(response, clock, () => until - clock.now(), MAX_ERROR_BYTES)).bytes;
}

/**
 * Reads a body to its end, or until it has `max` bytes.
 *
 * @param patience How long the next bytes may take, in milliseconds.
 * @returns What has come, and how it ended.
 */
async function readWhole(
  response: Response,
  clock: Clock,
  patience: () => number,
  max: number = Number.POSITIVE_INFINITY,
): Promise<{ bytes: Chunk; end: Step["kind"] }> {
  const source = response.body?.getReader();
  if (!source) return { bytes: new Uint8Array(), end: "end" };
  const reader = new TimedReader(source, clock);
  const chunks: Chunk[] = [];
  let end: Step["kind"] = "chunk";
  for (let size = 0; end === "chunk" && size < max;) {
    const step = await new Promise<Step>((tell) => reader.read(patience(), tell));
    if (step.kind === "chunk") size += step.chunk.length, chunks.push(step.chunk);
    end = step.kind;
  }
  reader.stop();
  source.cancel().catch(() => {});
  return { bytes: new Uint8Array(await new Blob(chunks).arrayBuffer()), end };
}
