import assert from "node:assert/strict";
import { type LimitsAccount, limitsText } from "../../src/cli/limits_text.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";

const MINUTE = 60_000;

const WINDOW = {
  minutes: 300,
  usedPercent: 60,
  resetsAt: FIXTURE_NOW + 120 * MINUTE,
  observedAt: FIXTURE_NOW - 3 * MINUTE,
  trendPerHour: 40,
  projection: "runs out in 57m",
};

const ACCOUNT: LimitsAccount = {
  alias: "work",
  plan: "team",
  quota: {
    windows: [WINDOW, {
      ...WINDOW,
      minutes: 43_200,
      usedPercent: 12.4,
      resetsAt: FIXTURE_NOW + 29 * 86_400_000,
      trendPerHour: 0.04,
      projection: "about 35 % used at reset",
    }],
    models: [{
      ...WINDOW,
      bucket: "codex_bengalfox",
      name: "GPT-5.3-Codex-Spark",
      resetsAt: FIXTURE_NOW - MINUTE,
      trendPerHour: null,
      projection: null,
    }],
  },
  resetCredits: 2,
  credits: { hasCredits: true, unlimited: false, balance: "5.00" },
  blockReason: null,
  error: null,
};

const LOOK = {
  now: FIXTURE_NOW,
  place: { locale: "en-US", timeZone: "UTC" },
  paint: (_format: string, text: string) => text,
  columns: 80,
};

Deno.test("limits shows windows, trend, projection, models' buckets and credits", () => {
  assert.equal(
    limitsText([ACCOUNT], LOOK),
    `
  Window Left                   Resets                        Seen

work  team
  5h     ██████░░░░░░░░░░  40%  8:00 PM (in 2h)               3m ago
         40 %/h, runs out in 57m
  30d    ██████████████░░  88%  Dec 22, 6:00 PM (in 29d)      3m ago
         about 35 % used at reset
  GPT-5.3-Codex-Spark
  5h     ████████████████ 100%  was 5:59 PM (1m ago)          3m ago
  Reset credits: 2 (each resets a limit early)
  Credits: 5.00

`,
  );
});

Deno.test("limits fits into 80 columns, whatever an error says", () => {
  const error = `codex exec ended with code 1 (${"no luck ".repeat(30)}). Try it by hand.`;
  const far = FIXTURE_NOW + 300 * 86_400_000 + 17 * 3_600_000 + 59 * MINUTE;
  const windows = [{ ...WINDOW, resetsAt: far, observedAt: FIXTURE_NOW - 49 * 3_600_000 }];
  const text = limitsText([{ ...ACCOUNT, quota: { windows, models: [] }, error }], LOOK);
  assert.deepEqual(text.split("\n").filter((line) => line.length > 80), []);
  assert.match(text, /Try it by hand\./);
});

Deno.test("limits stacks what has no room beside the bar", () => {
  const columns = 40;
  const [first, ...others] = ACCOUNT.quota.windows;
  const error = "The usage endpoint gave no figures (status 500). Try again later.";
  const windows = [{ ...first!, resetsAt: null }, ...others];
  const text = limitsText(
    [{ ...ACCOUNT, quota: { ...ACCOUNT.quota, windows }, error }],
    { ...LOOK, columns },
  );
  assert.equal(
    text,
    `
work  team
  5h     ██████░░░░░░░░░░  40%
    resets not known, seen 3m ago
    40 %/h, runs out in 57m
  30d    ██████████████░░  88%
    resets Dec 22, 6:00 PM (in 29d),
    seen 3m ago
    about 35 % used at reset
  GPT-5.3-Codex-Spark
  5h     ████████████████ 100%
    was reset 5:59 PM (1m ago), seen 3m
    ago
  Reset credits: 2 (each resets a limit
  early)
  Credits: 5.00
  The usage endpoint gave no figures
  (status 500). Try again later.

`,
  );
  assert.deepEqual(text.split("\n").filter((line) => line.length > columns), []);
});
