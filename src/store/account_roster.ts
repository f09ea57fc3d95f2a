/**
 * Who is in `accounts.json`: what adding and removing an account comes to. Apart from the other
 * changes, because OpenCode starts often and accounts come and go rarely.
 *
 * @module
 */
import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";
import { accountSubject } from "../quota/block.ts";
import { accountIn, type Change, checkFree, entryOf } from "./account_changes.ts";
import type { Entry } from "./account_entry.ts";
import { dismiss, readmit } from "./dismissed.ts";
import { forgetAccount, noteGeneration } from "./state_write.ts";

/**
 * Adds an account at the end.
 *
 * @throws {Failure} when its alias or its id is taken.
 */
export function addAccount(entries: readonly Entry[], account: Account): Change<void> {
  checkFree(entries, account.alias);
  const same = entries.find((entry) => entry.account?.id === account.id);
  if (same) {
    throw new Failure(
      `This account is already stored as "${printable(same.alias)}".`,
      "Remove that one first, or sign in to it again.",
    );
  }
  return {
    entries: [...entries, entryOf(account, {})],
    also(db, revision) {
      readmit(db, account);
      noteGeneration(db, account.id, account.generation, revision);
    },
    result: undefined,
  };
}

/**
 * Removes an account with all that is known about it, but for the note that it was removed.
 *
 * @param now Epoch milliseconds.
 */
export function removeAccount(
  entries: readonly Entry[],
  accountId: string,
  now: number,
): Change<boolean> {
  const account = accountIn(entries, accountId);
  if (!account) return { result: false };
  return {
    entries: entries.filter((entry) => entry.account?.id !== accountId),
    also(db) {
      forgetAccount(db, accountId, accountSubject(accountId));
      dismiss(db, account, now);
    },
    result: true,
  };
}
