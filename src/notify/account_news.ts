/**
 * What is told of accounts, in words.
 *
 * @module
 */
import { printable } from "../account/alias.ts";
import { formatDuration } from "../platform/duration.ts";
import type { NotifyTopic } from "../platform/notify_settings.ts";
import { type Notification, oneLine } from "./notification.ts";

/** Longest text of an exhausted pool, in characters: it names every account. */
const POOL_LIMIT = 1_000;

/** Minutes of a week. */
const WEEK = 10_080;

/** An account that the backend does not let serve for a while. */
export function blockedNews(
  alias: string,
  reason: string,
  until: number | undefined,
  now: number,
): Notification {
  const end = until === undefined ? "" : `, back ${moment(until, now)}`;
  return news("blocked", `${printable(alias)}: ${reason}${end}`, 3, "no_entry");
}

/** An account that waits for its person. */
export function loginNews(alias: string, reason: string): Notification {
  const name = printable(alias);
  return news("login", `${name}: ${reason}\nopencode-multi-auth add ${name}`, 4, "key");
}

/** A pool that has nobody to send. */
export function exhaustedNews(message: string): Notification {
  return news("exhausted", oneLine(message, POOL_LIMIT), 4, "octagonal_sign");
}

/** A pool that has somebody to send again. */
export function backNews(aliases: readonly string[]): Notification {
  const names = aliases.map(printable);
  const shown = names.length > 3 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  const who = shown.length > 1
    ? `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`
    : shown.join("");
  return news("back", `${who} can serve again`, 3, "arrow_forward");
}

/** A window that is used up to a threshold. */
export function usageNews(
  alias: string,
  window: { readonly name: string; readonly usedPercent: number; readonly resetsAt: number | null },
  now: number,
): Notification {
  const end = window.resetsAt === null ? "" : `, starts anew ${moment(window.resetsAt, now)}`;
  const share = Math.floor(window.usedPercent);
  const text = `${printable(alias)}: ${share} % of the ${window.name} used${end}`;
  return news("usage", text, 3, "bar_chart");
}

/** Something that is lost if nobody uses it. */
export function expiringNews(alias: string, what: string, at: number, now: number): Notification {
  return news(
    "expiring",
    `${printable(alias)}: ${what} expires unused ${moment(at, now)}`,
    3,
    "hourglass",
  );
}

/** A window's name: `5-hour window`, `weekly window`, `weekly window of codex_bengalfox`. */
export function windowName(minutes: number, bucket?: string): string {
  const length = minutes === WEEK
    ? "weekly"
    : minutes % 1_440 === 0
    ? `${minutes / 1_440}-day`
    : minutes % 60 === 0
    ? `${minutes / 60}-hour`
    : `${minutes}-minute`;
  return `${length} window${bucket === undefined ? "" : ` of ${printable(bucket)}`}`;
}

function news(
  topic: NotifyTopic,
  body: string,
  priority: Notification["priority"],
  tag: string,
): Notification {
  return { topic, title: "ChatGPT accounts", body, priority, tags: [tag] };
}

/** `at 8:00 PM (in 2h)`; with the day where it is another one. */
function moment(at: number, now: number): string {
  const date = new Date(at);
  const time = date.toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" });
  const day = date.toDateString() === new Date(now).toDateString()
    ? ""
    : `${date.toLocaleDateString(undefined, { weekday: "long", month: "long", day: "numeric" })} `;
  return `${day === "" ? "at " : `on ${day}at `}${time} (in ${formatDuration(at - now)})`;
}
