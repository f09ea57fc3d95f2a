import assert from "node:assert/strict";
import process from "node:process";
import fc from "fast-check";
import {
  findReset,
  LONGEST_WAIT_MS,
  readMoment,
  readRetryAfter,
  readWindowEnd,
  type Reset,
  type ResetEvidence,
} from "../../src/quota/reset.ts";
import type { QuotaWindow } from "../../src/quota/window.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";

const NOW = FIXTURE_NOW;
const IN_2H = NOW + 7_200_000;
const S = NOW / 1000;

/** A window for the table: percent used and the reset, in seconds from now. */
function window(usedPercent: number, inSeconds: number | null, minutes = 300): QuotaWindow {
  const resetsAt = inSeconds === null ? null : NOW + inSeconds * 1000;
  return { bucket: "codex", minutes, usedPercent, resetsAt, observedAt: NOW };
}

const retry = (value: string) => ({ headers: new Headers({ "retry-after": value }) });
const retryMs = (value: string) => ({ headers: new Headers({ "retry-after-ms": value }) });
const body = (until: number): Reset => ({ until, source: "body" });
const headers = (until: number): Reset => ({ until, source: "headers" });
const after = (until: number): Reset => ({ until, source: "retry-after" });
const HTTP = "Mon, 23 Nov 2026 18:01:00 GMT";

