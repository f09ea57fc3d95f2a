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
 * @returns The account to send with; without one it cannot serve now, and `why` tells the person as far as that is known.
 */
export async function keepFresh(
  account: Account,
  { pool, refresher, clock }: { pool: Pool; refresher: Refresher; clock: Clock },
): Promise<{ readonly account?: Account; readonly why?: string | undefined }> {
  const left = account.credentials.expiresAt - clock.now();
  if (left >= REFRESH_MARGIN_MS) return { account };
  const renewal = refresher.refresh(account, false).then((outcome) => {
    if (outcome.kind === "fresh" || outcome.kind === "set aside") pool.replace(outcome.account);
    return outcome;
  });
  if (left > EARLY_PATIENCE_MS * 2) {
    // The old token serves meanwhile; a slow issuer must not hold the request up.
    const done = new AbortController();
    const patience = sleep(clock, EARLY_PATIENCE_MS, done.signal).then(
      () => account,
      () => account,
    );
    const first = await Promise.race([
      renewal.then((outcome) => outcome.kind === "fresh" ? outcome.account : account),
      patience,
    ]);
    done.abort();
    return { account: first };
  }
  const outcome = await renewal;
  if (outcome.kind === "fresh" || outcome.kind === "kept") return { account: outcome.account };
  return outcome.kind === "failed" ? { why: outcome.why } : {};
}
