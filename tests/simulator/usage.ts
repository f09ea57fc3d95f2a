/**
 * What the backend tells about a plan besides answers: quota, workspaces, reset credits.
 *
 * @module
 */
import type { Plan } from "./plan.ts";
import { epochSeconds, type Refusal } from "./quota.ts";

/** Body of GET /wham/usage and /codex/usage, in the form of `tests/fixtures/codex/usage.json`. */
export function usageBody(plan: Plan): Record<string, unknown> {
  return {
    user_id: plan.userId,
    account_id: plan.workspaceId,
    email: plan.email,
    plan_type: plan.planType,
    rate_limit: plan.quota.rateLimit(),
    code_review_rate_limit: null,
    additional_rate_limits: null,
    credits: { has_credits: false, unlimited: false, balance: "0" },
    spend_control: { reached: false },
    rate_limit_reached_type: plan.quota.refusal() ? { type: "rate_limit_reached" } : null,
    rate_limit_reset_credits: { available_count: availableCredits(plan) },
    promo: null,
  };
}

/** Body of GET /wham/rate-limit-reset-credits. */
export function resetCreditsBody(plan: Plan): Record<string, unknown> {
  return { credits: plan.resetCredits, available_count: availableCredits(plan) };
}

function availableCredits(plan: Plan): number {
  return plan.resetCredits.filter(({ status }) => status === "available").length;
}

/** Body of GET /wham/accounts/check, in the form of `tests/fixtures/codex/accounts-check.json`. */
export function accountsCheckBody(plan: Plan): Record<string, unknown> {
  return {
    accounts: [{
      id: plan.workspaceId,
      name: null,
      structure: "personal",
      plan_type: plan.planType,
      is_deactivated: false,
      can_access_with_session: true,
      workspace_backend_origin: "https://chatgpt.com",
      account_routing_override: "NO_CONSTRAINT",
      profile_picture_url: null,
    }],
    default_account_id: plan.workspaceId,
    account_ordering: [plan.workspaceId],
  };
}

/** The headers of every 200 and 429 of a model turn. */
export function rateHeaders(plan: Plan): Record<string, string> {
  return {
    "x-codex-active-limit": "codex",
    "x-codex-plan-type": plan.planType,
    ...plan.quota.headers(),
    "x-codex-credits-has-credits": "False",
    "x-codex-credits-balance": "0",
    "x-codex-credits-unlimited": "False",
  };
}

/** The error of a spent quota, as in a 429 and in `response.failed`. */
export function usageLimitError(
  plan: Plan,
  refusal: Refusal,
  now: number,
): Record<string, unknown> {
  return {
    type: "usage_limit_reached",
    message: "The usage limit has been reached",
    plan_type: plan.planType,
    resets_at: epochSeconds(refusal.resetsAt),
    resets_in_seconds: Math.max(0, Math.ceil((refusal.resetsAt - now) / 1000)),
    eligible_promo: null,
  };
}
