import assert from "node:assert/strict";
import fc from "fast-check";
import { dateTime, distance, moment, until } from "../../src/cli/time.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";

const PLACE = { locale: "en-US", timeZone: "UTC" };
const HOUR = 3_600_000;
const LATEST = 8.64e15;

Deno.test("a moment of today is named by its time, another day's by its date, another year's by its year", () => {
  const at = (ms: number) => moment(FIXTURE_NOW + ms, FIXTURE_NOW, PLACE);
  assert.equal(at(2 * HOUR), "8:00 PM (in 2h)");
  assert.equal(at(-HOUR / 2), "5:30 PM (30m ago)");
  assert.equal(at(96 * HOUR), "Nov 27, 6:00 PM (in 4d)");
  assert.equal(at(0), "6:00 PM (now)");
  assert.match(at(60 * 24 * HOUR), /^Jan 22, 2027, 6:00 PM \(in 60d\)$/);
});

Deno.test("the end of a block is its time alone today and carries its date otherwise", () => {
  assert.equal(until(FIXTURE_NOW + HOUR, FIXTURE_NOW, PLACE), "7:00:00 PM");
  assert.equal(until(FIXTURE_NOW + 24 * HOUR, FIXTURE_NOW, PLACE), "11/24/2026, 6:00:00 PM");
});

Deno.test("today is judged in the person's time zone", () => {
  // 18:00 UTC is 03:00 of the next day in Tokyo; four hours later still is that day there.
  const tokyo = { locale: "en-US", timeZone: "Asia/Tokyo" };
  assert.equal(until(FIXTURE_NOW + 7 * HOUR, FIXTURE_NOW, tokyo), "10:00:00 AM");
  assert.equal(until(FIXTURE_NOW + 7 * HOUR, FIXTURE_NOW, PLACE), "11/24/2026, 1:00:00 AM");
});

Deno.test("times never hold a narrow no-break space and never fail for a moment that a Date can name", () => {
  fc.assert(fc.property(
    fc.integer({ min: -LATEST, max: LATEST }),
    fc.integer({ min: -LATEST, max: LATEST }),
    (at, now) => {
      for (const text of [dateTime(at, PLACE), until(at, now, PLACE), moment(at, now, PLACE)]) {
        assert.ok(!text.includes("\u202f"));
      }
      assert.match(distance(at, now), /^in .+|.+ ago|now$/);
    },
  ));
});

Deno.test("what is written by hand for en-US is what Intl writes", () => {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const locale = fc.constantFrom("en-US", "en-US-u-va-posix");
  const at = fc.integer({ min: Date.UTC(1900, 0, 1), max: 253402300799_000 });
  const near = fc.integer({ min: -48 * HOUR, max: 48 * HOUR });
  fc.assert(
    fc.property(locale, at, fc.oneof(near, at), (locale, now, other) => {
      const byHand = { locale };
      const byIntl = { locale, timeZone };
      const then = Math.min(now + other, 253402300799_000);
      assert.equal(dateTime(then, byHand), dateTime(then, byIntl));
      assert.equal(until(then, now, byHand), until(then, now, byIntl));
      assert.equal(moment(then, now, byHand), moment(then, now, byIntl));
    }),
    { numRuns: 1_000 },
  );
});
