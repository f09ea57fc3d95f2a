import type { BlockEndSource } from "../quota/block.ts";
import { readQuotaHeaders } from "../quota/headers.ts";
import { findReset, LONGEST_WAIT_MS, readRetryAfter } from "../quota/reset.ts";
import { PLAN_BUCKET } from "../quota/window.ts";
import { isBag, readEventRefusal, readRefusal, type Refusal, waitInText } from "./refusal.ts";

/** What an answer of the backend means, whom it concerns and when it ends. */
export type Outcome =
  /** A good answer, or an event that refuses nothing. */
  | { readonly kind: "ok" }
  /** Quota is spent. */
  | {
    readonly kind: "usage limit";
    /** `model`: only the bucket named; `workspace`: every member of it. */
    readonly scope: "account" | "model" | "workspace";
    /** Epoch milliseconds; absent when nobody said. */
    readonly until?: number;
    /** Who said when it ends; `none` without `until`. */
    readonly source: BlockEndSource;
    /** The model's bucket, with scope `model`. */
    readonly bucket?: string;
  }
  /** Too fast, for a moment. `waitMs` (milliseconds) only when the server named a span. */
  | { readonly kind: "throttled"; readonly waitMs?: number }
  /** The plan has no Codex. */
  | { readonly kind: "not included" }
  /** This access token is not accepted; the refresh token may be fine. */
  | { readonly kind: "unauthorized"; readonly code?: string }
  /** The workspace was closed. */
  | { readonly kind: "workspace deactivated" }
  /** Cloudflare refused this client, address or path: nobody's fault, and every account meets the same wall. */
  | { readonly kind: "edge block" }
  /** The request carries encrypted reasoning of another account. */
  | { readonly kind: "foreign reasoning" }
  /** This account lacks the model. */
  | { readonly kind: "model not supported" }
  /** Trouble on the way or over there: nobody's fault. */
  | { readonly kind: "server trouble"; readonly waitMs?: number }
  /** The request itself, or anything else: the caller gets the answer untouched. */
  | { readonly kind: "pass through" };

const QUOTA_SPENT = new Set(["insufficient_quota", "quota_exceeded"]);
const THROTTLED = new Set(["rate_limit_exceeded", "rate_limit_error", "too_many_requests"]);
const OVERLOADED = new Set(["server_is_overloaded", "slow_down"]);
/** Believed inside a stream, where no status tells; beside a 4xx they contradict it. */
const SERVER_ERROR = new Set([
  "server_error",
  "service_unavailable_error",
  "internal_server_error",
]);
const BAD_TOKEN = new Set([
  "token_invalidated",
  "token_revoked",
  "token_expired",
  "account_deactivated",
  "invalid_token",
]);

/**
 * Names what an answer means.
 *
 * The status decides first (a 5xx is trouble whatever its body claims, a 401
 * is about the token), then the code, wherever the backend put it, then the
 * few texts that come without a code.
 *
 * @param body The body's text; {@linkcode REFUSAL_LIMIT} bytes of it are plenty, and below 400 none is needed.
 * @param now Epoch milliseconds.
 */
export function classify(status: number, headers: Headers, body: string, now: number): Outcome {
  if (status < 400) return { kind: status >= 200 && status < 300 ? "ok" : "pass through" };
  // Set by Cloudflare only, on its own pages: https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/
  if (headers.has("cf-mitigated")) return { kind: "edge block" };
  if (status >= 500) return trouble(headers, now);
  const refusal = readRefusal(body);
  if (status === 401) return unauthorized(refusal);
  // Too large for the edge or the backend: about the request, whatever else it says.
  if (status === 413) return { kind: "pass through" };
  return byCode(refusal, status, headers, now) ?? byStatus(status, refusal, headers, now);
}

