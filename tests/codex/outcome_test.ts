import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { classify, classifyEvent, type Outcome } from "../../src/codex/outcome.ts";
import { waitInText } from "../../src/codex/refusal.ts";
import { SseFramer } from "../../src/codex/sse.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";

const NOW = FIXTURE_NOW;
const IN_2H = NOW + 7_200_000;

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

for (const row of FIXTURES) {
  rows++;
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

const ok: Outcome = { kind: "ok" };
const pass: Outcome = { kind: "pass through" };
const edge: Outcome = { kind: "edge block" };
const foreign: Outcome = { kind: "foreign reasoning" };
const noModel: Outcome = { kind: "model not supported" };
const closed: Outcome = { kind: "workspace deactivated" };
const notIncluded: Outcome = { kind: "not included" };
const spent: Outcome = { kind: "usage limit", scope: "account", source: "none" };
const spent2h: Outcome = { kind: "usage limit", scope: "account", source: "body", until: IN_2H };
const workspaceSpent: Outcome = { kind: "usage limit", scope: "workspace", source: "none" };
const throttled = (waitMs?: number): Outcome => ({
  kind: "throttled",
  ...(waitMs !== undefined && { waitMs }),
});
const trouble = (waitMs?: number): Outcome => ({
  kind: "server trouble",
  ...(waitMs !== undefined && { waitMs }),
});
const unauthorized = (code?: string): Outcome => ({
  kind: "unauthorized",
  ...(code !== undefined && { code }),
});

const error = (fields: Record<string, unknown>) => JSON.stringify({ error: fields });
const detail = (value: unknown) => JSON.stringify({ detail: value });
const LIMIT = error({ type: "usage_limit_reached", message: "The usage limit has been reached" });
const LIMIT_2H = error({ type: "usage_limit_reached", resets_in_seconds: 7200 });
const FULL = {
  "x-codex-primary-used-percent": "100",
  "x-codex-primary-window-minutes": "300",
  "x-codex-primary-reset-after-seconds": "7200",
};
const WEEK_FULL_TOO = {
  ...FULL,
  "x-codex-secondary-used-percent": "100",
  "x-codex-secondary-window-minutes": "10080",
  "x-codex-secondary-reset-after-seconds": "86400",
};
const SPARK_FULL = {
  "x-codex-bengalfox-primary-used-percent": "100",
  "x-codex-bengalfox-primary-window-minutes": "10080",
  "x-codex-bengalfox-primary-reset-after-seconds": "7200",
};
const PAGE = "<!DOCTYPE html><html><title>Just a moment...</title></html>";
const UNSUPPORTED = "The 'gpt-9' model is not supported when using Codex with a ChatGPT account.";
const UNVERIFIED = "The encrypted content gAAA could not be verified.";

type Row = readonly [string, number, Record<string, string>, string, Outcome];

const ROWS: readonly Row[] = [
  ["200", 200, {}, "", ok],
  ["204", 204, {}, "", ok],
  ["a 200 at a full window is good", 200, FULL, "", ok],
  ["a redirect", 302, { location: "https://x.example" }, "", pass],
  ["304", 304, {}, "", pass],

  ["429 limit without a word on its end", 429, {}, LIMIT, spent],
  ["429 limit, the end in the body", 429, {}, LIMIT_2H, spent2h],
  [
    "429 limit, text for seconds",
    429,
    {},
    error({ type: "usage_limit_reached", resets_in_seconds: "7200" }),
    spent2h,
  ],
  [
    "429 limit, milliseconds",
    429,
    {},
    error({ type: "usage_limit_reached", resets_at: IN_2H }),
    spent2h,
  ],
  [
    "429 limit, upper case",
    429,
    {},
    error({ type: "USAGE_LIMIT_REACHED", resets_in_seconds: 7200 }),
    spent2h,
  ],
  [
    "429 limit in detail.code",
    429,
    {},
    detail({ code: "usage_limit_reached", resets_in_seconds: 7200 }),
    spent2h,
  ],
  ["429 limit as detail text", 429, {}, detail("usage_limit_reached"), spent],
  [
    "429 limit as top-level code",
    429,
    {},
    JSON.stringify({ code: "usage_limit_reached", resets_in_seconds: 7200 }),
    spent2h,
  ],
  [
    "429 limit as error text",
    429,
    {},
    JSON.stringify({ error: "usage_limit_reached", resets_in_seconds: 7200 }),
    spent2h,
  ],
  [
    "429 limit, span beside the error",
    429,
    {},
    JSON.stringify({ error: { type: "usage_limit_reached" }, resets_in_seconds: 7200 }),
    spent2h,
  ],
  [
    "429 limit, moment beside the error",
    429,
    {},
    JSON.stringify({ error: { type: "usage_limit_reached" }, resets_at: IN_2H / 1000 }),
    spent2h,
  ],
  [
    "429 limit by its message alone",
    429,
    {},
    error({ message: "The usage limit has been reached" }),
    spent,
  ],
  ["429 limit by its detail text", 429, {}, detail("You've hit your usage limit."), spent],
  [
    "429 limit by nothing but a reset",
    429,
    {},
    error({ message: "no", resets_in_seconds: 7200 }),
    spent2h,
  ],
  [
    "429 limit by the reached type in the headers",
    429,
    { "x-codex-rate-limit-reached-type": "rate_limit_reached" },
    "{}",
    spent,
  ],
  [
    "429 limit, end in the headers",
    429,
    FULL,
    LIMIT,
    { ...spent, source: "headers", until: IN_2H } as Outcome,
  ],
  [
    "429 limit, both windows full: the later end",
    429,
    WEEK_FULL_TOO,
    LIMIT,
    { ...spent, source: "headers", until: NOW + 86_400_000 } as Outcome,
  ],
  ["429 limit, body before headers", 429, WEEK_FULL_TOO, LIMIT_2H, spent2h],
  [
    "429 limit, end in Retry-After",
    429,
    { "retry-after": "7200" },
    LIMIT,
    { ...spent, source: "retry-after", until: IN_2H } as Outcome,
  ],
  [
    "429 limit, Retry-After as date",
    429,
    { "retry-after": "Mon, 23 Nov 2026 20:00:00 GMT" },
    LIMIT,
    { ...spent, source: "retry-after", until: IN_2H } as Outcome,
  ],
  [
    "429 limit, absurd end",
    429,
    {},
    error({ type: "usage_limit_reached", resets_in_seconds: 1e12 }),
    spent,
  ],
  [
    "429 limit, negative end",
    429,
    {},
    error({ type: "usage_limit_reached", resets_in_seconds: -1 }),
    spent,
  ],
  [
    "429 limit of the plan named codex",
    429,
    { "x-codex-active-limit": "codex" },
    LIMIT_2H,
    spent2h,
  ],
  [
    "429 limit of the plan named premium",
    429,
    { "x-codex-active-limit": "premium" },
    LIMIT_2H,
    spent2h,
  ],
  [
    "429 limit of a model, end in its windows",
    429,
    { "x-codex-active-limit": "codex_bengalfox", ...SPARK_FULL },
    LIMIT,
    {
      kind: "usage limit",
      scope: "model",
      bucket: "codex_bengalfox",
      source: "headers",
      until: IN_2H,
    },
  ],
  [
    "429 limit of a model, named without prefix",
    429,
    { "x-codex-active-limit": "bengalfox", ...SPARK_FULL },
    LIMIT,
    {
      kind: "usage limit",
      scope: "model",
      bucket: "codex_bengalfox",
      source: "headers",
      until: IN_2H,
    },
  ],
  [
    "429 limit of a model, its end unknown",
    429,
    { "x-codex-active-limit": "codex_bengalfox", ...FULL },
    LIMIT,
    { kind: "usage limit", scope: "model", bucket: "codex_bengalfox", source: "none" },
  ],
  [
    "429 limit of the plan, a model's window full: no end of ours",
    429,
    { "x-codex-active-limit": "codex", ...SPARK_FULL },
    LIMIT,
    spent,
  ],
  [
    "429 owner's credits",
    429,
    { "x-codex-rate-limit-reached-type": "workspace_owner_credits_depleted" },
    LIMIT,
    workspaceSpent,
  ],
  [
    "429 owner's limit",
    429,
    { "x-codex-rate-limit-reached-type": "workspace_owner_usage_limit_reached" },
    LIMIT,
    workspaceSpent,
  ],
  [
    "429 member's limit",
    429,
    { "x-codex-rate-limit-reached-type": "workspace_member_usage_limit_reached" },
    LIMIT_2H,
    { ...workspaceSpent, source: "body", until: IN_2H } as Outcome,
  ],
  [
    "429 credits, type in the body",
    429,
    {},
    error({
      type: "usage_limit_reached",
      rate_limit_reached_type: { type: "workspace_member_credits_depleted" },
    }),
    workspaceSpent,
  ],
  [
    "429 credits, type as text in the body",
    429,
    {},
    error({
      type: "usage_limit_reached",
      rate_limit_reached_type: "workspace_member_credits_depleted",
    }),
    workspaceSpent,
  ],
  [
    "429 credits as the code itself",
    429,
    {},
    error({ code: "workspace_owner_credits_depleted" }),
    workspaceSpent,
  ],
  [
    "429 rate_limit_reached is the account's",
    429,
    { "x-codex-rate-limit-reached-type": "rate_limit_reached" },
    LIMIT_2H,
    spent2h,
  ],
  ["429 quota_exceeded", 429, {}, error({ code: "quota_exceeded" }), spent],
  [
    "429 insufficient_quota with an end",
    429,
    {},
    error({ type: "insufficient_quota", resets_in_seconds: 7200 }),
    spent2h,
  ],
  ["404 limit", 404, {}, LIMIT_2H, spent2h],
  ["404 limit by its text", 404, {}, detail("The usage limit has been reached"), spent],
  ["404 not included", 404, {}, error({ code: "usage_not_included" }), notIncluded],
  ["404 throttle in disguise", 404, {}, error({ code: "rate_limit_exceeded" }), throttled()],
  ["400 limit", 400, {}, LIMIT_2H, spent2h],
  ["403 limit", 403, {}, LIMIT_2H, spent2h],
  ["402 limit", 402, {}, LIMIT_2H, spent2h],
  ["402 insufficient_quota", 402, {}, error({ code: "insufficient_quota" }), spent],
  ["402 empty", 402, {}, "", spent],
  ["402 text", 402, {}, detail("Payment required"), spent],
  ["402 page", 402, {}, PAGE, spent],
  [
    "402 with Retry-After",
    402,
    { "retry-after": "7200" },
    "{}",
    { ...spent, source: "retry-after", until: IN_2H } as Outcome,
  ],
  ["402 deactivated in error.code", 402, {}, error({ code: "deactivated_workspace" }), closed],
  ["402 deactivated as detail text", 402, {}, detail("deactivated_workspace"), closed],
  ["402 deactivated in words", 402, {}, detail("This workspace has been deactivated."), closed],
  ["403 deactivated", 403, {}, detail({ code: "deactivated_workspace" }), closed],

  ["429 throttle without a wait", 429, {}, error({ code: "rate_limit_exceeded" }), throttled()],
  ["429 throttle by type", 429, {}, error({ type: "rate_limit_error" }), throttled()],
  [
    "429 throttle, wait in the text",
    429,
    {},
    error({ code: "rate_limit_exceeded", message: "Please try again in 1.5s." }),
    throttled(1500),
  ],
  [
    "429 throttle, header before text",
    429,
    { "retry-after": "3" },
    error({ code: "rate_limit_exceeded", message: "try again in 9s" }),
    throttled(3000),
  ],
  [
    "429 throttle at a full window stays short",
    429,
    FULL,
    error({ code: "rate_limit_exceeded" }),
    throttled(),
  ],
  [
    "429 throttle, a reset beside it is none",
    429,
    {},
    error({ code: "rate_limit_exceeded", resets_in_seconds: 7200 }),
    throttled(),
  ],
  [
    "429 at once",
    429,
    { "retry-after": "0" },
    error({ code: "rate_limit_exceeded" }),
    throttled(0),
  ],
  ["429 Retry-After nonsense", 429, { "retry-after": "soon" }, "{}", throttled()],
  ["429 Retry-After absurd", 429, { "retry-after": "999999999" }, "{}", throttled()],
  [
    "429 both forms of Retry-After",
    429,
    { "retry-after": "1", "retry-after-ms": "700" },
    "{}",
    throttled(700),
  ],
  ["429 empty", 429, {}, "", throttled()],
  ["429 empty object", 429, {}, "{}", throttled()],
  ["429 not JSON", 429, {}, "slow down", throttled()],
  ["429 JSON of another kind", 429, {}, "[1]", throttled()],
  ["429 unknown code", 429, {}, error({ code: "too_eager" }), throttled()],
  ["429 page", 429, {}, PAGE, throttled()],
  ["429 cut JSON", 429, {}, '{"error":{"type":"usage_lim', throttled()],
  [
    "429 not included in code",
    429,
    {},
    error({ code: "usage_not_included", type: null }),
    notIncluded,
  ],
  ["429 not included in detail", 429, {}, detail({ code: "usage_not_included" }), notIncluded],
  ["403 not included", 403, {}, error({ type: "usage_not_included" }), notIncluded],
  ["429 overloaded is nobody's fault", 429, {}, error({ code: "server_is_overloaded" }), trouble()],
  [
    "429 slow_down is nobody's fault",
    429,
    { "retry-after": "2" },
    error({ code: "slow_down" }),
    trouble(2000),
  ],

  ["401 revoked", 401, {}, error({ code: "token_revoked" }), unauthorized("token_revoked")],
  [
    "401 code in type",
    401,
    {},
    error({ type: "token_invalidated" }),
    unauthorized("token_invalidated"),
  ],
  ["401 code in detail", 401, {}, detail({ code: "token_expired" }), unauthorized("token_expired")],
  [
    "401 account deactivated, in words",
    401,
    {},
    error({ message: "Your account has been deactivated.", type: "invalid_request_error" }),
    unauthorized("account_deactivated"),
  ],
  [
    "401 unknown code",
    401,
    {},
    error({ code: "who_are_you", type: "invalid_request_error" }),
    unauthorized("who_are_you"),
  ],
  ["401 only a class of error", 401, {}, error({ type: "invalid_request_error" }), unauthorized()],
  ["401 empty", 401, {}, "", unauthorized()],
  ["401 page", 401, {}, PAGE, unauthorized()],
  ["401 with a usage code is about the token", 401, {}, LIMIT, unauthorized("usage_limit_reached")],

  ["403 page", 403, { "content-type": "text/html" }, PAGE, edge],
  ["403 page without its type", 403, {}, PAGE, edge],
  ["403 Cloudflare's short text", 403, {}, "error code: 1020", edge],
  ["403 empty", 403, {}, "", edge],
  ["403 challenge with JSON", 403, { "cf-mitigated": "challenge" }, "{}", edge],
  ["429 challenge", 429, { "cf-mitigated": "challenge" }, PAGE, edge],
  ["503 challenge", 503, { "cf-mitigated": "challenge" }, PAGE, edge],
  ["404 blanks only", 404, {}, "  \n", edge],
  ["404 JSON", 404, {}, detail("Not Found"), pass],
  ["404 empty object", 404, {}, "{}", pass],
  ["404 text", 404, {}, "404 page not found", pass],
  ["403 JSON of a policy", 403, {}, error({ code: "unsupported_country_region_territory" }), pass],
  ["403 quota words of a policy", 403, {}, error({ code: "quota_exceeded" }), pass],
  [
    "403 server behind Cloudflare, JSON",
    403,
    { server: "cloudflare", "cf-ray": "x" },
    detail("Forbidden"),
    pass,
  ],

  [
    "400 foreign reasoning, code in detail",
    400,
    {},
    detail({ code: "invalid_encrypted_content" }),
    foreign,
  ],
  ["400 foreign reasoning as detail text", 400, {}, detail(UNVERIFIED), foreign],
  [
    "400 foreign reasoning, decrypted",
    400,
    {},
    error({ message: "Encrypted content could not be decrypted or parsed." }),
    foreign,
  ],
  [
    "400 words in the other order",
    400,
    {},
    error({ message: "could not be verified: encrypted content" }),
    pass,
  ],
  [
    "400 model, code",
    400,
    {},
    error({ code: "model_not_supported_with_chatgpt_account" }),
    noModel,
  ],
  ["400 model, message", 400, {}, error({ message: UNSUPPORTED, code: null }), noModel],
  ["404 model, message", 404, {}, detail(UNSUPPORTED), noModel],
  ["403 model, message", 403, {}, detail(UNSUPPORTED), noModel],
  ["400 another model text", 400, {}, detail("The model is not supported."), pass],
  ["404 model_not_found", 404, {}, error({ code: "model_not_found" }), pass],
  ["400 empty", 400, {}, "", pass],
  ["400 page", 400, {}, PAGE, pass],
  ["400 a server error's name is no server error", 400, {}, error({ code: "server_error" }), pass],
  ["400 invalid_request_error", 400, {}, error({ type: "invalid_request_error" }), pass],
  ["408", 408, {}, "", pass],
  ["409", 409, {}, "", pass],
  ["413 JSON", 413, {}, error({ code: "rate_limit_exceeded" }), pass],
  ["413 empty", 413, {}, "", pass],
  ["415", 415, {}, detail("Unsupported Media Type"), pass],
  ["422", 422, {}, detail([{ msg: "field required" }]), pass],
  ["451", 451, {}, "", pass],

  ["500 empty", 500, {}, "", trouble()],
  ["500 with a limit's body", 500, {}, LIMIT_2H, trouble()],
  ["502 page", 502, {}, PAGE, trouble()],
  [
    "503 Retry-After date",
    503,
    { "retry-after": "Mon, 23 Nov 2026 18:00:30 GMT" },
    "",
    trouble(30_000),
  ],
  ["503 retry-after-ms", 503, { "retry-after-ms": "250" }, "", trouble(250)],
  ["503 text asks for time", 503, {}, error({ message: "try again in 5s" }), trouble()],
  ["504", 504, {}, "", trouble()],
  ["520, Cloudflare's own", 520, {}, "error code: 520", trouble()],
  ["529", 529, {}, "{}", trouble()],
];

for (const [name, status, headers, body, expected] of ROWS) {
  rows++;
  Deno.test(`outcome of ${name}`, () => {
    assert.deepEqual(classify(status, new Headers(headers), body, NOW), expected);
  });
}

const failed = (fields: unknown) => ({
  type: "response.failed",
  response: { status: "failed", error: fields },
});

const EVENT_ROWS: readonly (readonly [string, unknown, Outcome])[] = [
  ["completed", { type: "response.completed", response: {} }, ok],
  ["incomplete", {
    type: "response.incomplete",
    response: { incomplete_details: { reason: "max_output_tokens" } },
  }, ok],
  ["a delta that speaks of a limit", {
    type: "response.output_text.delta",
    delta: "usage_limit_reached",
  }, ok],
  ["limit, failed", failed({ code: "usage_limit_reached" }), spent],
  [
    "limit, failed, with an end",
    failed({ code: "usage_limit_reached", resets_in_seconds: 7200 }),
    spent2h,
  ],
  ["limit, nested error", {
    type: "error",
    error: { type: "usage_limit_reached", resets_in_seconds: 7200 },
  }, spent2h],
  [
    "limit, flat error",
    { type: "error", code: "usage_limit_reached", resets_in_seconds: 7200 },
    spent2h,
  ],
  ["limit, the old alias", {
    type: "response.done",
    response: { status: "failed", error: { code: "usage_limit_reached" } },
  }, spent],
  ["the old alias of a good end", { type: "response.done", response: { status: "completed" } }, ok],
  [
    "throttle, flat",
    { type: "error", code: "rate_limit_exceeded", message: "Rate limit reached" },
    throttled(),
  ],
  [
    "throttle with its wait",
    failed({ code: "rate_limit_exceeded", message: "Please try again in 20ms." }),
    throttled(20),
  ],
  ["overloaded", failed({ code: "server_is_overloaded" }), trouble()],
  ["server error", failed({ code: "server_error" }), trouble()],
  ["context too long", failed({ code: "context_length_exceeded" }), pass],
  ["cyber policy", failed({ code: "cyber_policy" }), pass],
  ["no reason at all", failed(null), pass],
  ["an empty error", { type: "error" }, pass],
  ["not included", failed({ code: "usage_not_included" }), notIncluded],
  ["foreign reasoning", failed({ code: "invalid_encrypted_content" }), foreign],
  ["no such model", failed({ message: UNSUPPORTED }), noModel],
  ["bad token", failed({ code: "token_expired" }), unauthorized("token_expired")],
  ["WebSocket form", {
    type: "error",
    status: 429,
    error: { type: "usage_limit_reached" },
    headers: {
      "X-Codex-Primary-Used-Percent": "100",
      "X-Codex-Primary-Window-Minutes": "300",
      "X-Codex-Primary-Reset-After-Seconds": 7200,
    },
  }, { ...spent, source: "headers", until: IN_2H } as Outcome],
  ["WebSocket form, unknown code", {
    type: "error",
    status_code: 429,
    error: { code: "odd" },
    headers: { "bad name": "x" },
  }, throttled()],
  ["WebSocket form, 503", { type: "error", status: 503, error: { code: "odd" } }, trouble()],
  [
    "WebSocket form, 401",
    { type: "error", status: 401, error: { code: "odd" } },
    unauthorized("odd"),
  ],
  ["WebSocket form, 400", { type: "error", status: 400, error: { code: "odd" } }, pass],
  ["no JSON", "[DONE]", ok],
  ["nothing", "", ok],
];

for (const [name, event, expected] of EVENT_ROWS) {
  rows++;
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

Deno.test("outcome: the tables have at least 120 rows", () => {
  assert.ok(rows >= 120, `${rows} rows`);
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
