/**
 * What becomes of tokens: replaced, sent, refused. Apart from the other changes, because OpenCode starts often and
 * tokens are renewed rarely.
 *
 * @module
 */
import type { Account, Credentials } from "../account/account.ts";
import { accountIn, type Change, checkFree, withAccount } from "./account_changes.ts";
import type { Entry } from "./account_entry.ts";
import type { StateDb } from "./state_db.ts";
import { supersede } from "./state_refresh.ts";
import { highestGeneration, noteGeneration } from "./state_write.ts";
import type { AccountEdit } from "./store.ts";

export {
  beginRefresh,
  endRefresh,
  openRefresh,
  refreshRefused,
  refuseRefresh,
} from "./state_refresh.ts";

/** New credentials of an account, as `Store.swapCredentials` has them. */
export interface Swap {
  readonly accountId: string;
  readonly generation: number;
  readonly credentials: Credentials;
  readonly change: AccountEdit;
}

/**
 * {@linkcode swapCredentials} for any number of attempts.
 *
 * @param now Epoch milliseconds.
 */
export function swapOf(swap: Swap, now: () => number) {
  return (entries: readonly Entry[], db: StateDb): Change<Account | undefined> => {
    const highest = highestGeneration(db, swap.accountId);
    return swapCredentials(entries, { ...swap, highest, now: now() });
  };
}

/**
 * Replaces credentials, unless the file has newer ones than the caller knows.
 *
 * @param swap.highest The highest generation that the account ever had.
 * @param swap.now Epoch milliseconds.
 */
export function swapCredentials(
  entries: readonly Entry[],
  swap: Swap & { readonly highest: number; readonly now: number },
): Change<Account | undefined> {
  const { accountId, generation, credentials, highest, now } = swap;
  const before = accountIn(entries, accountId);
  // An older generation in the file than the caller's is a restored backup;
  // what the caller brings is newer than that too.
  if (!before || before.generation > generation) return { result: undefined };
  const { setAside: _lifted, ...rest } = swap.change(before);
  if (rest.alias !== before.alias) checkFree(entries, rest.alias);
  const next = Math.max(generation, highest) + 1;
  const after: Account = { ...rest, id: accountId, credentials, generation: next };
  return {
    ...withAccount(entries, after),
    also(db, revision) {
      supersede(db, before, after, now);
      noteGeneration(db, accountId, next, revision);
    },
  };
}
