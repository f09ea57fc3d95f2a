import { asNumber, asObject, asText, given, type JsonObject } from "../platform/json.ts";
import { readCredits } from "../quota/rate_limits_event.ts";
import { addWindow, bucketName } from "../quota/reading.ts";
import type { BucketUsage, Usage } from "../quota/usage.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../quota/window.ts";

/**
 * Reads the result of `account/rateLimits/read`.
 *
 * @param askedAt How old the evidence is, epoch milliseconds.
 * @returns undefined when it is no such result. Never throws.
 */
export function readAppServerLimits(result: unknown, askedAt: number): Usage | undefined {
  const answer = asObject(result);
  const plan = asObject(answer?.["rateLimits"]);
  const byId = asObject(answer?.["rateLimitsByLimitId"]);
  if (!answer || (!plan && !byId)) return undefined;
  const windows: QuotaWindow[] = [];
  const buckets: BucketUsage[] = [];
  // Older servers name the plan's bucket alone.
  const all = { ...(plan ? { [idOf(plan)]: plan } : {}), ...byId };
  for (const [id, value] of Object.entries(all)) {
    const limits = asObject(value);
    if (!limits) continue;
    const bucket = bucketName(id);
    addBucket(windows, bucket, limits, askedAt);
    buckets.push({ bucket, ...given("limitName", asText(limits["limitName"])) });
  }
  const main = asObject(all[PLAN_BUCKET]) ?? plan;
  const credits = asObject(main?.["credits"]);
  const allowed = answer["ordinaryUsageAllowed"];
  return {
    windows,
    buckets,
    ...given("planType", asText(main?.["planType"])),
    ...given("accountId", asText(answer["accountId"])),
    ...(typeof allowed === "boolean" ? { allowed } : {}),
    ...given("reachedType", asText(main?.["rateLimitReachedType"])),
    ...given(
      "credits",
      credits && readCredits({ ...credits, has_credits: credits["hasCredits"] }),
    ),
    ...(main?.["spendControlReached"] === true ? { spendingStopped: true } : {}),
    ...given(
      "resetCredits",
      asNumber(asObject(answer["rateLimitResetCredits"])?.["availableCount"]),
    ),
  };
}

function idOf(limits: JsonObject): string {
  return asText(limits["limitId"]) || PLAN_BUCKET;
}

function addBucket(
  windows: QuotaWindow[],
  bucket: string,
  limits: JsonObject,
  askedAt: number,
): void {
  for (const slot of [asObject(limits["primary"]), asObject(limits["secondary"])]) {
    if (!slot) continue;
    addWindow(windows, bucket, {
      usedPercent: slot["usedPercent"],
      minutes: slot["windowDurationMins"],
      resetAt: slot["resetsAt"],
    }, askedAt);
  }
}
