import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { classify, classifyEvent, type Outcome } from "../../src/codex/outcome.ts";
import { waitInText } from "../../src/codex/refusal.ts";
import { SseFramer } from "../../src/codex/sse.ts";
import { EVENT_ROWS } from "./outcome_event_rows.ts";
import { LIMIT_ROWS } from "./outcome_limit_rows.ts";
import { RESET_ROWS } from "./outcome_reset_rows.ts";
import { REFUSAL_ROWS } from "./outcome_refusal_rows.ts";
import { detail, error, failed, FULL, IN_2H, NOW, spent } from "./outcome_words.ts";

interface FixtureRow {
  name: string;
  status: number;
  headers: Record<string, string>;
  body: unknown;
  expect: { kind: string; scope: string; blockedUntil?: number | null; waitSeconds?: number };
}

const FIXTURES = JSON.parse(
  readFileSync(new URL("../fixtures/codex/errors.json", import.meta.url), "utf8"),
) as FixtureRow[];

/** The fixtures' plain words for our kinds. */
const KINDS: Readonly<Record<string, Outcome["kind"]>> = {
  usage_limit: "usage limit",
  transient: "throttled",
  no_entitlement: "not included",
  unauthorized: "unauthorized",
  workspace_deactivated: "workspace deactivated",
  edge_block: "edge block",
  forbidden: "pass through",
  foreign_reasoning: "foreign reasoning",
  model_not_supported: "model not supported",
  pass_through: "pass through",
  server_trouble: "server trouble",
};

let rows = 0;
/** Those that tell when something ends. */
let resets = 0;

/** Counts a row. */
function count(expected: Outcome): void {
  rows++;
  if ("until" in expected || "waitMs" in expected) resets++;
}

for (const row of FIXTURES) {
  rows++;
  if (row.expect.blockedUntil || row.expect.waitSeconds) resets++;
  Deno.test(`outcome of the fixture ${row.name}`, () => {
    const body = typeof row.body === "string" ? row.body : JSON.stringify(row.body);
    const outcome = classify(row.status, new Headers(row.headers), body, NOW);
    const { kind, scope, blockedUntil, waitSeconds } = row.expect;
    assert.equal(outcome.kind, KINDS[kind]);
    if (outcome.kind === "usage limit") {
      assert.equal(outcome.scope, scope === "account+model" ? "model" : scope);
      assert.equal(outcome.until, blockedUntil === null ? undefined : (blockedUntil ?? 0) * 1000);
      assert.equal(outcome.source === "none", outcome.until === undefined);
    }
    if (outcome.kind === "throttled" || outcome.kind === "server trouble") {
      assert.equal(outcome.waitMs, waitSeconds === undefined ? undefined : waitSeconds * 1000);
    }
  });
}

for (
  const [name, status, headers, body, expected] of [
    ...LIMIT_ROWS,
    ...REFUSAL_ROWS,
    ...RESET_ROWS,
  ]
) {
  count(expected);
  Deno.test(`outcome of ${name}`, () => {
    assert.deepEqual(classify(status, new Headers(headers), body, NOW), expected);
  });
}

for (const [name, event, expected] of EVENT_ROWS) {
  count(expected);
  Deno.test(`outcome of the event ${name}`, () => {
    assert.deepEqual(classifyEvent(event, new Headers(), NOW), expected);
    const text = typeof event === "string" ? event : JSON.stringify(event);
    assert.deepEqual(classifyEvent(text, new Headers(), NOW), expected, "as text");
  });
}

Deno.test("outcome: the headers of the answer tell when a limit inside its stream ends", () => {
  assert.deepEqual(
    classifyEvent(failed({ code: "usage_limit_reached" }), new Headers(FULL), NOW),
    { ...spent, source: "headers", until: IN_2H },
  );
});

