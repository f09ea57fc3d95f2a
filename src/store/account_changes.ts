/**
 * What can be done to the accounts in `accounts.json`. Nothing here touches a
 * disk: each function says what the entries are to be and what `state.db`
 * learns with it.
 *
 * @module
 */
import type { Account, Credentials } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";
import { accountSubject } from "../quota/block.ts";
import { type Entry, readEntry, writeEntry } from "./account_entry.ts";
import { dismiss, readmit } from "./dismissed.ts";
import type { StateDb } from "./state_db.ts";
import { supersede } from "./state_refresh.ts";
import { forgetAccount, noteGeneration } from "./state_write.ts";
import type { AccountEdit } from "./store.ts";

/** What a change of `accounts.json` comes to. */
export interface Change<T> {
  /** All entries as they are to be; absent when nothing changes. */
  readonly entries?: readonly Entry[];
  /** What `state.db` learns with it, in the same transaction. */
  readonly also?: (db: StateDb, revision: number) => void;
  readonly result: T;
}

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

/**
 * Replaces credentials, unless the file has newer ones than the caller knows.
 *
 * @param swap.highest The highest generation that the account ever had.
 * @param swap.now Epoch milliseconds.
 */
export function swapCredentials(
  entries: readonly Entry[],
  swap: {
    readonly accountId: string;
    readonly generation: number;
    readonly credentials: Credentials;
    readonly change: AccountEdit;
    readonly highest: number;
    readonly now: number;
  },
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

function accountIn(entries: readonly Entry[], accountId: string): Account | undefined {
  return entries.find((entry) => entry.account?.id === accountId)?.account;
}

/** The entries with one account in its new form, in its old place. */
function withAccount(
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
function entryOf(account: Account, raw: unknown): Entry & { readonly account: Account } {
  const written = writeEntry(account, raw);
  const entry = readEntry(account.alias, JSON.parse(JSON.stringify(written)), new Set(), 0);
  if (entry.account) return { ...entry, account: entry.account };
  throw new Failure(
    `The account "${printable(account.alias)}" cannot be stored: ${entry.problem}.`,
    "This is a mistake in the program that stores it.",
  );
}

function checkFree(entries: readonly Entry[], alias: string): void {
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
