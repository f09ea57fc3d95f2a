import type { Account } from "../account/account.ts";
import type { Settings } from "../platform/settings.ts";
import { accountSubject, workspaceSubject } from "../quota/block.ts";
import type { Pool } from "../rotation/pool.ts";
import type { PoolChange } from "../rotation/pool_change.ts";
import type { PoolEvent } from "./pool_event.ts";

/** Makes of what a pool has learned what a person may want to hear; undefined of everything else. */
export function poolNews(
  change: PoolChange,
  pool: Pick<Pool, "accounts" | "account">,
  { notifyThresholds }: Pick<Settings, "notifyThresholds">,
): PoolEvent | undefined {
  switch (change.kind) {
    case "blocked": {
      const { block } = change;
      if (block.model !== "" || block.reason === "rate limit") return undefined;
      return { kind: "blocked", accounts: concerned(block.subject, pool.accounts), block };
    }
    case "lifted":
      return { kind: "lifted", accounts: concerned(change.scope.subject, pool.accounts) };
    case "windows": {
      // Nearly every answer brings figures, and nearly all of them are nothing to tell.
      const lowest = notifyThresholds[0] ?? Number.POSITIVE_INFINITY;
      const windows = change.windows.filter((window) => window.usedPercent >= lowest);
      const account = windows.length === 0 ? undefined : pool.account(change.accountId);
      return account && { kind: "used", account, windows };
    }
  }
}

function concerned(subject: string, accounts: readonly Account[]): Account[] {
  return accounts.filter(({ id, identity }) =>
    accountSubject(id) === subject ||
    (identity !== undefined && workspaceSubject(identity.workspaceId) === subject)
  );
}
