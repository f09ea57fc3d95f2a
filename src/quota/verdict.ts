import { accountSubject, type Block, type BlockScope } from "./block.ts";
import { PLAN_BUCKET, type QuotaWindow } from "./window.ts";

/** What figures say about whether an account may serve. */
export interface Verdict {
  /** The account as a whole. */
  readonly scope: BlockScope;
  /** It is used up. */
  readonly block?: Block;
  /** It was not used up then, epoch milliseconds; absent where the figures do not tell. */
  readonly freeAt?: number;
}

/**
 * Judges an account by the plan's own windows among some new figures. One that
 * is used up blocks until all those known to be used up have started anew; below
 * that, all of them must be free, and so must those that nothing new is said of.
 *
 * @param windows The new figures.
 * @param until See {@linkcode fullUntil}: of all that are known, the new ones among them.
 */
export function verdictOf(
  accountId: string,
  windows: readonly QuotaWindow[],
  until: number,
): Verdict {
  const scope = { subject: accountSubject(accountId), model: "" };
  const plan = windows.filter((window) => window.bucket === PLAN_BUCKET);
  const full = plan.filter((window) => window.usedPercent >= 100 && window.resetsAt !== null);
  if (full.length > 0) {
    const block: Block = {
      ...scope,
      reason: "usage limit",
      until,
      source: "headers",
      since: Math.max(...full.map((window) => window.observedAt)),
    };
    return { scope, block };
  }
  const free = until === 0 && plan.length > 0 && plan.every((window) => window.usedPercent < 100);
  return free ? { scope, freeAt: Math.min(...plan.map((window) => window.observedAt)) } : { scope };
}

/** When the last of the plan's windows that are used up starts anew, epoch milliseconds; 0 where none is known to be. */
export function fullUntil(windows: readonly QuotaWindow[], now: number): number {
  let until = 0;
  for (const { bucket, usedPercent, resetsAt } of windows) {
    if (bucket !== PLAN_BUCKET || usedPercent < 100 || resetsAt === null || resetsAt <= now) {
      continue;
    }
    until = Math.max(until, resetsAt);
  }
  return until;
}
