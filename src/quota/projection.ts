import { formatDuration } from "../platform/duration.ts";
import type { QuotaWindow } from "./window.ts";

/** Where a window is heading. */
export interface Outlook {
  /** Percent of the window per hour, 0 or more; null where the figures do not carry it. */
  readonly trendPerHour: number | null;
  /** `runs out in 42m` or `about 85 % used at reset`; null where the figures do not carry it. */
  readonly projection: string | null;
}

const NOTHING: Outlook = { trendPerHour: null, projection: null };

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Resets so close together, in milliseconds, are one: servers round, and clocks differ. */
const SAME_RESET_MS = 5 * MINUTE_MS;
/** A share that falls by more than this, in percent, was reset; less is rounding of another source. */
const ROUNDING = 1;
/** A trend is taken over this part of a window: the last hour of five, the last 34 of a week. */
const LOOK_BACK = 1 / 5;
/** Figures must span at least this part of a window, and no less than {@linkcode LEAST_SPAN_MS}. */
const SPAN = 1 / 60;
const LEAST_SPAN_MS = 5 * MINUTE_MS;
/** A window has just started before this part of it has gone by. */
const JUST_STARTED = 1 / 30;
/** Figures are stale when they are older than this part of their window, within these bounds. */
const STALE = 1 / 10;
const LEAST_STALE_MS = 10 * MINUTE_MS;
const MOST_STALE_MS = 6 * HOUR_MS;

/**
 * The trend of a window and what comes of it by its reset, if it goes on like this.
 *
 * Nothing is said of a window that has just started, is unused, used up or over, whose reset is not
 * known, whose figures are stale, or of which fewer than two different moments are known since the
 * last reset.
 *
 * @param window As it was last seen.
 * @param history Earlier points of the same account, oldest first; those of other windows are passed over.
 * @param now Epoch milliseconds.
 */
export function outlook(
  window: QuotaWindow,
  history: readonly QuotaWindow[],
  now: number,
): Outlook {
  const { minutes, usedPercent, resetsAt, observedAt } = window;
  const length = minutes * MINUTE_MS;
  if (resetsAt === null || resetsAt <= now) return NOTHING;
  if (usedPercent <= 0 || usedPercent >= 100) return NOTHING;
  // A clock that was wrong, or a reset that cannot be this window's.
  if (observedAt > now || resetsAt - observedAt > length + SAME_RESET_MS) return NOTHING;
  const stale = Math.min(Math.max(length * STALE, LEAST_STALE_MS), MOST_STALE_MS);
  if (now - observedAt > stale) return NOTHING;
  if (observedAt - (resetsAt - length) < length * JUST_STARTED) return NOTHING;
  const points = sinceReset(window, history);
  const trend = trendOf(points, length);
  if (trend === undefined) return NOTHING;
  return { trendPerHour: trend, projection: projectionOf(window, resetsAt, trend, now) };
}

/** The points of this window since it last began anew, oldest first, with itself as the last. */
function sinceReset(window: QuotaWindow, history: readonly QuotaWindow[]): QuotaWindow[] {
  const points: QuotaWindow[] = [];
  for (const point of [...history, window]) {
    if (point.bucket !== window.bucket || point.minutes !== window.minutes) continue;
    if (point.observedAt > window.observedAt || point.resetsAt === null) continue;
    if (Math.abs(point.resetsAt - (window.resetsAt ?? 0)) > SAME_RESET_MS) continue;
    const last = points.at(-1);
    if (last && point.observedAt < last.observedAt) continue;
    if (last && last.usedPercent - point.usedPercent > ROUNDING) points.length = 0;
    points.push(point);
  }
  return points;
}

/** Percent per hour over the last part of the window; undefined where the points are too few or too close. */
function trendOf(points: readonly QuotaWindow[], length: number): number | undefined {
  const last = points.at(-1);
  const first = points[0];
  if (!last || !first) return undefined;
  const from = last.observedAt - length * LOOK_BACK;
  // Only changes are kept: between two points the share stood still.
  const begin = points.findLast((point) => point.observedAt <= from) ?? first;
  const at = Math.max(begin.observedAt, from);
  const span = last.observedAt - at;
  if (span < Math.max(length * SPAN, LEAST_SPAN_MS)) return undefined;
  return Math.max(last.usedPercent - begin.usedPercent, 0) / (span / HOUR_MS);
}

function projectionOf(
  { usedPercent, observedAt }: QuotaWindow,
  resetsAt: number,
  trend: number,
  now: number,
): string | null {
  const atReset = usedPercent + trend * (resetsAt - observedAt) / HOUR_MS;
  if (atReset < 100) return `about ${Math.min(Math.round(atReset), 99)} % used at reset`;
  const left = observedAt + (100 - usedPercent) / trend * HOUR_MS - now;
  // By the trend it is over already, and nobody has looked.
  return left > 0 ? `runs out in ${spanText(left)}` : null;
}

/** `42m`, `1h 26m`, `5h`, `3d`: a guess is no more exact than that. */
function spanText(ms: number): string {
  const minutes = Math.max(Math.round(ms / MINUTE_MS), 1);
  const unit = minutes < 120 ? MINUTE_MS : minutes < 2 * 1_440 ? HOUR_MS : 24 * HOUR_MS;
  return formatDuration(Math.round(ms / unit) * unit || unit);
}
