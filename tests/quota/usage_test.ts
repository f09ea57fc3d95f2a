import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { readUsage, type Usage } from "../../src/quota/usage.ts";
import type { QuotaWindow } from "../../src/quota/window.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";

const NOW = FIXTURE_NOW;
const FIXTURES = JSON.parse(
  readFileSync(new URL("../fixtures/codex/usage.json", import.meta.url), "utf8"),
) as Record<string, unknown>;

function window(
  minutes: number,
  usedPercent: number,
  resetSeconds: number | null,
  bucket = "codex",
): QuotaWindow {
  const resetsAt = resetSeconds === null ? null : resetSeconds * 1000;
  return { bucket, minutes, usedPercent, resetsAt, observedAt: NOW };
}

const ROWS: Readonly<Record<string, Partial<Usage>>> = {
  plus_two_windows: {
    planType: "plus",
    allowed: true,
    limitReached: false,
    email: "you@personal.example",
    userId: "user-FixturePersonal0001",
    accountId: "5b1c0a52-3f0e-4d0b-9a51-0f2f6f5d1a01",
    credits: { hasCredits: true, unlimited: false, balance: "5.00" },
    resetCredits: 1,
    spendingStopped: false,
    windows: [
      window(300, 40, 1795464000),
      window(10080, 12, 1795802400),
      window(300, 1, 1795465800, "codex_bengalfox"),
      window(10080, 2, 1795856800, "codex_bengalfox"),
    ],
    buckets: [
      { bucket: "codex", allowed: true, limitReached: false },
      {
        bucket: "codex_bengalfox",
        limitName: "GPT-5.3-Codex-Spark",
        allowed: true,
        limitReached: false,
      },
    ],
  },
  plus_limit_reached: {
    allowed: false,
    limitReached: true,
    reachedType: "rate_limit_reached",
    windows: [window(300, 100, 1795464000), window(10080, 40, 1795802400)],
  },
  pro_weekly_as_primary: { planType: "pro", windows: [window(10080, 22, 1795612600)] },
  free_weekly_only: {
    planType: "free",
    limitReached: true,
    windows: [window(10080, 100, 1795928085)],
  },
  team_thirty_days: { planType: "team", windows: [window(43800, 55, 1796756800)] },
  workspace_out_of_credits: {
    reachedType: "workspace_member_credits_depleted",
    spendingStopped: true,
    windows: [window(300, 70, 1795460400), window(10080, 60, 1795756800)],
  },
  odd_floats_and_numbers: {
    credits: { hasCredits: true, unlimited: false, balance: "5.39" },
    windows: [window(300, 40.7, 1795464000), window(10080, 99.6, 1795802400)],
  },
  odd_reset_at_only: {
    planType: "plus",
    windows: [window(300, 6, 1795464000), window(10080, 24, 1795802400)],
  },
  odd_no_rate_limit: { planType: "plus", windows: [], buckets: [] },
  odd_unknown_plan: {
    planType: "plan_from_the_future",
    windows: [window(300, 1, 1795464000), window(10080, 1, 1795802400)],
  },
  odd_only_additional: {
    allowed: true,
    limitReached: false,
    windows: [window(300, 33, 1795464000)],
  },
};

Deno.test("usage: every fixture has a row", () => {
  assert.deepEqual(Object.keys(ROWS).sort(), Object.keys(FIXTURES).sort());
});

for (const [name, expected] of Object.entries(ROWS)) {
  Deno.test(`usage: ${name} is read, as text and as object`, () => {
    const read = readUsage(FIXTURES[name], NOW);
    assert.ok(read);
    for (const [key, value] of Object.entries(expected)) {
      assert.deepEqual(read[key as keyof Usage], value, key);
    }
    assert.deepEqual(readUsage(JSON.stringify(FIXTURES[name]), NOW), read);
  });
}

Deno.test("usage: one odd field does not cost the others", () => {
  const read = readUsage({
    plan_type: 7,
    email: null,
    rate_limit: {
      allowed: "yes",
      primary_window: "none",
      secondary_window: { used_percent: "12.5", limit_window_seconds: "604800", reset_at: "" },
    },
    additional_rate_limits: [null, 3, { rate_limit: null }, { limit_name: "GPT-X", rate_limit: 1 }],
    credits: { has_credits: "maybe" },
    rate_limit_reached_type: [],
    rate_limit_reset_credits: { available_count: "two" },
  }, NOW);
  assert.deepEqual(read, {
    windows: [window(10080, 12.5, null)],
    buckets: [{ bucket: "codex" }, { bucket: "gpt_x", limitName: "GPT-X" }],
  });
});

Deno.test("usage: what is no usage answer gives nothing", () => {
  for (
    const body of [
      "",
      "null",
      "[]",
      "7",
      '"x"',
      "<html>",
      "{",
      '{"detail":"Forbidden"}',
      null,
      5,
      [],
    ]
  ) assert.equal(readUsage(body, NOW), undefined, JSON.stringify(body));
});

Deno.test("usage: nothing makes it throw, and every window is sane", () => {
  const slot = fc.record({
    used_percent: fc.anything(),
    limit_window_seconds: fc.anything(),
    reset_at: fc.anything(),
    reset_after_seconds: fc.anything(),
  }, { requiredKeys: [] });
  const body = fc.oneof(
    fc.anything(),
    fc.json(),
    fc.record({
      plan_type: fc.anything(),
      rate_limit: fc.oneof(
        fc.anything(),
        fc.record({ primary_window: slot, secondary_window: slot }),
      ),
      additional_rate_limits: fc.anything(),
      credits: fc.anything(),
    }, { requiredKeys: [] }),
  );
  fc.assert(fc.property(body, (value) => {
    for (const one of readUsage(value, NOW)?.windows ?? []) {
      assert.ok(one.minutes > 0 && one.usedPercent >= 0 && one.usedPercent <= 100);
      assert.ok(one.resetsAt === null || Number.isSafeInteger(one.resetsAt), `${one.resetsAt}`);
    }
  }));
});
