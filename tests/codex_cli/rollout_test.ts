import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { readAppServerLimits } from "../../src/codex_cli/app_server_limits.ts";
import { newestLimits, readRollout, rollouts } from "../../src/codex_cli/rollout.ts";
import { fixture } from "../cli/session.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";

const rollout = (name: string) => fixture(`codex/rollout-${name}.jsonl`);

/** Windows in short: minutes, percent, reset in epoch seconds. */
function windowsOf(text: string) {
  return readRollout(text, FIXTURE_NOW)?.usage.windows.map((
    { minutes, usedPercent, resetsAt },
  ) => [minutes, usedPercent, resetsAt === null ? null : resetsAt / 1000]);
}

const WHOLE = [[300, 40, 1795464000], [10_080, 12, 1795802400]];

Deno.test("rollout: the last figures of a good session", () => {
  assert.deepEqual(windowsOf(rollout("ok")), WHOLE);
  const found = readRollout(rollout("ok"), FIXTURE_NOW);
  assert.equal(found?.workspaceId, "5b1c0a52-3f0e-4d0b-9a51-0f2f6f5d1a01");
  assert.equal(found?.usage.windows[0]?.observedAt, Date.parse("2026-11-23T19:26:05.251Z"));
  assert.deepEqual(found?.usage.credits, { hasCredits: true, unlimited: false, balance: "5.00" });
});

Deno.test("rollout: over WebSocket the plan is named too", () => {
  assert.equal(readRollout(rollout("websocket"), FIXTURE_NOW)?.usage.planType, "plus");
});

Deno.test("rollout: a refusal has figures as well", () => {
  assert.deepEqual(windowsOf(rollout("429"))?.[0], [300, 100, 1795464000]);
});

Deno.test("rollout: without limit headers there are none", () => {
  assert.equal(windowsOf(rollout("no-limits")), undefined);
});

Deno.test("rollout: older forms, the week as primary, and a last line that is half written", () => {
  const text = rollout("older");
  assert.deepEqual(windowsOf(text), [[10_080, 80, 1773500000], [300, 5, 1773140000]]);
  // The line before counts its minutes short and its resets from its own time on.
  const first = text.split("\n")[0] ?? "";
  const at = Date.parse("2026-02-06T10:00:00.000Z") / 1000;
  assert.deepEqual(windowsOf(first), [[300, 12, at + 5_400], [10_080, 34, at + 400_000]]);
});

Deno.test("rollout: reset_at is read like resets_at", () => {
  const text = rollout("ok").replaceAll("resets_at", "reset_at");
  assert.deepEqual(windowsOf(text), WHOLE);
});

Deno.test("rollout: a model's bucket stays one", () => {
  const text = rollout("ok").replaceAll('"limit_id":"codex"', '"limit_id":"codex_bengalfox"');
  const usage = readRollout(text, FIXTURE_NOW)?.usage;
  assert.ok(usage?.windows.every(({ bucket }) => bucket === "codex_bengalfox"));
});

Deno.test("rollout: cut anywhere, it gives whole figures or none", () => {
  const text = rollout("ok");
  for (let end = 0; end <= text.length; end += 7) {
    const found = windowsOf(text.slice(0, end));
    if (found !== undefined) assert.deepEqual(found, WHOLE);
  }
});

Deno.test("rollout: no text makes it throw", () => {
  fc.assert(fc.property(fc.array(fc.oneof(fc.json(), fc.string())), (lines) => {
    readRollout(lines.join("\n"), FIXTURE_NOW);
  }));
  const odd = fc.record({
    type: fc.constant("event_msg"),
    payload: fc.record({ type: fc.constant("token_count"), rate_limits: fc.jsonValue() }),
  });
  fc.assert(fc.property(odd, (line) => {
    readRollout(JSON.stringify(line), FIXTURE_NOW);
  }));
});

Deno.test("rollout: the newest file with figures counts", () => {
  const home = mkdtempSync(join(tmpdir(), "rollouts-"));
  try {
    const put = (day: string, name: string, text: string) => {
      const path = join(home, "sessions", "2026", day, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      return path;
    };
    const old = put("11/22", "rollout-2026-11-22T10-00-00-a.jsonl", rollout("429"));
    const good = put("11/23", "rollout-2026-11-23T09-00-00-b.jsonl", rollout("ok"));
    const empty = put("11/23", "rollout-2026-11-23T10-00-00-c.jsonl", rollout("no-limits"));
    put("11/23", "notes.txt", "none");
    assert.deepEqual(rollouts(home), [empty, good, old]);
    const found = newestLimits(rollouts(home), FIXTURE_NOW);
    assert.equal(found?.usage.windows[0]?.usedPercent, 40);
    assert.deepEqual(rollouts(join(home, "nowhere")), []);
  } finally {
    rmSync(home, { recursive: true });
  }
});

/** The recorded answer to `account/rateLimits/read`. */
const result = fixture("codex/app-server.jsonl").trim().split("\n").map((line) => JSON.parse(line))
  .find(({ dir, message }) => dir === "receive" && message.id === 3).message.result;

Deno.test("app-server: windows of the plan and of models, credits and reset credits", () => {
  const usage = readAppServerLimits(result, FIXTURE_NOW);
  const windows = usage?.windows.map(({ bucket, minutes, usedPercent, resetsAt, observedAt }) => {
    assert.equal(observedAt, FIXTURE_NOW);
    return `${bucket} ${minutes} ${usedPercent} ${(resetsAt ?? 0) / 1000}`;
  });
  assert.deepEqual(windows?.toSorted(), [
    "codex 10080 12 1795802400",
    "codex 300 40 1795464000",
    "codex_bengalfox 10080 2 1795856800",
    "codex_bengalfox 300 1 1795465800",
  ]);
  assert.equal(usage?.planType, "plus");
  assert.equal(usage?.resetCredits, 1);
  assert.equal(usage?.allowed, true);
  assert.equal(usage?.accountId, "5b1c0a52-3f0e-4d0b-9a51-0f2f6f5d1a01");
  assert.deepEqual(usage?.credits, { hasCredits: true, unlimited: false, balance: "5.00" });
  const names = usage?.buckets.map(({ bucket, limitName }) => [bucket, limitName]);
  assert.deepEqual(names?.find(([bucket]) => bucket !== "codex"), [
    "codex_bengalfox",
    "GPT-5.3-Codex-Spark",
  ]);
});

Deno.test("app-server: an older answer knows the plan's bucket alone", () => {
  const { rateLimitsByLimitId: _none, ...older } = result;
  assert.equal(readAppServerLimits(older, FIXTURE_NOW)?.windows.length, 2);
});

Deno.test("app-server: anything else is no answer, and nothing throws", () => {
  for (const odd of [undefined, null, [], {}, { rateLimits: 1 }, "text"]) {
    assert.equal(readAppServerLimits(odd, FIXTURE_NOW), undefined);
  }
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    readAppServerLimits({ rateLimits: value, rateLimitsByLimitId: value }, FIXTURE_NOW);
  }));
});
