import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { type QuotaHeaders, readQuotaHeaders } from "../../src/quota/headers.ts";
import type { QuotaWindow } from "../../src/quota/window.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";

const NOW = FIXTURE_NOW;
const IN_2H = NOW + 7_200_000;
const FIXTURES = JSON.parse(
  readFileSync(new URL("../fixtures/codex/headers.json", import.meta.url), "utf8"),
) as Record<string, { headers: Record<string, string> }>;

function fixture(name: string, now = NOW): QuotaHeaders {
  return readQuotaHeaders(new Headers(FIXTURES[name]?.headers), now);
}

function window(
  minutes: number,
  usedPercent: number,
  resetsAt: number | null,
  bucket = "codex",
): QuotaWindow {
  return { bucket, minutes, usedPercent, resetsAt, observedAt: NOW };
}

const FIXTURE_ROWS: readonly (readonly [string, readonly QuotaWindow[]])[] = [
  ["plus_two_windows", [window(300, 40, IN_2H), window(10080, 12, 1795802400_000)]],
  ["plus_full", [window(300, 100, IN_2H), window(10080, 40, 1795802400_000)]],
  ["weekly_full_on_a_200", [window(300, 10, IN_2H), window(10080, 100, 1795802400_000)]],
  ["reset_after_only", [window(300, 100, IN_2H)]],
  ["reset_in_milliseconds", [window(300, 100, IN_2H), window(10080, 1, 1795802400_000)]],
  ["reset_as_iso_date", [window(300, 100, IN_2H), window(10080, 1, 1795802400_000)]],
  ["nonsense", []],
];

for (const [name, windows] of FIXTURE_ROWS) {
  Deno.test(`headers: the windows of ${name}`, () => {
    assert.deepEqual(fixture(name).windows, windows);
  });
}

Deno.test("headers: recorded sets, read at their own time, give the recorded reset", () => {
  const rows = [
    ["pro_weekly_as_primary", 1790426679, 155800, 22],
    ["free_429", 1773860656, 471285, 100],
    ["prolite_with_model_family", 1786498132, 487213, 29],
  ] as const;
  for (const [name, resetAt, resetAfter, used] of rows) {
    const now = (resetAt - resetAfter) * 1000;
    const plan = fixture(name, now).windows.filter((one) => one.bucket === "codex");
    assert.deepEqual(plan, [{
      bucket: "codex",
      minutes: 10080,
      usedPercent: used,
      resetsAt: resetAt * 1000,
      observedAt: now,
    }], name);
  }
});

Deno.test("headers: a model's family is a bucket of its own, with its name", () => {
  const read = fixture("prolite_with_model_family");
  assert.deepEqual(
    read.windows.find((one) => one.bucket === "codex_bengalfox"),
    window(10080, 100, null, "codex_bengalfox"),
  );
  assert.deepEqual([...read.limitNames ?? []], [["codex_bengalfox", "GPT-5.3-Codex-Spark"]]);
  assert.equal(read.activeLimit, "premium");
  assert.equal(read.planType, "prolite");
});

Deno.test("headers: family windows come alone, from either slot, dashes and case aside", () => {
  const read = readQuotaHeaders(
    new Headers({
      "X-Codex-Big-Cat-Secondary-Used-Percent": "7",
      "X-Codex-Big-Cat-Secondary-Window-Minutes": "10080",
      "X-Codex-Big-Cat-Secondary-Reset-After-Seconds": "60",
    }),
    NOW,
  );
  assert.deepEqual(read.windows, [window(10080, 7, NOW + 60_000, "codex_big_cat")]);
});

Deno.test("headers: credits, plan, active limit and reached type are read", () => {
  const read = readQuotaHeaders(
    new Headers({
      "x-codex-plan-type": "team",
      "x-codex-active-limit": "Codex-Bengalfox",
      "x-codex-rate-limit-reached-type": "workspace_member_credits_depleted",
      "x-codex-credits-has-credits": "True",
      "x-codex-credits-unlimited": "False",
      "x-codex-credits-balance": "5.00",
    }),
    NOW,
  );
  assert.deepEqual(read, {
    windows: [],
    planType: "team",
    activeLimit: "codex_bengalfox",
    reachedType: "workspace_member_credits_depleted",
    credits: { hasCredits: true, unlimited: false, balance: "5.00" },
  });
  assert.equal(fixture("free_429").credits?.balance, null);
});

