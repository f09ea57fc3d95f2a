import type { Outcome } from "../../src/codex/outcome.ts";
import {
  error,
  FULL,
  IN_2H,
  LIMIT,
  LIMIT_2H,
  NOW,
  type Row,
  spent,
  spent2h,
  throttled,
  trouble,
  WEEK_FULL_TOO,
} from "./outcome_words.ts";

const by = (source: "headers" | "retry-after", until = IN_2H): Outcome =>
  ({ ...spent, source, until }) as Outcome;
const limit = (fields: Record<string, unknown>) =>
  error({ type: "usage_limit_reached", ...fields });
const THROTTLE = error({ code: "rate_limit_exceeded", message: "Slow down." });
const { "x-codex-primary-reset-after-seconds": _, ...ENDLESS } = FULL;
const S = 1_000;

/** When it ends: every form of a moment and a span, and which of several counts. */
export const RESET_ROWS: readonly Row[] = [
  ["a moment in seconds", 429, {}, limit({ resets_at: IN_2H / S }), spent2h],
  ["a moment in seconds, as text", 429, {}, limit({ resets_at: `${IN_2H / S}` }), spent2h],
  ["a moment as ISO", 429, {}, limit({ resets_at: new Date(IN_2H).toISOString() }), spent2h],
  ["a moment as ISO, no zone", 429, {}, limit({ resets_at: "2026-11-23T20:00:00" }), spent2h],
  ["a moment with an offset", 429, {}, limit({ resets_at: "2026-11-23T21:00:00+01:00" }), spent2h],
  ["a moment as HTTP date", 429, {}, limit({ resets_at: new Date(IN_2H).toUTCString() }), spent2h],
  ["a span with a fraction", 429, {}, limit({ resets_in_seconds: 7199.9999 }), spent2h],
  [
    "moment and span apart: the moment",
    429,
    {},
    limit({ resets_at: IN_2H / S, resets_in_seconds: 60 }),
    spent2h,
  ],
  [
    "a moment that is past, a span that is not",
    429,
    {},
    limit({ resets_at: NOW / S - 60, resets_in_seconds: 7200 }),
    spent2h,
  ],
  ["a moment that is past, a full window", 429, FULL, limit({ resets_at: 1 }), by("headers")],
  ["a moment that is past, nothing else", 429, {}, limit({ resets_at: NOW / S - 60 }), spent],
  ["the body before the windows", 429, WEEK_FULL_TOO, LIMIT_2H, spent2h],
  [
    "the window before Retry-After",
    429,
    { ...FULL, "retry-after": "60" },
    LIMIT,
    by("headers"),
  ],
  [
    "a full window without an end",
    429,
    { ...ENDLESS, "retry-after": "7200" },
    LIMIT,
    by("retry-after"),
  ],
  [
    "a window that is switched off",
    429,
    { ...FULL, "x-codex-primary-window-minutes": "0", "retry-after": "7200" },
    LIMIT,
    by("retry-after"),
  ],
  [
    "a window that is nearly full",
    429,
    { ...FULL, "x-codex-primary-used-percent": "99.9", "retry-after": "7200" },
    LIMIT,
    by("retry-after"),
  ],
  [
    "a window's end in milliseconds",
    429,
    { ...ENDLESS, "x-codex-primary-reset-at": `${IN_2H}` },
    LIMIT,
    by("headers"),
  ],
  [
    "a window's end as ISO",
    429,
    { ...ENDLESS, "x-codex-primary-reset-at": new Date(IN_2H).toISOString() },
    LIMIT,
    by("headers"),
  ],
  ["an empty end, a span", 429, { ...FULL, "x-codex-primary-reset-at": "" }, LIMIT, by("headers")],
  [
    "a wrong clock: the window's span",
    429,
    { ...FULL, "x-codex-primary-reset-at": `${NOW / S + 9000}` },
    LIMIT,
    by("headers"),
  ],
  [
    "a span of nothing, Retry-After",
    429,
    { "retry-after": "7200" },
    limit({ resets_in_seconds: 0 }),
    by("retry-after"),
  ],
  [
    "retry-after-ms before Retry-After",
    429,
    { "retry-after-ms": "7200000", "retry-after": "60" },
    LIMIT,
    by("retry-after"),
  ],
  ["two years are not believed", 429, {}, limit({ resets_in_seconds: 63_072_000 }), spent],
  ["a throttle in seconds", 429, { "retry-after": "10" }, THROTTLE, throttled(10_000)],
  ["a throttle in milliseconds", 429, { "retry-after-ms": "700" }, THROTTLE, throttled(700)],
  [
    "a throttle until a date",
    429,
    { "retry-after": new Date(NOW + 60_000).toUTCString() },
    THROTTLE,
    throttled(60_000),
  ],
  ["a 503 in seconds", 503, { "retry-after": "10" }, "", trouble(10_000)],
  ["a 503 whose body names a reset", 503, {}, LIMIT_2H, trouble()],
];
