/**
 * Scripted misbehaviour: what it can be, and the queue it is taken from.
 *
 * @module
 */
import type { OutgoingHttpHeaders } from "node:http";

/**
 * What an answer of the backend does instead of being good.
 *
 * Events are counted as the simulator writes them: 1 `response.created`, 2 `response.in_progress`,
 * then, when the request asks for encrypted reasoning, 3 and 4 the reasoning item, then the message
 * (`output_item.added`, `content_part.added`, one `output_text.delta` for each word, …) or the tool
 * call, last `response.completed`.
 */
export type Fault =
  /** A whole answer. A body that is not a text is sent as JSON. Nothing is added to the headers but its content-type. */
  | { kind: "status"; status: number; headers?: OutgoingHttpHeaders; body?: unknown }
  /** A 200 that plays a stream byte for byte: a name in `tests/fixtures/sse`, or an absolute path. */
  | { kind: "sse"; file: string; headers?: OutgoingHttpHeaders }
  /** Silence with the connection open. Without `afterEvents` not even headers; 0 = headers only. */
  | { kind: "stall"; afterEvents?: number }
  /** The socket is destroyed after so many events; 0 = right after the headers. */
  | { kind: "cut"; afterEvents: number }
  /** The stream ends as if it were complete, without an event that says so. */
  | { kind: "end-early"; afterEvents: number }
  /** The connection is destroyed before any header. See the note on Deno's `fetch` in simulator.ts. */
  | { kind: "refuse" }
  /** The answer comes late, by the simulator's clock; then the other fault, or a good answer. */
  | { kind: "delay"; ms: number; then?: Fault }
  /** `response.failed` with `usage_limit_reached` inside a 200, as first event or after `response.created`. */
  | { kind: "usage-limit-in-stream"; after: "nothing" | "created" };

/** Faults that need a stream, and so make sense for `responses` only. */
const STREAM_FAULTS: ReadonlySet<Fault["kind"]> = new Set([
  "sse",
  "cut",
  "end-early",
  "usage-limit-in-stream",
]);

/** What a fault is about. */
export type Endpoint =
  | "responses"
  | "models"
  | "wham/usage"
  | "codex/usage"
  | "accounts/check";

/** What the token endpoint does instead of answering well. */
export type TokenFault =
  /** An answer that hands out nothing and consumes nothing. */
  | { kind: "status"; status: number; headers?: OutgoingHttpHeaders; body?: unknown }
  /** No answer. With `consume` the code or refresh token is used up all the same. */
  | { kind: "hang"; consume?: boolean }
  /** The code or refresh token is used up, then the connection is destroyed: the new tokens are lost. See the note on Deno's `fetch` in simulator.ts. */
  | { kind: "cut" }
  /** The connection is destroyed before anything is used up. */
  | { kind: "refuse" }
  /** The token is used up at once, the answer comes late, by the simulator's clock. */
  | { kind: "delay"; ms: number }
  /** A good answer without some fields. A refresh token that is left out stays good, as RFC 6749 (section 6) has it. */
  | { kind: "partial"; leaveOut: readonly ("refresh_token" | "id_token" | "expires_in")[] };

/** A row of `tests/fixtures/codex/errors.json` or `tests/fixtures/oauth/refresh-errors.json`. */
export interface FixtureRow {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/**
 * Makes a recorded failure playable, as a fault of the backend or of the token endpoint.
 *
 * The fixtures' times are absolute around 2026-11-23T18:00:00Z: use a clock that stands there.
 */
export function faultFromFixture(
  row: FixtureRow,
): { kind: "status"; status: number; headers: Record<string, string>; body: unknown } {
  return { kind: "status", status: row.status, headers: { ...row.headers }, body: row.body };
}

/** Faults in the order they were scripted, each for a number of times. */
export class FaultQueue<F extends { kind: string }, On extends string> {
  readonly #queue: { fault: F; on: On; times: number }[] = [];

  /** @param times How often; `Infinity` until {@linkcode clear}. */
  add(fault: F, on: On, times: number): void {
    if (!(times > 0)) throw new Error(`A fault happens at least once, not ${times} times.`);
    this.#queue.push({ fault, on, times });
  }

  /** The next fault for that endpoint, which is thereby used up once. */
  take(on: On): F | undefined {
    const entry = this.#queue.find((candidate) => candidate.on === on);
    if (!entry) return undefined;
    entry.times--;
    if (entry.times <= 0) this.#queue.splice(this.#queue.indexOf(entry), 1);
    return entry.fault;
  }

  clear(): void {
    this.#queue.length = 0;
  }
}

/** @throws {Error} when a fault needs a stream and the endpoint has none. */
export function checkFault(fault: Fault, on: Endpoint): void {
  if (fault.kind === "delay" && fault.then) return checkFault(fault.then, on);
  const streams = STREAM_FAULTS.has(fault.kind) ||
    (fault.kind === "stall" && fault.afterEvents !== undefined);
  if (on !== "responses" && streams) {
    throw new Error(`The fault "${fault.kind}" needs a stream; ${on} answers in one piece.`);
  }
}