Deno.test("headers: an answer without any of ours costs no object", () => {
  const read = readQuotaHeaders(new Headers({ "content-type": "text/plain", "x-coder": "1" }), NOW);
  assert.equal(read, readQuotaHeaders(new Headers(), NOW));
  assert.deepEqual(read.windows, []);
});

const SLOT_ROWS: readonly (readonly [string, Record<string, string>, QuotaWindow | undefined])[] = [
  ["a float", { "used-percent": "40.7", "window-minutes": "300" }, window(300, 40.7, null)],
  ["more than 100", { "used-percent": "130", "window-minutes": "300" }, window(300, 100, null)],
  ["less than 0", { "used-percent": "-3", "window-minutes": "300" }, window(300, 0, null)],
  ["NaN", { "used-percent": "NaN", "window-minutes": "300" }, undefined],
  ["infinite", { "used-percent": "Infinity", "window-minutes": "300" }, undefined],
  ["empty percentage", { "used-percent": "", "window-minutes": "300" }, undefined],
  ["no percentage", { "window-minutes": "300" }, undefined],
  ["switched off", { "used-percent": "55", "window-minutes": "0" }, undefined],
  ["no length", { "used-percent": "55" }, undefined],
  ["empty length", { "used-percent": "55", "window-minutes": "" }, undefined],
  ["negative length", { "used-percent": "55", "window-minutes": "-5" }, undefined],
  ["length beyond a year", { "used-percent": "55", "window-minutes": "9999999" }, undefined],
  ["a month", { "used-percent": "5", "window-minutes": "43800" }, window(43800, 5, null)],
  [
    "an old rollout's length",
    { "used-percent": "5", "window-minutes": "299" },
    window(299, 5, null),
  ],
  ["blanks around", { "used-percent": " 5 ", "window-minutes": " 300 " }, window(300, 5, null)],
];

for (const [name, parts, expected] of SLOT_ROWS) {
  Deno.test(`headers: a window with ${name}`, () => {
    const headers = new Headers();
    for (const [key, value] of Object.entries(parts)) headers.set(`x-codex-primary-${key}`, value);
    assert.deepEqual(readQuotaHeaders(headers, NOW).windows, expected ? [expected] : []);
  });
}

Deno.test("headers: two slots of one length give one window, the fuller", () => {
  for (const [primary, secondary] of [["30", "80"], ["80", "30"]] as const) {
    const read = readQuotaHeaders(
      new Headers({
        "x-codex-primary-used-percent": primary,
        "x-codex-primary-window-minutes": "10080",
        "x-codex-secondary-used-percent": secondary,
        "x-codex-secondary-window-minutes": "10080",
      }),
      NOW,
    );
    assert.deepEqual(read.windows, [window(10080, 80, null)]);
  }
});

Deno.test("headers: figures are as old as the request that asked for them", () => {
  const headers = new Headers(FIXTURES["reset_after_only"]?.headers);
  const [read] = readQuotaHeaders(headers, NOW, NOW - 5000).windows;
  assert.equal(read?.observedAt, NOW - 5000);
  assert.equal(read?.resetsAt, IN_2H);
});

Deno.test("headers: whatever stands in them, every window that comes out is sane", () => {
  const value = fc.oneof(
    fc.stringMatching(/^[ -~]{0,12}$/),
    fc.double().map(String),
    fc.integer().map(String),
  );
  const part = fc.constantFrom("used-percent", "window-minutes", "reset-at", "reset-after-seconds");
  const slot = fc.constantFrom("primary", "secondary", "bengalfox-primary");
  fc.assert(fc.property(fc.array(fc.tuple(slot, part, value)), (entries) => {
    const headers = new Headers();
    for (const [a, b, text] of entries) headers.set(`x-codex-${a}-${b}`, text);
    for (const one of readQuotaHeaders(headers, NOW).windows) {
      assert.ok(one.usedPercent >= 0 && one.usedPercent <= 100);
      assert.ok(Number.isInteger(one.minutes) && one.minutes > 0);
      assert.ok(one.resetsAt === null || Number.isInteger(one.resetsAt));
    }
  }));
});