const ROWS: readonly (readonly [string, ResetEvidence, Reset | undefined])[] = [
  ["nothing at all", {}, undefined],
  ["resets_at in seconds", { resetsAt: S + 7200 }, body(IN_2H)],
  ["resets_at in milliseconds", { resetsAt: IN_2H }, body(IN_2H)],
  ["resets_at as text of seconds", { resetsAt: `${S + 7200}` }, body(IN_2H)],
  ["resets_at as text of milliseconds", { resetsAt: `${IN_2H}` }, body(IN_2H)],
  ["resets_at with a fraction", { resetsAt: S + 7200.25 }, body(IN_2H + 250)],
  ["resets_at as ISO date", { resetsAt: "2026-11-23T20:00:00Z" }, body(IN_2H)],
  ["resets_at as ISO date, milliseconds", { resetsAt: "2026-11-23T20:00:00.000Z" }, body(IN_2H)],
  ["resets_at as ISO date, offset", { resetsAt: "2026-11-23T21:00:00+01:00" }, body(IN_2H)],
  ["resets_at as ISO date without zone is UTC", { resetsAt: "2026-11-23T20:00:00" }, body(IN_2H)],
  ["resets_at as ISO day", { resetsAt: "2026-11-24" }, body(NOW + 6 * 3_600_000)],
  ["resets_at one second ahead", { resetsAt: S + 1 }, body(NOW + 1000)],
  ["resets_at now", { resetsAt: S }, undefined],
  ["resets_at in the past", { resetsAt: S - 600 }, undefined],
  ["resets_at a year ahead", { resetsAt: S + 365 * 86400 }, body(NOW + 365 * 86_400_000)],
  ["resets_at beyond a year", { resetsAt: S + 367 * 86400 }, undefined],
  ["resets_at zero", { resetsAt: 0 }, undefined],
  ["resets_at negative", { resetsAt: -5 }, undefined],
  ["resets_at NaN", { resetsAt: NaN }, undefined],
  ["resets_at infinite", { resetsAt: Infinity }, undefined],
  ["resets_at null", { resetsAt: null }, undefined],
  ["resets_at empty", { resetsAt: "" }, undefined],
  ["resets_at blank", { resetsAt: "  " }, undefined],
  ["resets_at a word", { resetsAt: "soon" }, undefined],
  ["resets_at an object", { resetsAt: { at: S + 7200 } }, undefined],
  ["resets_at a list of one", { resetsAt: [S + 7200] }, undefined],
  ["resets_at true", { resetsAt: true }, undefined],
  ["resets_at in hexadecimal", { resetsAt: "0x6B0484A0" }, undefined],
  ["resets_at in microseconds", { resetsAt: IN_2H * 1000 }, undefined],
  ["resets_in_seconds", { resetsInSeconds: 7200 }, body(IN_2H)],
  ["resets_in_seconds as text", { resetsInSeconds: "7200" }, body(IN_2H)],
  ["resets_in_seconds with a fraction", { resetsInSeconds: 1.5 }, body(NOW + 1500)],
  ["resets_in_seconds zero", { resetsInSeconds: 0 }, undefined],
  ["resets_in_seconds negative", { resetsInSeconds: -30 }, undefined],
  ["resets_in_seconds NaN", { resetsInSeconds: NaN }, undefined],
  ["resets_in_seconds null", { resetsInSeconds: null }, undefined],
  ["resets_in_seconds empty", { resetsInSeconds: "" }, undefined],
  ["resets_in_seconds beyond a year", { resetsInSeconds: 367 * 86400 }, undefined],
  ["resets_in_seconds of 30 days", { resetsInSeconds: 2_592_000 }, body(NOW + 2_592_000_000)],
  ["both: the moment wins", { resetsAt: S + 7200, resetsInSeconds: 60 }, body(IN_2H)],
  ["both: a past moment gives way", { resetsAt: S - 1, resetsInSeconds: 77 }, body(NOW + 77_000)],
  ["both: nonsense gives way", { resetsAt: "soon", resetsInSeconds: 77 }, body(NOW + 77_000)],
  ["both absurd", { resetsAt: S + 1e9, resetsInSeconds: 1e9 }, undefined],
  ["a full window", { windows: [window(100, 7200)] }, headers(IN_2H)],
  ["a window at 99.9 %", { windows: [window(99.9, 7200)] }, undefined],
  ["a full window without a reset", { windows: [window(100, null)] }, undefined],
  ["a full window whose reset is past", { windows: [window(100, -10)] }, undefined],
  ["only the full window counts", {
    windows: [window(100, 7200), window(40, 345600, 10080)],
  }, headers(IN_2H)],
  ["of two full windows the later end", {
    windows: [window(100, 7200), window(100, 345600, 10080)],
  }, headers(NOW + 345_600_000)],
  ["of two full windows the later end, other order", {
    windows: [window(100, 345600, 10080), window(100, 7200)],
  }, headers(NOW + 345_600_000)],
  ["of two full windows the one that says when", {
    windows: [window(100, null), window(100, 345600, 10080)],
  }, headers(NOW + 345_600_000)],
  ["a full window with an absurd reset", { windows: [window(100, 400 * 86400)] }, undefined],
  [
    "body before window",
    { resetsInSeconds: 60, windows: [window(100, 7200)] },
    body(NOW + 60_000),
  ],
  ["window behind a past body", { resetsAt: S - 5, windows: [window(100, 7200)] }, headers(IN_2H)],
  ["Retry-After in seconds", retry("10"), after(NOW + 10_000)],
  ["Retry-After in seconds, fraction", retry("1.5"), after(NOW + 1500)],
  ["Retry-After with blanks", retry(" 10 "), after(NOW + 10_000)],
  ["Retry-After as date", retry(HTTP), after(NOW + 60_000)],
  ["Retry-After as RFC 850 date", retry("Monday, 23-Nov-26 18:01:00 GMT"), after(NOW + 60_000)],
  ["Retry-After as asctime date", retry("Mon Nov 23 18:01:00 2026"), after(NOW + 60_000)],
  ["Retry-After as ISO date", retry("2026-11-23T18:01:00Z"), after(NOW + 60_000)],
  ["Retry-After as past date", retry("Mon, 23 Nov 2026 17:59:00 GMT"), undefined],
  ["Retry-After zero", retry("0"), undefined],
  ["Retry-After negative", retry("-5"), undefined],
  ["Retry-After empty", retry(""), undefined],
  ["Retry-After a word", retry("later"), undefined],
  ["Retry-After NaN", retry("NaN"), undefined],
  ["Retry-After beyond a year", retry("99999999"), undefined],
  ["Retry-After date beyond a year", retry("Mon, 29 Nov 2027 18:01:00 GMT"), undefined],
  ["retry-after-ms", retryMs("700"), after(NOW + 700)],
  ["retry-after-ms with a fraction is rounded up", retryMs("700.2"), after(NOW + 701)],
  ["retry-after-ms nonsense", retryMs("x"), undefined],
  ["retry-after-ms negative", retryMs("-1"), undefined],
  [
    "both Retry-After: the more exact",
    { headers: new Headers({ "retry-after": "1", "retry-after-ms": "700" }) },
    after(NOW + 700),
  ],
  [
    "both Retry-After, one nonsense",
    { headers: new Headers({ "retry-after": "3", "retry-after-ms": "x" }) },
    after(NOW + 3000),
  ],
  [
    "body before Retry-After",
    { resetsAt: S + 7200, headers: new Headers({ "retry-after": "10" }) },
    body(IN_2H),
  ],
  [
    "window before Retry-After",
    { windows: [window(100, 7200)], headers: new Headers({ "retry-after": "10" }) },
    headers(IN_2H),
  ],
  [
    "Retry-After when the window is not full",
    { windows: [window(99, 7200)], headers: new Headers({ "retry-after": "10" }) },
    after(NOW + 10_000),
  ],
];

