import type { Outcome } from "../../src/codex/outcome.ts";
import {
  failed,
  foreign,
  IN_2H,
  noModel,
  notIncluded,
  ok,
  pass,
  spent,
  spent2h,
  throttled,
  trouble,
  unauthorized,
  UNSUPPORTED,
} from "./outcome_words.ts";

/** Events inside a 200: name, data, and what it means. */
export const EVENT_ROWS: readonly (readonly [string, unknown, Outcome])[] = [
  ["completed", { type: "response.completed", response: {} }, ok],
  ["incomplete", {
    type: "response.incomplete",
    response: { incomplete_details: { reason: "max_output_tokens" } },
  }, ok],
  ["a delta that speaks of a limit", {
    type: "response.output_text.delta",
    delta: "usage_limit_reached",
  }, ok],
  ["limit, an error without a type", { error: { type: "usage_limit_reached" } }, spent],
  ["status 500 of its own", { type: "error", status: 500, error: { message: "x" } }, trouble()],
  [
    "overloaded, wait in the text",
    failed({ code: "server_is_overloaded", message: "Please try again in 7s." }),
    trouble(7000),
  ],
  [
    "overloaded, a wait that nobody believes",
    failed({ code: "server_is_overloaded", message: "Please try again in 400 days." }),
    trouble(),
  ],
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
