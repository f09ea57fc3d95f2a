import { printable } from "../account/alias.ts";
import { formatDuration } from "../platform/duration.ts";
import type { Settings } from "../platform/settings.ts";
import { type BlockReason, NO_END } from "../quota/block.ts";
import type { Absence } from "../rotation/pool.ts";
import { errorResponse, withoutRetryWords } from "./error_response.ts";

/** Header with the earliest reset, epoch milliseconds, for programs. */
export const RESET_HEADER = "x-opencode-multi-auth-resets-at";

/** A pool that has nobody to send, in words and in numbers. */
export interface Exhaustion {
  /** For the person, naming each account and when it is back. */
  readonly message: string;
  /** The earliest known end of a block, epoch milliseconds; undefined when none is known. */
  readonly earliest: number | undefined;
}

const REASONS: Readonly<Record<BlockReason, string>> = {
  "usage limit": "at its limit",
  "rate limit": "slowed down by the backend",
  "not included in plan": "has no Codex in its plan",
  "model not supported": "does not have this model",
  "workspace limit": "at its workspace's limit",
  "workspace deactivated": "has a deactivated workspace",
};

/**
 * Says for each account why it cannot serve, and when the first one can again.
 *
 * @param unrenewed Accounts whose token has ended and could not be renewed, by id, and why.
 */
export function describeExhaustion(
  absences: readonly Absence[],
  now: number,
  unrenewed: ReadonlyMap<string, string> = new Map(),
): Exhaustion {
  let earliest: { alias: string; until: number } | undefined;
  const parts = absences.map(({ account, hindrance }) => {
    const alias = printable(account.alias);
    if (hindrance === undefined) {
      return `${alias} ${unrenewed.has(account.id) ? "has no token that lives" : "did not answer"}`;
    }
    if (hindrance.kind === "disabled") return `${alias} is disabled`;
    if (hindrance.kind === "set aside") return `${alias} ${hindrance.reason}`;
    if (hindrance.kind === "lacks model") return `${alias} does not have this model`;
    const { reason, until } = hindrance.block;
    if (until >= NO_END) return `${alias} ${REASONS[reason]}`;
    if (!earliest || until < earliest.until) earliest = { alias, until };
    return `${alias} ${REASONS[reason]} until ${localTime(until, now)}`;
  });
  const reasons = [...new Set(unrenewed.values())];
  const next = earliest
    ? ` The first to come back is ${earliest.alias} at ${localTime(earliest.until, now)} (in ${
      formatDuration(earliest.until - now)
    }).`
    : reasons.length === 0
    ? " Sign in or enable one: opencode-multi-auth status"
    : "";
  const tokens = reasons.length === 0 ? "" : ` Tokens cannot be renewed: ${reasons.join(" ")}`;
  return {
    message: withoutRetryWords(
      `No ChatGPT account can serve now: ${parts.join("; ")}.${next}${tokens}`,
    ),
    earliest: earliest?.until,
  };
}

/**
 * How long the caller is made to wait for the first account, in milliseconds,
 * at most `maxWait`; undefined when it is told to stop.
 */
export function waitOf(
  { earliest }: Exhaustion,
  { exhausted, maxWait }: Pick<Settings, "exhausted" | "maxWait">,
  now: number,
): number | undefined {
  if (exhausted !== "wait" || earliest === undefined) return undefined;
  return Math.ceil(Math.min(Math.max(earliest - now, 0), maxWait));
}

/** What a person hears of an exhausted pool: whether OpenCode waits and until when, then who is where. */
export function exhaustionNotice(
  { message }: Exhaustion,
  waitMs: number | undefined,
  now: number,
): string {
  return waitMs === undefined
    ? message
    : `OpenCode waits until ${localTime(now + waitMs, now)}. ${message}`;
}

/**
 * The answer of an exhausted pool: a 403 that OpenCode shows at once, or a 429
 * that makes it wait.
 *
 * @param waitMs See {@linkcode waitOf}.
 */
export function exhaustedResponse(exhaustion: Exhaustion, waitMs: number | undefined): Response {
  const { message, earliest } = exhaustion;
  const headers: Record<string, string> = earliest === undefined
    ? {}
    : { [RESET_HEADER]: String(earliest) };
  if (waitMs !== undefined) {
    return errorResponse(429, { message, code: "accounts_exhausted" }, {
      ...headers,
      "retry-after-ms": String(waitMs),
    });
  }
  return errorResponse(403, { message, code: "accounts_exhausted" }, headers);
}

/** Hours and minutes for the same day, with the weekday within a week, with the date beyond. */
function localTime(at: number, now: number): string {
  const date = new Date(at);
  const time = date.toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" });
  if (date.toDateString() === new Date(now).toDateString()) return time;
  const day = at - now < 6 * 86_400_000
    ? date.toLocaleDateString(undefined, { weekday: "long" })
    : date.toLocaleDateString(undefined, { month: "long", day: "numeric" });
  return `${day} ${time}`;
}