for (const [name, evidence, expected] of ROWS) {
  Deno.test(`the end of a limit: ${name}`, () => {
    assert.deepEqual(findReset(evidence, NOW), expected);
  });
}

Deno.test("the table of reset forms has at least 60 rows", () => {
  assert.ok(ROWS.length >= 60, `${ROWS.length} rows`);
});

Deno.test("whatever is claimed, an end lies ahead and within a year", () => {
  const anything = fc.oneof(fc.anything(), fc.double(), fc.date().map(String), fc.string());
  fc.assert(fc.property(anything, anything, (resetsAt, resetsInSeconds) => {
    const reset = findReset({ resetsAt, resetsInSeconds }, NOW);
    if (reset) assert.ok(reset.until > NOW && reset.until <= NOW + LONGEST_WAIT_MS);
  }));
});

Deno.test("whatever Retry-After says, a wait is a whole number of milliseconds within a year", () => {
  const value = fc.oneof(
    fc.stringMatching(/^[ -~]{0,20}$/),
    fc.double().map(String),
    fc.date().map(String),
    fc.integer().map(String),
  );
  fc.assert(fc.property(value, value, (ms, after) => {
    const headers = new Headers({ "retry-after-ms": ms, "retry-after": after });
    const wait = readRetryAfter(headers, NOW);
    if (wait !== undefined) {
      assert.ok(Number.isInteger(wait) && wait >= 0 && wait <= LONGEST_WAIT_MS, `${wait}`);
    }
    findReset({ headers }, NOW);
  }));
});

Deno.test("Retry-After of zero means at once, not unknown", () => {
  assert.equal(readRetryAfter(new Headers({ "retry-after": "0" }), NOW), 0);
  assert.equal(readRetryAfter(new Headers(), NOW), undefined);
});

const ENDS: readonly (readonly [string, unknown, unknown, number | null])[] = [
  ["both agree: the moment, which does not wander", S + 7200, 7200, IN_2H],
  ["both agree within rounding", S + 7200, 7197, IN_2H],
  ["the local clock is wrong: the span", S + 90_000, 7200, IN_2H],
  ["the local clock is wrong the other way: the span", S - 80_000, 7200, IN_2H],
  ["only the moment", S + 7200, undefined, IN_2H],
  ["only the span", undefined, 7200, IN_2H],
  ["empty moment beside span 0 means nothing", "", "0", null],
  ["a moment beside span 0", `${S + 7200}`, "0", IN_2H],
  ["texts as headers bring them", `${S + 7200}`, "7200", IN_2H],
  ["empty span", "2026-11-23T20:00:00.000Z", "", IN_2H],
  ["a word and nothing", "soon", null, null],
  ["negative span", undefined, -3, null],
  ["an absurd moment beside a sane span", S + 1e9, 7200, IN_2H],
  ["an absurd moment alone", S + 1e9, undefined, null],
  ["a past moment stays what it is", S - 60, undefined, NOW - 60_000],
];

for (const [name, at, span, expected] of ENDS) {
  Deno.test(`the end of a window: ${name}`, () => {
    assert.equal(readWindowEnd(at, span, NOW), expected);
  });
}

Deno.test("a date without a zone means UTC on a machine anywhere", () => {
  const before = process.env["TZ"];
  process.env["TZ"] = "America/New_York";
  try {
    assert.notEqual(new Date(NOW).getTimezoneOffset(), 0, "the zone took effect");
    assert.equal(readMoment("2026-11-23T20:00:00"), IN_2H);
    assert.equal(readMoment("2026-11-23 20:00:00"), IN_2H);
    assert.equal(readMoment("Mon Nov 23 20:00:00 2026"), IN_2H);
  } finally {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  }
});

Deno.test("seconds and milliseconds of one moment read the same", () => {
  fc.assert(fc.property(fc.integer({ min: 1_000_000_000, max: 9_999_999_999 }), (seconds) => {
    assert.equal(readMoment(seconds), readMoment(seconds * 1000));
    assert.equal(readMoment(new Date(seconds * 1000).toISOString()), seconds * 1000);
    assert.equal(readMoment(new Date(seconds * 1000).toUTCString()), seconds * 1000);
  }));
});
