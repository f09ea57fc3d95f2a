import type { Account } from "../account/account.ts";
import type { Clock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import { readUsage, type Usage } from "../quota/usage.ts";
import type { Pool } from "../rotation/pool.ts";
import { PROGRAM, VERSION } from "../platform/version.ts";
import { accountHeaders } from "./request.ts";

/** Longest that the usage endpoint may take, in milliseconds. */
const LIMIT_MS = 15_000;
/** One account is asked at most this often, in milliseconds: polling pools in bursts is said to have cost accounts. */
const GAP_MS = 60_000;

/** Both spellings of the endpoint; either has answered 403 to everybody for weeks while the other worked. */
const PATHS = ["/wham/usage", "/codex/usage"] as const;

/** What came of asking the usage endpoint. */
export type UsageAnswer =
  | { readonly kind: "read"; readonly usage: Usage }
  /** The access token is not accepted. */
  | { readonly kind: "unauthorized" }
  /** Says nothing about the account. */
  | { readonly kind: "failed"; readonly cause: string };

/**
 * Asks the usage endpoint about an account. Costs no quota.
 *
 * @returns `failed` also for 403: it says nothing about the account.
 */
export async function fetchUsage(
  account: Account,
  options: { fetch: typeof fetch; backend: string; clock: Clock; signal?: AbortSignal },
): Promise<UsageAnswer> {
  const limit = new AbortController();
  const cancel = options.clock.after(LIMIT_MS, () => limit.abort(), { background: true });
  const signal = options.signal ? AbortSignal.any([options.signal, limit.signal]) : limit.signal;
  let cause = "no answer";
  try {
    for (const path of PATHS) {
      const response = await options.fetch(options.backend + path, {
        headers: {
          ...Object.fromEntries(accountHeaders(account)),
          accept: "application/json",
          "user-agent": `${PROGRAM}/${VERSION}`,
        },
        signal,
        redirect: "manual",
      });
      const text = await response.text();
      if (response.ok) {
        const usage = readUsage(text, options.clock.now());
        return usage
          ? { kind: "read", usage }
          : { kind: "failed", cause: "an answer nobody understands" };
      }
      if (response.status === 401) return { kind: "unauthorized" };
      cause = `status ${response.status}`;
      if (response.status !== 403 && response.status !== 404) break;
    }
  } catch (error) {
    cause = limit.signal.aborted ? "no answer in time" : messageOf(error);
  } finally {
    cancel();
  }
  return { kind: "failed", cause };
}

/**
 * Asks about an account whose block is a guess. What the endpoint says
 * replaces the guess; below 100 % it lifts it.
 */
export function createUsageQuestion(options: {
  fetch: typeof fetch;
  backend: string;
  clock: Clock;
  pool: Pool;
  log: Log;
}): (account: Account) => Promise<void> {
  const asked = new Map<string, number>();
  return async (account) => {
    const now = options.clock.now();
    if (now - (asked.get(account.id) ?? Number.NEGATIVE_INFINITY) < GAP_MS) return;
    asked.set(account.id, now);
    try {
      const answer = await fetchUsage(account, options);
      if (answer.kind === "read") await options.pool.observe(account.id, answer.usage.windows);
      else if (answer.kind === "failed") {
        options.log.info(`${account.alias}: the usage endpoint gave ${answer.cause}`);
      }
    } catch (error) {
      options.log.warn(messageOf(error));
    }
  };
}
