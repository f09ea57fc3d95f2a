/**
 * What the Codex CLI writes down about limits: the rollout of a session, lines of JSON.
 *
 * @module
 */
import { join } from "node:path";
import { type FileSystem, readTextIfExists, systemFiles } from "../platform/files.ts";
import { asNumber, asObject, asText, given, type JsonObject } from "../platform/json.ts";
import { readCredits } from "../quota/rate_limits_event.ts";
import { addWindow, bucketName } from "../quota/reading.ts";
import { readMoment } from "../quota/reset.ts";
import type { Usage } from "../quota/usage.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../quota/window.ts";

/** What a rollout says. */
export interface RolloutLimits {
  /** Windows that were last reported; `observedAt` is the line's own time. */
  readonly usage: Usage;
  /** The workspace that the session ran in, where it is written down. */
  readonly workspaceId?: string;
}

/**
 * Reads the last figures in a rollout: the last `token_count` that has a window. Lines that are no
 * JSON, as one that is being written, say nothing.
 *
 * @param text The file's text.
 * @param now Epoch milliseconds, for a line without a time of its own.
 * @returns undefined when no line has a window.
 */
export function readRollout(text: string, now: number): RolloutLimits | undefined {
  let usage: Usage | undefined;
  let workspaceId: string | undefined;
  for (const line of text.split("\n")) {
    const entry = parse(line);
    const payload = asObject(entry?.["payload"]);
    if (!entry || !payload) continue;
    if (entry["type"] === "session_meta") workspaceId = asText(payload["creator_account_id"]);
    if (payload["type"] !== "token_count") continue;
    const limits = asObject(payload["rate_limits"]);
    if (limits) usage = usageOf(limits, readMoment(entry["timestamp"]) ?? now) ?? usage;
  }
  return usage && { usage, ...given("workspaceId", workspaceId) };
}

function usageOf(limits: JsonObject, at: number): Usage | undefined {
  const bucket = bucketName(asText(limits["limit_id"]) || PLAN_BUCKET);
  const windows: QuotaWindow[] = [];
  for (const slot of [asObject(limits["primary"]), asObject(limits["secondary"])]) {
    if (!slot) continue;
    addWindow(windows, bucket, {
      usedPercent: slot["used_percent"],
      minutes: wholeLength(slot["window_minutes"]),
      resetAt: slot["resets_at"] ?? slot["reset_at"],
      resetAfterSeconds: slot["resets_in_seconds"],
    }, at);
  }
  if (windows.length === 0) return undefined;
  return {
    windows,
    buckets: [{ bucket, ...given("limitName", asText(limits["limit_name"])) }],
    ...given("planType", asText(limits["plan_type"])),
    ...given("reachedType", asText(limits["rate_limit_reached_type"])),
    ...given("credits", readCredits(limits["credits"])),
  };
}

/** Older versions of the Codex CLI count a minute too few. */
function wholeLength(minutes: unknown): unknown {
  const number = asNumber(minutes);
  return number !== undefined && (number === 299 || number === 10_079) ? number + 1 : minutes;
}

function parse(line: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** Every rollout in a Codex home, newest first: their names begin with the time. */
export function rollouts(home: string, files: FileSystem = systemFiles): string[] {
  let folders = [join(home, "sessions")];
  // sessions / year / month / day
  for (let depth = 0; depth < 3; depth++) {
    folders = folders.flatMap((folder) => list(folder, files).map((name) => join(folder, name)));
  }
  return folders.flatMap((folder) =>
    list(folder, files).filter((name) => /^rollout-.*\.jsonl$/.test(name))
      .map((name) => join(folder, name))
  ).sort().reverse();
}

function list(folder: string, files: FileSystem): string[] {
  try {
    return files.list(folder);
  } catch {
    return [];
  }
}

/** The last figures of the newest rollout that has any. */
export function newestLimits(
  paths: readonly string[],
  now: number,
  files: FileSystem = systemFiles,
): RolloutLimits | undefined {
  for (const path of paths) {
    const text = readTextIfExists(path, files);
    const found = text === undefined ? undefined : readRollout(text, now);
    if (found) return found;
  }
  return undefined;
}
