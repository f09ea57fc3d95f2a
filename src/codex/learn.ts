import type { Account } from "../account/account.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { accountSubject, type Block, NO_END, workspaceSubject } from "../quota/block.ts";
import type { Demand, Pool } from "../rotation/pool.ts";
import type { Attempt } from "./attempt.ts";

/** A limit without any word on its end lasts this long, in milliseconds: five minutes, as in the first project of this family. */
export const GUESS_MS = 300_000;
/** A short throttle without a word on its length, in milliseconds, before jitter. */
const THROTTLE_MS = 1_500;
/** How long something that only a change of plan mends is believed, in milliseconds. */
const ENTITLEMENT_MS = 24 * 3_600_000;

/**
 * Tells the pool what an attempt has shown: figures, and whom to leave alone
 * until when. What it says is in the store when this resolves.
 */
export async function learn(
  attempt: Attempt,
  account: Account,
  demand: Demand,
  options: {
    pool: Pool;
    clock: Clock;
    random: () => number;
    log: Log;
    setAside: (account: Account, reason: "workspace deactivated") => Promise<void>;
    askUsage: (account: Account) => Promise<void>;
  },
): Promise<void> {
  const { pool, clock } = options;
  const now = clock.now();
  const { outcome } = attempt;
  if (attempt.windows.length > 0) await pool.observe(account.id, attempt.windows);
  const onAccount = { subject: accountSubject(account.id), model: "", since: now };
  let block: Block | undefined;
  switch (outcome.kind) {
    case "usage limit": {
      // A refusal may speak of the short window while a week that is used up stands.
      const full = outcome.scope === "account" ? pool.fullUntil(account.id) : 0;
      const known = Math.max(outcome.until ?? 0, full);
      const workspace = outcome.scope === "workspace" ? account.identity?.workspaceId : undefined;
      block = {
        ...onAccount,
        ...(workspace === undefined ? {} : { subject: workspaceSubject(workspace) }),
        model: outcome.scope === "model" ? demand.model ?? "" : "",
        reason: workspace === undefined ? "usage limit" : "workspace limit",
        until: known || now + GUESS_MS,
        source: known === 0 ? "guess" : known === outcome.until ? outcome.source : "headers",
      };
      break;
    }
    case "throttled":
      block = {
        ...onAccount,
        reason: "rate limit",
        until: now + (outcome.waitMs ?? THROTTLE_MS * (0.5 + options.random())),
        source: outcome.waitMs === undefined ? "guess" : "retry-after",
      };
      break;
    case "not included":
      block = {
        ...onAccount,
        reason: "not included in plan",
        until: now + ENTITLEMENT_MS,
        source: "guess",
      };
      break;
    case "model not supported":
      block = {
        ...onAccount,
        model: demand.model ?? "",
        reason: "model not supported",
        until: demand.model === undefined ? now + GUESS_MS : now + ENTITLEMENT_MS,
        source: "guess",
      };
      break;
    case "workspace deactivated":
      await options.setAside(account, "workspace deactivated");
      break;
  }
  if (block) {
    await pool.block(block);
    const until = block.until >= NO_END
      ? "until further notice"
      : `until ${new Date(block.until).toISOString()}`;
    options.log.info(`${account.alias}: ${block.reason}, blocked ${until} (${block.source})`);
    if (outcome.kind === "usage limit" && block.source === "guess") void options.askUsage(account);
  }
}
