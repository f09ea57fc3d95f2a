import type { Snapshot } from "../store/store.ts";
import { accountViews, servingId, shortTime, tightest } from "./account_view.ts";

/** What stands beside the prompt. */
export interface PromptLine {
  readonly text: string;
  readonly tone: "textMuted" | "warning" | "error";
}

/** At or below this share left, in percent, the line warns, and alarms. */
const SCARCE_PERCENT = 30;
const LOW_PERCENT = 10;
/** From here on, in characters, everything is written out: beside a long line, OpenCode shows a column of 42 as well. */
const WIDE = 142;
/** On a terminal narrower than this the reset is left out. */
const NARROW = 80;
/** Longest alias where there is less room than that. */
const ALIAS = 14;
const DAY_MS = 86_400_000;

/**
 * The account that serves, what is left of its tightest window and when that
 * starts anew; what keeps it from serving where something does.
 *
 * @param home The account that the session on the screen is on, by id.
 * @param now Epoch milliseconds.
 * @param width Of the terminal, in characters.
 * @returns undefined when there is nothing to say.
 */
export function promptLine(
  snapshot: Snapshot,
  home: string | undefined,
  now: number,
  width: number,
): PromptLine | undefined {
  if (snapshot.locked) return { text: "accounts locked", tone: "warning" };
  const serving = servingId(snapshot, home, now);
  const views = accountViews(snapshot, now);
  const view = views.find(({ id }) => id === serving) ?? views[0];
  if (!view) return undefined;
  const alias = width >= WIDE ? view.alias : shortened(view.alias);
  const time = (before: string, at: number | null | undefined) => {
    if (at === null || at === undefined || width < NARROW) return "";
    return before + (width >= WIDE ? shortTime(at, now) : shortestTime(at, now));
  };
  if (view.trouble !== undefined) {
    return { text: `${alias} ${view.trouble}${time(" until ", view.until)}`, tone: "error" };
  }
  const window = tightest(view);
  if (!window) return { text: alias, tone: "textMuted" };
  return {
    text: `${alias} ${window.left}% left${time(" · resets ", window.resetsAt)}`,
    tone: window.left <= LOW_PERCENT
      ? "error"
      : window.left <= SCARCE_PERCENT
      ? "warning"
      : "textMuted",
  };
}

function shortened(alias: string): string {
  const characters = [...alias];
  return characters.length <= ALIAS ? alias : `${characters.slice(0, ALIAS - 1).join("")}…`;
}

/** The time of day where it comes within a day, else the date: `8:00 PM`, `Nov 27`. */
function shortestTime(at: number, now: number): string {
  const format: Intl.DateTimeFormatOptions = at - now < DAY_MS
    ? { hour: "numeric", minute: "2-digit" }
    : { month: "short", day: "numeric" };
  return new Date(at).toLocaleString(undefined, format).replaceAll("\u202f", " ");
}