Deno.test("outcome: the name of an event counts where its data has no type", () => {
  const { response } = failed({ code: "usage_limit_reached" });
  assert.deepEqual(classifyEvent({ response }, new Headers(), NOW, "response.failed"), spent);
  assert.deepEqual(classifyEvent({ response }, new Headers(), NOW, "response.created").kind, "ok");
});

Deno.test("outcome: a header of an event that is no text leaves the answer's own in force", () => {
  const event = { type: "error", status: 503, headers: { "retry-after": null } };
  const outcome = classifyEvent(event, new Headers({ "retry-after": "5" }), NOW);
  assert.deepEqual(outcome, { kind: "server trouble", waitMs: 5_000 });
});

const FOLDER = new URL("../fixtures/sse/", import.meta.url);
const STREAMS: Readonly<Record<string, Outcome["kind"]>> = {
  "error-flat.sse": "throttled",
  "error-nested-usage-limit.sse": "usage limit",
  "failed-after-output.sse": "server trouble",
  "failed-context-too-long.sse": "pass through",
  "failed-overloaded.sse": "server trouble",
  "failed-rate-limit-after-created.sse": "throttled",
  "failed-usage-limit-after-created.sse": "usage limit",
  "failed-usage-limit-first.sse": "usage limit",
};

for (const file of readdirSync(FOLDER)) {
  rows++;
  Deno.test(`outcome of the events in ${file}`, () => {
    const kinds = new Set<string>();
    new SseFramer().feed(new Uint8Array(readFileSync(new URL(file, FOLDER))), (event) => {
      kinds.add(classifyEvent(event.data, new Headers(), NOW).kind);
    });
    kinds.delete("ok");
    assert.deepEqual([...kinds], STREAMS[file] === undefined ? [] : [STREAMS[file]]);
  });
}

Deno.test("outcome: the tables have at least 120 rows, 60 of them about resets", () => {
  assert.ok(rows >= 120, `${rows} rows`);
  assert.ok(resets >= 60, `${resets} rows about resets`);
});

Deno.test("outcome: nothing makes it throw", () => {
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.anything().map((value) => JSON.stringify({ error: value }) ?? ""),
  );
  fc.assert(fc.property(fc.integer({ min: 100, max: 599 }), body, (status, text) => {
    classify(status, new Headers(), text, NOW);
  }));
  fc.assert(
    fc.property(fc.anything(), fc.constantFrom("error", "response.failed"), (value, type) => {
      classifyEvent(value, new Headers(), NOW);
      classifyEvent(
        { type, error: value, response: value, headers: value, code: value },
        new Headers(),
        NOW,
      );
    }),
  );
});

Deno.test("outcome: a hostile body of 64 KiB takes no time", () => {
  const started = performance.now();
  for (
    const part of [
      "workspace ",
      "encrypted content ",
      "try again in 1",
      "a_",
      '{"error":',
      "[",
      "usage limit ",
    ]
  ) {
    const text = part.repeat(Math.floor(65536 / part.length));
    for (const body of [text, error({ message: text, code: text }), detail(text)]) {
      for (const status of [400, 402, 404, 429]) classify(status, new Headers(), body, NOW);
    }
  }
  assert.ok(performance.now() - started < 2_000);
});

Deno.test("outcome: a wait in words is read as OpenAI writes it", () => {
  const waits: readonly (readonly [string, number | undefined])[] = [
    ["Please try again in 20ms.", 20],
    ["Please try again in 1.5s. Visit …", 1500],
    ["try again in 28 seconds", 28_000],
    ["Try again in 6m0s.", 360_000],
    ["try again in 1h2m3s", 3_723_000],
    ["try again in 2 days 3 hours", 183_600_000],
    ["try again in 500 milliseconds", 500],
    ["try again in 5 minutes, 10 seconds later", 300_000],
    ["try again in a while", undefined],
    ["try again later", undefined],
    ["try again in 0s", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of waits) assert.equal(waitInText(text), expected, text);
});
