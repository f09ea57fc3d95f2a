/**
 * What can be done to the accounts in `accounts.json`. Nothing here touches a
 * disk: each function says what the entries are to be and what `state.db`
 * learns with it.
 *
 * @module
 */
import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";
import { type Entry, readEntry, writeEntry } from "./account_entry.ts";
import type { StateDb } from "./state_db.ts";
import type { AccountEdit } from "./store.ts";

/** What a change of `accounts.json` comes to. */
export interface Change<T> {
  /** All entries as they are to be; absent when nothing changes. */
  readonly entries?: readonly Entry[];
  /** What `state.db` learns with it, in the same transaction. */
  readonly also?: (db: StateDb, revision: number) => void;
  readonly result: T;
}

/** Changes an account in its place; credentials and generation stay. */
export function editAccount(
  entries: readonly Entry[],
  accountId: string,
  change: AccountEdit,
): Change<Account | undefined> {
  const before = accountIn(entries, accountId);
  if (!before) return { result: undefined };
  const changed = change(before);
  if (changed === before) return { result: before };
  if (changed.alias !== before.alias) checkFree(entries, changed.alias);
  const { id, credentials, generation } = before;
  return withAccount(entries, { ...changed, id, credentials, generation });
}

export function accountIn(entries: readonly Entry[], accountId: string): Account | undefined {
  return entries.find((entry) => entry.account?.id === accountId)?.account;
}

/** The entries with one account in its new form, in its old place. */
export function withAccount(
  entries: readonly Entry[],
  account: Account,
): { readonly entries: Entry[]; readonly result: Account } {
  const place = entries.findIndex((entry) => entry.account?.id === account.id);
  const entry = entryOf(account, entries[place]?.raw);
  return { entries: entries.with(place, entry), result: entry.account };
}

/**
 * The entry of an account, read back as it will be found in the file.
 *
 * @throws {Failure} when it holds what a file cannot, such as an expiry that is no number.
 */
export function entryOf(account: Account, raw: unknown): Entry & { readonly account: Account } {
  const written = writeEntry(account, raw);
  const entry = readEntry(account.alias, JSON.parse(JSON.stringify(written)), new Set(), 0);
  if (entry.account) return { ...entry, account: entry.account };
  throw new Failure(
    `The account "${printable(account.alias)}" cannot be stored: ${entry.problem}.`,
    "This is a mistake in the program that stores it.",
  );
}

export function checkFree(entries: readonly Entry[], alias: string): void {
  const entry = entries.find((entry) => entry.alias === alias);
  if (!entry) return;
  if (entry.problem === undefined) {
    throw new Failure(
      `There is already an account "${printable(alias)}".`,
      "Choose another alias, or remove that account first.",
    );
  }
  throw new Failure(
    `There is an entry "${printable(alias)}" that is no account: ${entry.problem}.`,
    "Mend it in accounts.json, or delete it there.",
  );
}
