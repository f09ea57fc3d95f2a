import { readNumber, readWindowEnd } from "./reset.ts";
import type { QuotaWindow } from "./window.ts";

/** Longest window that is believed, in minutes: 366 days. */
const LONGEST_WINDOW = 366 * 1440;

/** One window as a server reports it; every part may be missing, text, or nonsense. */
export interface RawWindow {
  /** Length in minutes; 0 means that the window is switched off. */
  readonly minutes: unknown;
  /** Share used, percent. */
  readonly usedPercent: unknown;
  /** Moment of the reset: epoch seconds or milliseconds, or an ISO date. */
  readonly resetAt?: unknown;
  /** Seconds until the reset. */
  readonly resetAfterSeconds?: unknown;
}

/**
 * Makes a window of what a server reports, and puts it into `windows`.
 *
 * A window needs a length and a share; one of length 0 is switched off though a
 * percentage stands beside it. Where two slots report the same length, the
 * fuller one stays: it is the one that will stop us.
 *
 * @param now Epoch milliseconds, for what is given as a span.
 * @param observedAt How old the evidence is, epoch milliseconds.
 */
export function addWindow(
  windows: QuotaWindow[],
  bucket: string,
  raw: RawWindow,
  now: number,
  observedAt: number = now,
): void {
  const used = readNumber(raw.usedPercent);
  const length = readNumber(raw.minutes);
  if (used === undefined || length === undefined) return;
  const minutes = Math.round(length);
  if (minutes < 1 || minutes > LONGEST_WINDOW) return;
  const window: QuotaWindow = {
    bucket,
    minutes,
    usedPercent: Math.min(Math.max(used, 0), 100),
    resetsAt: readWindowEnd(raw.resetAt, raw.resetAfterSeconds, now),
    observedAt,
  };
  const same = windows.findIndex((one) => one.bucket === bucket && one.minutes === minutes);
  const other = windows[same];
  if (other === undefined) windows.push(window);
  else if (window.usedPercent > other.usedPercent) windows[same] = window;
}

/** A bucket's name in one spelling: `Codex-Bengalfox` and `codex_bengalfox` are the same one. */
export function bucketName(name: string): string {
  return name.trim().toLowerCase().replaceAll("-", "_");
}