/**
 * Names what an event inside a 200 means. `response.failed` and `error`
 * refuse; every other event, `response.incomplete` included, is `ok`.
 *
 * @param event The event's data: its text, or what was parsed of it.
 * @param headers The headers of the answer that carries the stream.
 * @param now Epoch milliseconds.
 * @param name The `event:` line's value; it counts where the data has no type.
 */
export function classifyEvent(
  event: unknown,
  headers: Headers,
  now: number,
  name?: string,
): Outcome {
  const value = typeof event === "string" ? parse(event) : event;
  if (!isBag(value) || !isRefusal(value, name)) return { kind: "ok" };
  const refusal = readEventRefusal(value);
  // The WebSocket form of an error brings status and headers of its own (`status` or `status_code`).
  const status = value["status"] ?? value["status_code"];
  const own = isBag(value["headers"]) ? mergeHeaders(headers, value["headers"]) : headers;
  const known = byCode(refusal, undefined, own, now);
  if (known) return known;
  if (refusal.codes.some((code) => SERVER_ERROR.has(code))) {
    return trouble(own, now, refusal.message);
  }
  if (typeof status !== "number") return { kind: "pass through" };
  if (status >= 500) return trouble(own, now);
  return status === 401 ? unauthorized(refusal) : byStatus(status, refusal, own, now);
}

function isRefusal(event: Readonly<Record<string, unknown>>, name: string | undefined): boolean {
  const { response, error } = event;
  const type = event["type"] ?? name;
  if (type === "response.failed" || type === "error") return true;
  // An error's body as it comes outside a stream.
  if (type === undefined) return isBag(error);
  // The old alias stands for every ending; the response inside says which.
  return type === "response.done" && isBag(response) && response["status"] === "failed";
}

/**
 * What a code means; undefined when no code decides.
 *
 * @param status 400 to 499, or undefined inside a stream.
 */
function byCode(
  refusal: Refusal,
  status: number | undefined,
  headers: Headers,
  now: number,
): Outcome | undefined {
  const { codes, message } = refusal;
  const has = (set: ReadonlySet<string>) => codes.some((code) => set.has(code));
  if (codes.includes("deactivated_workspace")) return { kind: "workspace deactivated" };
  if (codes.includes("usage_not_included")) return { kind: "not included" };
  if (codes.includes("usage_limit_reached") || codes.some(isWorkspaceLimit)) {
    return usageLimit(refusal, headers, now);
  }
  // Beside other statuses these words are about a policy, not about what is spent.
  const aboutMoney = status === undefined || status === 402 || status === 404 || status === 429;
  if (aboutMoney && has(QUOTA_SPENT)) return usageLimit(refusal, headers, now);
  if (has(THROTTLED)) return throttled(refusal, headers, now);
  if (has(BAD_TOKEN)) return unauthorized(refusal);
  if (codes.includes("invalid_encrypted_content")) return { kind: "foreign reasoning" };
  if (
    codes.includes("model_not_supported_with_chatgpt_account") ||
    /\bmodel is not supported when using Codex\b/i.test(message)
  ) return { kind: "model not supported" };
  if (has(OVERLOADED)) return trouble(headers, now, refusal.message);
  // Comes with `code: null` as well.
  return isForeignReasoning(message) ? { kind: "foreign reasoning" } : undefined;
}

/** What a status from 400 to 499 means when no code decided. */
function byStatus(status: number, refusal: Refusal, headers: Headers, now: number): Outcome {
  const { json, message } = refusal;
  switch (status) {
    case 402:
      if (/workspace/i.test(message) && /deactivated/i.test(message)) {
        return { kind: "workspace deactivated" };
      }
      return usageLimit(refusal, headers, now);
    case 403:
      // The backend's own 403 speaks JSON; a page, "error code: 1020" or nothing is the edge's.
      return { kind: json ? "pass through" : "edge block" };
    case 404:
      if (json && /usage limit/i.test(message)) return usageLimit(refusal, headers, now);
      return { kind: message.trim() === "" && !json ? "edge block" : "pass through" };
    case 429:
      return speaksOfQuota(refusal, headers, now)
        ? usageLimit(refusal, headers, now)
        : throttled(refusal, headers, now);
    default:
      return { kind: "pass through" };
  }
}

