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
/** On a terminal narrower than this, in characters, the reset is left out. */
const WIDE = 100;

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
  const wide = width >= WIDE;
  if (view.trouble !== undefined) {
    const until = view.until === undefined || !wide ? "" : ` until ${shortTime(view.until, now)}`;
    return { text: `${view.alias} ${view.trouble}${until}`, tone: "error" };
  }
  const window = tightest(view);
  if (!window) return { text: view.alias, tone: "textMuted" };
  const reset = window.resetsAt === null || !wide
    ? ""
    : ` · resets ${shortTime(window.resetsAt, now)}`;
  return {
    text: `${view.alias} ${window.left}% left${reset}`,
    tone: window.left <= LOW_PERCENT
      ? "error"
      : window.left <= SCARCE_PERCENT
      ? "warning"
      : "textMuted",
  };
}
