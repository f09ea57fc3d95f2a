import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { readRateLimitsEvent } from "../../src/quota/rate_limits_event.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";

const NOW = FIXTURE_NOW;

function fixture(name: string): string {
  const text = readFileSync(new URL(`../fixtures/sse/${name}`, import.meta.url), "utf8");
  const data = /^data: (\{"type":"codex\.rate_limits".*)$/m.exec(text)?.[1];
  assert.ok(data, name);
  return data;
}

function windows(bucket: string, used: number) {
  return [
    { bucket, minutes: 300, usedPercent: used, resetsAt: 1795464000_000, observedAt: NOW },
    { bucket, minutes: 10080, usedPercent: 12, resetsAt: 1795802400_000, observedAt: NOW },
  ];
}

const CREDITS = { hasCredits: false, unlimited: false, balance: "0" };

Deno.test("rate limits event: the plan's own figures", () => {
  assert.deepEqual(readRateLimitsEvent(fixture("rate-limits-event.sse"), NOW), {
    bucket: "codex",
    windows: windows("codex", 41),
    planType: "plus",
    allowed: true,
    limitReached: false,
    credits: CREDITS,
  });
});

Deno.test("rate limits event: a reached limit is noted", () => {
  const read = readRateLimitsEvent(fixture("rate-limits-event-reached.sse"), NOW);
  assert.equal(read?.limitReached, true);
  assert.equal(read?.allowed, false);
  assert.deepEqual(read?.windows, windows("codex", 100));
});

Deno.test("rate limits event: another name than codex is a model's bucket", () => {
  const read = readRateLimitsEvent(fixture("rate-limits-event-model-bucket.sse"), NOW);
  assert.equal(read?.bucket, "codex_bengalfox");
  assert.equal(read?.limitName, "GPT-5.3-Codex-Spark");
  assert.deepEqual(read?.windows, windows("codex_bengalfox", 100));
});

Deno.test("rate limits event: the bucket is named by limit id, metered name or name, in this order", () => {
  const base = { type: "codex.rate_limits", rate_limits: null };
  const rows = [
    [{}, "codex"],
    [{ limit_id: "codex" }, "codex"],
    [{ limit_id: "codex", limit_name: "Codex" }, "codex"],
    [{ limit_id: "codex_a", metered_limit_name: "codex_b", limit_name: "C" }, "codex_a"],
    [{ limit_id: null, metered_limit_name: "codex-b", limit_name: "C" }, "codex_b"],
    [{ limit_name: "C" }, "c"],
  ] as const;
  for (const [names, bucket] of rows) {
    assert.equal(readRateLimitsEvent({ ...base, ...names }, NOW)?.bucket, bucket);
  }
});

Deno.test("rate limits event: missing and null windows are no windows", () => {
  const read = readRateLimitsEvent(
    {
      type: "codex.rate_limits",
      rate_limits: { primary: { used_percent: 5, window_minutes: 10080 }, secondary: null },
    },
    NOW,
    NOW - 3000,
  );
  assert.deepEqual(read, {
    bucket: "codex",
    windows: [{
      bucket: "codex",
      minutes: 10080,
      usedPercent: 5,
      resetsAt: null,
      observedAt: NOW - 3000,
    }],
  });
});

Deno.test("rate limits event: anything else is none, and nothing throws", () => {
  for (const event of ["", "[DONE]", "{}", '{"type":"response.created"}', null, 5, "[]"]) {
    assert.equal(readRateLimitsEvent(event, NOW), undefined);
  }
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.anything()), (rest) => {
    readRateLimitsEvent({ ...rest, type: "codex.rate_limits", rate_limits: rest }, NOW);
  }));
});

Deno.test("rate limits event: whatever stands in its windows, those that come out are sane", () => {
  const value = fc.oneof(
    fc.constantFrom(0, 99.5, 300, "300", NOW, NOW / 1000, -1, 1e308, "1e308", "NaN", "Infinity"),
    fc.integer({ min: 1, max: 50_000 }),
    fc.double().map(String),
    fc.anything(),
  );
  const slot = fc.oneof(
    fc.record({
      used_percent: value,
      window_minutes: value,
      reset_at: value,
      resets_at: value,
      reset_after_seconds: value,
      resets_in_seconds: value,
    }, { requiredKeys: ["used_percent", "window_minutes"] }),
    fc.anything(),
  );
  const event = fc.record({
    type: fc.constant("codex.rate_limits"),
    limit_id: fc.anything(),
    rate_limits: fc.record({ primary: slot, secondary: slot, limit_reached: fc.anything() }),
    credits: fc.record({ has_credits: fc.boolean(), balance: value }),
  });
  let windows = 0;
  fc.assert(
    fc.property(event, (value) => {
      for (const one of readRateLimitsEvent(value, NOW)?.windows ?? []) {
        windows++;
        assert.ok(one.usedPercent >= 0 && one.usedPercent <= 100, `${one.usedPercent}`);
        assert.ok(Number.isInteger(one.minutes) && one.minutes > 0, `${one.minutes}`);
        assert.ok(one.resetsAt === null || Number.isSafeInteger(one.resetsAt), `${one.resetsAt}`);
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(windows > 50, `${windows} windows: too few to mean anything`);
});
