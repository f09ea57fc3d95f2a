import type { BlockEndSource } from "./block.ts";
import type { QuotaWindow } from "./window.ts";

/** Longest wait that is believed, in milliseconds: 366 days. Anything beyond is a mistake, not a quota. */
export const LONGEST_WAIT_MS = 366 * 86_400_000;

/**
 * Below this a number is epoch seconds, from here on epoch milliseconds: 1e11 s
 * lies in the year 5138, 1e11 ms in 1973.
 */
const FIRST_MILLISECONDS = 1e11;

/** Earliest moment that can be meant, epoch milliseconds (2001-09-09). Smaller ones are counters, not dates. */
const EARLIEST = 1e12;

/** When something ends, and who said so. */
export interface Reset {
  /** Epoch milliseconds, in the future of the `now` it was asked with. */
  readonly until: number;
  readonly source: BlockEndSource;
}

/** All that may say when a limit ends. */
export interface ResetEvidence {
  /** `error.resets_at` of the body: epoch seconds or milliseconds, or an ISO date. */
  readonly resetsAt?: unknown;
  /** `error.resets_in_seconds` of the body. */
  readonly resetsInSeconds?: unknown;
  /** Windows of the bucket that ran out, as read from headers or an event. */
  readonly windows?: readonly QuotaWindow[];
  /** Headers that may carry `retry-after-ms` or `retry-after`. */
  readonly headers?: Headers;
}

/**
 * When does this end? The first of these that lies ahead, and no more than
 * {@linkcode LONGEST_WAIT_MS}: the body's moment, the body's span, the latest
 * reset among the windows at 100 %, Retry-After.
 *
 * @param now Epoch milliseconds.
 * @returns undefined when nobody said anything believable.
 */
export function findReset(evidence: ResetEvidence, now: number): Reset | undefined {
  const at = readMoment(evidence.resetsAt);
  if (isAhead(at, now)) return { until: at, source: "body" };
  const inSeconds = readSpan(evidence.resetsInSeconds);
  if (inSeconds !== undefined) return { until: now + inSeconds, source: "body" };
  const window = latestFullReset(evidence.windows ?? [], now);
  if (window !== undefined) return { until: window, source: "headers" };
  const wait = evidence.headers && readRetryAfter(evidence.headers, now);
  if (wait !== undefined && wait > 0) return { until: now + wait, source: "retry-after" };
  return undefined;
}

/** The latest future reset of the windows that are used up; all of them must start anew before the account serves again. */
function latestFullReset(windows: readonly QuotaWindow[], now: number): number | undefined {
  let latest: number | undefined;
  for (const { usedPercent, resetsAt } of windows) {
    if (usedPercent < 100 || resetsAt === null || !isAhead(resetsAt, now)) continue;
    if (latest === undefined || resetsAt > latest) latest = resetsAt;
  }
  return latest;
}

/**
 * Reads how long the server asks us to stay away.
 *
 * `retry-after-ms` comes first where both are sent: it is the more exact of the
 * two, and OpenCode looks at it first too.
 *
 * @param now Epoch milliseconds, for the form that is a date.
 * @returns Milliseconds from now, 0 or more; undefined when nothing believable is there.
 */
export function readRetryAfter(headers: Headers, now: number): number | undefined {
  const ms = readNumber(headers.get("retry-after-ms"));
  if (ms !== undefined && ms >= 0 && ms <= LONGEST_WAIT_MS) return Math.ceil(ms);
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  const seconds = readNumber(text);
  if (seconds !== undefined) {
    return seconds >= 0 && seconds * 1000 <= LONGEST_WAIT_MS
      ? Math.ceil(seconds * 1000)
      : undefined;
  }
  const at = readMoment(text);
  return isAhead(at, now) ? at - now : undefined;
}

/**
 * The end of one window, from the moment and the span that a server gives for it.
 *
 * The span is safe from a wrong clock on this machine, the moment does not move
 * by a second with every answer. So the moment is taken while both agree within
 * {@linkcode AGREEMENT_MS}, else the span. A span of 0 means nothing.
 *
 * @returns Epoch milliseconds, possibly past; null when nobody said.
 */
export function readWindowEnd(resetAt: unknown, resetAfterSeconds: unknown, now: number) {
  const at = readMoment(resetAt);
  const believed = at !== undefined && at - now <= LONGEST_WAIT_MS ? at : undefined;
  const span = readSpan(resetAfterSeconds);
  if (span === undefined) return believed ?? null;
  const end = now + span;
  return believed !== undefined && Math.abs(believed - end) <= AGREEMENT_MS ? believed : end;
}

/** How far moment and span may lie apart, in milliseconds: rounding to seconds plus the way here. */
const AGREEMENT_MS = 5_000;

/**
 * Reads a moment: epoch seconds, epoch milliseconds, an ISO date or an HTTP
 * date; numbers may come as text.
 *
 * @returns Epoch milliseconds; undefined for anything else.
 */
export function readMoment(value: unknown): number | undefined {
  const number = readNumber(value);
  if (number !== undefined) {
    const ms = Math.round(number < FIRST_MILLISECONDS ? number * 1000 : number);
    return ms >= EARLIEST ? ms : undefined;
  }
  if (typeof value !== "string" || !/\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d/.test(value)) return undefined;
  const text = value.trim();
  // A date without a zone would be read as local time; servers mean UTC.
  const zoned = /(Z|GMT|UTC|[+-]\d\d:?\d\d)$/i.test(text) || /^\d{4}-\d\d-\d\d$/.test(text);
  const ms = Date.parse(zoned ? text : text + (/T/.test(text) ? "Z" : " GMT"));
  return ms >= EARLIEST ? ms : undefined;
}

/** Reads a positive span of seconds as milliseconds; undefined for 0, negatives and more than a year. */
export function readSpan(value: unknown): number | undefined {
  const seconds = readNumber(value);
  if (seconds === undefined) return undefined;
  const ms = Math.round(seconds * 1000);
  return ms > 0 && ms <= LONGEST_WAIT_MS ? ms : undefined;
}

/** A finite number, also from its decimal text; undefined for all else, the empty text included. */
export function readNumber(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string") return undefined;
  if (isShortCount(value)) return Number(value);
  // Number("") is 0 and Number("0x10") is 16: neither is what a server means.
  if (!/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value)) {
    return undefined;
  }
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** Digits and nothing else, few enough to be exact: what nearly every header holds. */
function isShortCount(text: string): boolean {
  if (text.length === 0 || text.length > 15) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

function isAhead(at: number | undefined, now: number): at is number {
  return at !== undefined && at > now && at - now <= LONGEST_WAIT_MS;
}
