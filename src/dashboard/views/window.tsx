import type { WindowModel } from "../model.ts";
import { Age, Moment } from "./moment.tsx";

/** At or below this share left, in percent, a window counts as low or scarce. */
const LOW_PERCENT = 10;
const SCARCE_PERCENT = 30;
/** The sparkline's field. */
const WIDTH = 96;
const HEIGHT = 20;
/** More points than this show nothing more at its size. */
const MAX_POINTS = 32;

/** A window's length as people say it. */
export function spanName(minutes: number): string {
  if (minutes === 10_080) return "Week";
  if (minutes === 1_440) return "Day";
  if (minutes % 1_440 === 0) return `${minutes / 1_440} days`;
  return minutes % 60 === 0 ? `${minutes / 60} hours` : `${minutes} minutes`;
}

/** Whether its time is over, so that the figures speak of the window before. */
export function wasReset(window: WindowModel, now: number): boolean {
  return window.resetsAt !== null && window.resetsAt <= now;
}

/** Whole percent left now. */
export function leftOf(window: WindowModel, now: number): number {
  return wasReset(window, now) ? 100 : whole(100 - window.usedPercent);
}

/** How a share left is marked; the number beside it says the same. */
export function shade(left: number): "low" | "scarce" | "plenty" {
  return left <= LOW_PERCENT ? "low" : left <= SCARCE_PERCENT ? "scarce" : "plenty";
}

/** A share left as a bar, with a mark where an even pace would be. */
export function Bar({ left, pace }: { readonly left: number; readonly pace?: number | null }) {
  const mark = pace ?? null;
  return (
    <svg
      class={`bar ${shade(left)}`}
      viewBox="0 0 100 8"
      preserveAspectRatio="none"
      {...(mark === null ? { "aria-hidden": "true" } : { role: "img" })}
    >
      {mark !== null && <title>An even pace would leave {mark}% now</title>}
      <rect width={left} height="8" />
      {mark !== null && <path d={`M${mark} 0v8`} />}
    </svg>
  );
}

/** Everything about one window. */
export function Window(
  { window, now, name }: {
    readonly window: WindowModel;
    readonly now: number;
    readonly name?: string;
  },
) {
  const left = leftOf(window, now);
  const over = wasReset(window, now);
  const pace = over || window.elapsedPercent === null ? null : whole(100 - window.elapsedPercent);
  const outlook = over
    ? []
    : [trend(window.trendPerHour), window.projection].filter((text) => text !== null)
      .map((text) => text.replaceAll(" %", "%"));
  return (
    <div class="window">
      <p class="figure">
        <span>
          {name ?? spanName(window.minutes)}
          <small>
            <span class="vh">, figures of</span>
            <Age at={window.observedAt} now={now} />
          </small>
        </span>
        <b class={shade(left)}>{left}% left</b>
      </p>
      <Bar left={left} pace={pace} />
      <Sparkline window={window} />
      {window.resetsAt !== null && (
        <p>
          {over ? "was reset " : "resets "}
          <Moment at={window.resetsAt} now={now} />
        </p>
      )}
      {outlook.length > 0 && <p>{outlook.join(", ")}</p>}
    </div>
  );
}

/** `using 4%/h`, `using 6%/day`; null where that would be nothing. */
export function trend(perHour: number | null): string | null {
  if (perHour === null) return null;
  if (Math.round(perHour) >= 1) return `using ${Math.round(perHour)}%/h`;
  const perDay = Math.round(perHour * 24);
  return perDay >= 1 ? `using ${perDay}%/day` : null;
}

/** What was left over time, as a line, and in words for who cannot see it. */
export function Sparkline({ window }: { readonly window: WindowModel }) {
  const points = thinned(window.history);
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) return null;
  const shares = points.map(({ usedPercent }) => whole(100 - usedPercent));
  const path = points.map(({ at }, index) => {
    const x = Math.round((at - first.at) / (last.at - first.at) * WIDTH);
    const y = Math.round((100 - (shares[index] ?? 0)) / 100 * HEIGHT);
    return `${index === 0 ? "M" : "L"}${x} ${y}`;
  }).join("");
  return (
    <svg class="spark" viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`} role="img">
      <title>
        {`Left over time: ${shares[0]}% to ${shares.at(-1)}%, lowest ${Math.min(...shares)}%`}
      </title>
      <path d={path} />
    </svg>
  );
}

function thinned<T>(points: readonly T[]): readonly T[] {
  if (points.length <= MAX_POINTS) return points;
  const step = (points.length - 1) / (MAX_POINTS - 1);
  return Array.from({ length: MAX_POINTS }, (_, index) => points[Math.round(index * step)] as T);
}

/** Between 0 and 100, without a fraction. */
export function whole(percent: number): number {
  return Math.min(Math.max(Math.round(percent), 0), 100);
}
