import { localDay } from "../platform/day.ts";
import { formatDuration } from "../platform/duration.ts";

/** How and where times are read; undefined means the system's. */
export interface Place {
  readonly locale?: string;
  readonly timeZone?: string;
}

/** Date and time to the second, as `12/1/2026, 6:00:00 PM`. */
export function dateTime(at: number, place: Place): string {
  return written(at, place, { ...DATE, ...TIME, second: "2-digit" });
}

/** A moment to the second: the time alone when it is today, else with its date. */
export function until(at: number, now: number, place: Place): string {
  if (!sameDay(at, now, place)) return dateTime(at, place);
  return written(at, place, { ...TIME, second: "2-digit" });
}

/** A moment and how far away it is: `8:00 PM (in 2h)`, `Nov 27, 6:00 PM (in 4d)`, `5:30 PM (30m ago)`. */
export function moment(at: number, now: number, place: Place): string {
  return `${clockTime(at, now, place)} (${distance(at, now)})`;
}

/** The day a moment falls on, as `2026-11-24`. */
export function dayOf(at: number, { timeZone }: Place): string {
  // Sweden writes dates so; the language of the person does not matter here.
  return timeZone === undefined ? localDay(at) : byLocale(at, { locale: "sv-SE", timeZone }, DATE);
}

/** A moment: `8:00 PM`, or `Nov 20, 6:00 PM` on another day. */
export function clockTime(at: number, now: number, place: Place): string {
  return written(at, place, {
    ...(sameDay(at, now, place) ? {} : { month: "short", day: "numeric" }),
    ...(sameYear(at, now, place) ? {} : { year: "numeric" }),
    ...TIME,
  });
}

/** How far a moment is away: `in 2h 5m`, `3d ago`, `now`. */
export function distance(at: number, now: number): string {
  if (at === now) return "now";
  return at > now ? `in ${formatDuration(at - now)}` : `${formatDuration(now - at)} ago`;
}

const DATE = { year: "numeric", month: "numeric", day: "numeric" } as const;
const TIME = { hour: "numeric", minute: "2-digit" } as const;

function sameDay(a: number, b: number, place: Place): boolean {
  if (place.timeZone === undefined) {
    return new Date(a).toDateString() === new Date(b).toDateString();
  }
  return byLocale(a, place, DATE) === byLocale(b, place, DATE);
}

function sameYear(a: number, b: number, place: Place): boolean {
  if (place.timeZone === undefined) return new Date(a).getFullYear() === new Date(b).getFullYear();
  const year = { year: "numeric" } as const;
  return byLocale(a, place, year) === byLocale(b, place, year);
}

function written(at: number, place: Place, options: Intl.DateTimeFormatOptions): string {
  const byHand = place.timeZone === undefined && isAmerican(place.locale);
  return (byHand ? american(new Date(at), options) : undefined) ?? byLocale(at, place, options);
}

/** Where the first formatter would cost more than all the rest of a status. */
function isAmerican(locale: string | undefined): boolean {
  // Bun's navigator names no language, and its Intl writes en-US whatever the system's is (1.4, Linux).
  return AMERICAN.has(locale ?? globalThis.navigator?.language ?? "en-US");
}

/** The second is what Deno calls the locale `C`. */
const AMERICAN: ReadonlySet<string> = new Set(["en-US", "en-US-u-va-posix"]);

/**
 * What `Intl` writes for en-US, in the machine's time zone. The first formatter
 * of a process loads locale data for 6 to 17 ms.
 *
 * @returns undefined for years that are written in other ways.
 */
function american(date: Date, options: Intl.DateTimeFormatOptions): string | undefined {
  const year = date.getFullYear();
  if (!(year >= 1_000 && year <= 9_999)) return undefined;
  const day = options.month === "short"
    ? [`${MONTHS[date.getMonth()]} ${date.getDate()}`, ...(options.year ? [year] : [])].join(", ")
    : options.month === "numeric"
    ? `${date.getMonth() + 1}/${date.getDate()}/${year}`
    : undefined;
  const pad = (value: number) => String(value).padStart(2, "0");
  const seconds = options.second === undefined ? "" : `:${pad(date.getSeconds())}`;
  const hours = date.getHours();
  const time = `${hours % 12 || 12}:${pad(date.getMinutes())}${seconds} ${
    hours < 12 ? "AM" : "PM"
  }`;
  return day === undefined ? time : `${day}, ${time}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const formatters = new Map<string, Intl.DateTimeFormat>();

function byLocale(
  at: number,
  { locale, timeZone }: Place,
  options: Intl.DateTimeFormatOptions,
): string {
  const key = JSON.stringify([locale, timeZone, options]);
  let formatter = formatters.get(key);
  if (!formatter) {
    const zone = timeZone === undefined ? {} : { timeZone };
    formatter = new Intl.DateTimeFormat(locale, { ...options, ...zone });
    formatters.set(key, formatter);
  }
  // Some runtimes put a narrow no-break space before AM and PM; scripts that read our output expect a space.
  return formatter.format(at).replaceAll("\u202f", " ");
}
