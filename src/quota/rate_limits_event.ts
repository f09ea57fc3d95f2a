import type { Credits } from "./headers.ts";
import { addWindow, bucketName } from "./reading.ts";
import { readNumber } from "./reset.ts";
import { PLAN_BUCKET, type QuotaWindow } from "./window.ts";

/** What one `codex.rate_limits` event says. */
export interface RateLimitsEvent {
  /** `codex`, or the model's bucket that the event is about. */
  readonly bucket: string;
  /** Windows of that bucket; empty when the event brings none. */
  readonly windows: readonly QuotaWindow[];
  /** The bucket's name for people. */
  readonly limitName?: string;
  readonly planType?: string;
  readonly allowed?: boolean;
  /** True may come while the answer goes on and completes: it concerns the next request. */
  readonly limitReached?: boolean;
  readonly credits?: Credits;
}

type Bag = Readonly<Record<string, unknown>>;

/**
 * Reads a `codex.rate_limits` event.
 *
 * @param event The event's data: its text, or what was parsed of it.
 * @param now Epoch milliseconds, for what is given as a span.
 * @param observedAt How old the evidence is, epoch milliseconds.
 * @returns undefined for anything that is no such event. Never throws.
 */
export function readRateLimitsEvent(
  event: unknown,
  now: number,
  observedAt: number = now,
): RateLimitsEvent | undefined {
  const value = typeof event === "string" ? parse(event) : event;
  if (!isBag(value) || value["type"] !== "codex.rate_limits") return undefined;
  const limitName = text(value["limit_name"]);
  // The plan's own events carry no name, or `codex`. Any other name is a model's bucket.
  const named = text(value["limit_id"]) ?? text(value["metered_limit_name"]) ?? limitName;
  const bucket = named === undefined ? PLAN_BUCKET : bucketName(named);
  const limits = isBag(value["rate_limits"]) ? value["rate_limits"] : {};
  const windows: QuotaWindow[] = [];
  for (const slot of [limits["primary"], limits["secondary"]]) {
    if (!isBag(slot)) continue;
    addWindow(
      windows,
      bucket,
      {
        usedPercent: slot["used_percent"],
        minutes: slot["window_minutes"],
        resetAt: slot["reset_at"] ?? slot["resets_at"],
        resetAfterSeconds: slot["reset_after_seconds"] ?? slot["resets_in_seconds"],
      },
      now,
      observedAt,
    );
  }
  const planType = text(value["plan_type"]);
  const credits = readCredits(value["credits"]);
  return {
    bucket,
    windows,
    ...(limitName !== undefined && { limitName }),
    ...(planType !== undefined && { planType }),
    ...(typeof limits["allowed"] === "boolean" && { allowed: limits["allowed"] }),
    ...(typeof limits["limit_reached"] === "boolean" && { limitReached: limits["limit_reached"] }),
    ...(credits && { credits }),
  };
}

/** Reads `{has_credits, unlimited, balance}`; the balance comes as text, number or not at all. */
export function readCredits(value: unknown): Credits | undefined {
  if (!isBag(value) || typeof value["has_credits"] !== "boolean") return undefined;
  const balance = value["balance"];
  return {
    hasCredits: value["has_credits"],
    unlimited: value["unlimited"] === true,
    balance: text(balance) ??
      (typeof balance === "number" ? text(`${readNumber(balance) ?? ""}`) : undefined) ?? null,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

function isBag(value: unknown): value is Bag {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}
