import type { Account } from "../account/account.ts";
import type { Clock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import { PROGRAM, VERSION } from "../platform/version.ts";
import { accountSubject, workspaceSubject } from "../quota/block.ts";
import { readUsage, type Usage } from "../quota/usage.ts";
import { fullUntil } from "../quota/verdict.ts";
import { PLAN_BUCKET } from "../quota/window.ts";
import type { Pool } from "../rotation/pool.ts";
import { GUESS_MS } from "./learn.ts";
import { accountHeaders } from "./request.ts";

/** Longest that the usage endpoint may take, in milliseconds. */
const LIMIT_MS = 15_000;

/** Both spellings of the endpoint; either has answered 403 to everybody for weeks while the other worked. */
const PATHS = ["/wham/usage", "/codex/usage"] as const;

/** What came of asking the usage endpoint. */
export type UsageAnswer =
  /** `askedAt`, epoch milliseconds, is how old its figures are. */
  | { readonly kind: "read"; readonly usage: Usage; readonly askedAt: number }
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
      const askedAt = options.clock.now();
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
        if (!usage) return { kind: "failed", cause: "an answer nobody understands" };
        // A refusal that overtook this answer must stay the newer evidence.
        const windows = usage.windows.map((window) => ({ ...window, observedAt: askedAt }));
        return { kind: "read", usage: { ...usage, windows }, askedAt };
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
 * Tells the pool what the usage endpoint says about an account: figures, and that a limit is over.
 *
 * Shares below 100 % speak for the plan's own limit, as all figures do. What
 * the answer says about being allowed counts more, but only where user and
 * account are the ones asked about; a workspace's limit ends on that word alone.
 * A limit that it calls reached counts whatever the shares; where none of them
 * tells when it ends, that is guessed.
 *
 * @param askedAt When the question was sent, epoch milliseconds: it lifts only what is older.
 */
export async function learnUsage(
  usage: Usage,
  account: Account,
  askedAt: number,
  pool: Pool,
): Promise<void> {
  const { windows, buckets, reachedType } = usage;
  const isOf = (bucket: string) => bucket === PLAN_BUCKET;
  const plan = windows.filter((window) => isOf(window.bucket));
  const others = windows.filter((window) => !isOf(window.bucket));
  const full = plan.some((window) => window.usedPercent >= 100);
  const trusted = usage.userId !== undefined && usage.userId === account.identity?.userId &&
    usage.accountId !== undefined && usage.accountId === account.identity.workspaceId;
  const stopped = usage.allowed === false || usage.limitReached === true ||
    usage.spendingStopped === true;
  // An answer without ids is about the account asked with; one with others may be anybody's.
  const reached = usage.limitReached === true && (trusted || usage.userId === undefined);
  // Low shares beside a stop would lift what still stands.
  await pool.observe(account.id, (reached || trusted && stopped) && !full ? others : windows);
  if (reached && fullUntil(plan, askedAt) === 0) {
    const workspace = reachedType?.startsWith("workspace_") && account.identity?.workspaceId;
    await pool.block({
      subject: workspace ? workspaceSubject(workspace) : accountSubject(account.id),
      model: "",
      reason: workspace ? "workspace limit" : "usage limit",
      until: askedAt + GUESS_MS,
      source: "guess",
      since: askedAt,
    });
  }
  if (trusted && usage.allowed === true && !stopped && !full) {
    const subjects = [accountSubject(account.id)];
    if (!reachedType && account.identity) {
      subjects.push(workspaceSubject(account.identity.workspaceId));
    }
    for (const subject of subjects) await pool.lift({ subject, model: "" }, askedAt);
  }
  // A block names the model that was asked for, a bucket does not: all of them must be free.
  const free = others.length > 0 && others.every((window) => window.usedPercent < 100) &&
    buckets.every((one) => isOf(one.bucket) || (one.allowed !== false && !one.limitReached));
  if (!free) return;
  for (const { subject, model } of pool.limits(account)) {
    if (model !== "" && subject === accountSubject(account.id)) {
      await pool.lift({ subject, model }, askedAt);
    }
  }
}
