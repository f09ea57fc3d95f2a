import type { Account } from "../account/account.ts";
import type { Refresher } from "../oauth/refresh_transaction.ts";
import { type Clock, sleep } from "../platform/clock.ts";
import type { Pool } from "../rotation/pool.ts";

/** A token is renewed when less than this is left of its life, in milliseconds: the margin of the first project of this family and of the Codex CLI. */
export const REFRESH_MARGIN_MS = 300_000;
/** How long a request waits for an early refresh before it goes on with the token that still lives, in milliseconds. */
const EARLY_PATIENCE_MS = 5_000;

/**
 * Sees to it that an account's access token is good for a request.
 *
 * @param until When the request's time is over, epoch milliseconds.
 * @returns The account to send with; without one it cannot serve now, and `why` tells the person as far as that is known.
 */
export async function keepFresh(
  account: Account,
  { pool, refresher, clock }: { pool: Pool; refresher: Refresher; clock: Clock },
  until: number = Number.POSITIVE_INFINITY,
): Promise<{ readonly account?: Account; readonly why?: string | undefined }> {
  const left = account.credentials.expiresAt - clock.now();
  if (left >= REFRESH_MARGIN_MS) return { account };
  const renewal = refresher.refresh(account, false).then((outcome) => {
    if (outcome.kind === "fresh" || outcome.kind === "set aside") pool.replace(outcome.account);
    return outcome;
  });
  // The old token serves meanwhile; a slow issuer must not hold the request up.
  const early = left > EARLY_PATIENCE_MS * 2;
  const outcome = await inTime(renewal, early ? EARLY_PATIENCE_MS : until - clock.now(), clock);
  if (outcome?.kind === "fresh") return { account: outcome.account };
  if (early) return { account };
  if (outcome?.kind === "kept") return { account: outcome.account };
  return outcome?.kind === "failed" ? { why: outcome.why } : {};
}

/** What some work comes to within `ms`; undefined when it takes longer. It goes on nevertheless. */
export async function inTime<T>(
  work: Promise<T>,
  ms: number,
  clock: Clock,
): Promise<T | undefined> {
  const done = new AbortController();
  const patience = sleep(clock, ms, done.signal).then(() => undefined, () => undefined);
  return await Promise.race([work, patience]).finally(() => done.abort());
}