/** Whether a 429 without a known code is about quota all the same: only such answers carry these signs. */
function speaksOfQuota(refusal: Refusal, headers: Headers, now: number): boolean {
  if (/usage limit/i.test(refusal.message) || refusal.reachedType !== undefined) return true;
  if (headers.has("x-codex-rate-limit-reached-type")) return true;
  return findReset(refusal, now) !== undefined;
}

function usageLimit(refusal: Refusal, headers: Headers, now: number): Outcome {
  const quota = readQuotaHeaders(headers, now);
  const bucket = modelBucket(quota.activeLimit, quota.windows);
  const windows = quota.windows.filter((window) => window.bucket === (bucket ?? PLAN_BUCKET));
  const { until, source } = findReset({ ...refusal, windows, headers }, now) ??
    { until: undefined, source: "none" as const };
  const workspace = isWorkspaceLimit(refusal.reachedType) || isWorkspaceLimit(quota.reachedType) ||
    refusal.codes.some(isWorkspaceLimit);
  const end = { source, ...(until !== undefined && { until }) };
  if (workspace) return { kind: "usage limit", scope: "workspace", ...end };
  if (bucket !== undefined) return { kind: "usage limit", scope: "model", bucket, ...end };
  return { kind: "usage limit", scope: "account", ...end };
}

/** The model's bucket that `x-codex-active-limit` names; `codex` and `premium` are the plan's. */
function modelBucket(
  active: string | undefined,
  windows: readonly { readonly bucket: string }[],
): string | undefined {
  if (active === undefined || active === PLAN_BUCKET) return undefined;
  if (active.startsWith(`${PLAN_BUCKET}_`)) return active;
  const family = `${PLAN_BUCKET}_${active}`;
  return windows.some((window) => window.bucket === family) ? family : undefined;
}

function isForeignReasoning(message: string): boolean {
  const start = message.search(/encrypted content\b/i);
  return start >= 0 && /could not be (verified|decrypted)/i.test(message.slice(start));
}

function isWorkspaceLimit(type: string | undefined): boolean {
  return type !== undefined &&
    /^workspace_.*(credits_depleted|usage_limit_reached)$/i.test(type.trim());
}

function throttled(refusal: Refusal, headers: Headers, now: number): Outcome {
  const waitMs = readRetryAfter(headers, now) ?? believedWait(refusal.message);
  return { kind: "throttled", ...(waitMs !== undefined && { waitMs }) };
}

function trouble(headers: Headers, now: number, message = ""): Outcome {
  const waitMs = readRetryAfter(headers, now) ?? believedWait(message);
  return { kind: "server trouble", ...(waitMs !== undefined && { waitMs }) };
}

function believedWait(message: string): number | undefined {
  const wait = waitInText(message);
  return wait !== undefined && wait <= LONGEST_WAIT_MS ? wait : undefined;
}

function unauthorized({ codes, message }: Refusal): Outcome {
  // `invalid_request_error` and the like stand beside the code that tells something.
  const code = codes.find((one) => BAD_TOKEN.has(one)) ??
    codes.find((one) => !one.endsWith("_error") && one !== "unauthorized") ??
    (/account has been deactivated/i.test(message) ? "account_deactivated" : undefined);
  return { kind: "unauthorized", ...(code !== undefined && { code }) };
}

function mergeHeaders(base: Headers, own: Readonly<Record<string, unknown>>): Headers {
  const merged = new Headers(base);
  for (const [name, value] of Object.entries(own)) {
    if (typeof value !== "string" && typeof value !== "number") continue;
    try {
      merged.set(name, String(value));
    } catch {
      // A name or value that no header can have says nothing.
    }
  }
  return merged;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
