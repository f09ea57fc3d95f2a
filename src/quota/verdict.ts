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
 * is used up blocks until the last of those starts anew; below that, all of them
 * must be free.
 */
export function verdictOf(accountId: string, windows: readonly QuotaWindow[]): Verdict {
  const scope = { subject: accountSubject(accountId), model: "" };
  const plan = windows.filter((window) => window.bucket === PLAN_BUCKET);
  const full = plan.filter((window) => window.usedPercent >= 100 && window.resetsAt !== null);
  if (full.length > 0) {
    const block: Block = {
      ...scope,
      reason: "usage limit",
      until: Math.max(...full.map((window) => window.resetsAt ?? 0)),
      source: "headers",
      since: Math.max(...full.map((window) => window.observedAt)),
    };
    return { scope, block };
  }
  const free = plan.length > 0 && plan.every((window) => window.usedPercent < 100);
  return free ? { scope, freeAt: Math.min(...plan.map((window) => window.observedAt)) } : { scope };
}
