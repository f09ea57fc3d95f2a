/**
 * The outcomes and answers that the tables of `outcome_test.ts` are written in.
 *
 * @module
 */
import type { Outcome } from "../../src/codex/outcome.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";

export const NOW = FIXTURE_NOW;
export const IN_2H = NOW + 7_200_000;

export const ok: Outcome = { kind: "ok" };
export const pass: Outcome = { kind: "pass through" };
export const edge: Outcome = { kind: "edge block" };
export const foreign: Outcome = { kind: "foreign reasoning" };
export const noModel: Outcome = { kind: "model not supported" };
export const closed: Outcome = { kind: "workspace deactivated" };
export const notIncluded: Outcome = { kind: "not included" };
export const spent: Outcome = { kind: "usage limit", scope: "account", source: "none" };
export const spent2h: Outcome = {
  kind: "usage limit",
  scope: "account",
  source: "body",
  until: IN_2H,
};
export const workspaceSpent: Outcome = { kind: "usage limit", scope: "workspace", source: "none" };
export const throttled = (waitMs?: number): Outcome => ({
  kind: "throttled",
  ...(waitMs !== undefined && { waitMs }),
});
export const trouble = (waitMs?: number): Outcome => ({
  kind: "server trouble",
  ...(waitMs !== undefined && { waitMs }),
});
export const unauthorized = (code?: string): Outcome => ({
  kind: "unauthorized",
  ...(code !== undefined && { code }),
});

export const error = (fields: Record<string, unknown>) => JSON.stringify({ error: fields });
export const detail = (value: unknown) => JSON.stringify({ detail: value });
export const LIMIT = error({
  type: "usage_limit_reached",
  message: "The usage limit has been reached",
});
export const LIMIT_2H = error({ type: "usage_limit_reached", resets_in_seconds: 7200 });
export const FULL = {
  "x-codex-primary-used-percent": "100",
  "x-codex-primary-window-minutes": "300",
  "x-codex-primary-reset-after-seconds": "7200",
};
export const WEEK_FULL_TOO = {
  ...FULL,
  "x-codex-secondary-used-percent": "100",
  "x-codex-secondary-window-minutes": "10080",
  "x-codex-secondary-reset-after-seconds": "86400",
};
export const SPARK_FULL = {
  "x-codex-bengalfox-primary-used-percent": "100",
  "x-codex-bengalfox-primary-window-minutes": "10080",
  "x-codex-bengalfox-primary-reset-after-seconds": "7200",
};
export const PAGE = "<!DOCTYPE html><html><title>Just a moment...</title></html>";
export const UNSUPPORTED =
  "The 'gpt-9' model is not supported when using Codex with a ChatGPT account.";
export const UNVERIFIED = "The encrypted content gAAA could not be verified.";

/** An answer: its name, status, headers and body, and what it means. */
export type Row = readonly [string, number, Record<string, string>, string, Outcome];

export const failed = (fields: unknown) => ({
  type: "response.failed",
  response: { status: "failed", error: fields },
});
