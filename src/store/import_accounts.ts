import type { Account } from "../account/account.ts";
import type { Change } from "./account_changes.ts";
import { addAccount } from "./account_roster.ts";
import type { Entry } from "./account_entry.ts";
import { type ImportRow, planImport } from "./import_plan.ts";
import type { Candidate, Refusal } from "./import_source.ts";
import type { LocalStore } from "./local.ts";
import type { StateDb } from "./state_db.ts";
import { isDismissed } from "./dismissed.ts";
import { openRefresh, swapCredentials } from "./token_changes.ts";
import { highestGeneration } from "./state_write.ts";

/** How accounts are imported. */
export interface ImportOptions {
  /** Alias for the file's only account, if the person named one. */
  readonly alias?: string | undefined;
  /** Whether an account that the person removed stays away (default: the import is the person's own word, and brings it back). */
  readonly unasked?: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

type Items = readonly (Candidate | Refusal)[];

/**
 * What {@linkcode importAccounts} would do now. Writes nothing.
 *
 * @throws {Failure} when the store cannot be read.
 */
export async function previewImport(
  store: LocalStore,
  items: Items,
  options: ImportOptions,
): Promise<ImportRow[]> {
  await store.load();
  const contents = store.files.accounts.last;
  const entries = contents?.kind === "open" ? contents.document.entries : [];
  const planned = await store.files.readState(
    (db): ImportRow[] | undefined => plan(entries, items, options, db),
    undefined,
  );
  return planned ?? plan(entries, items, options);
}

/**
 * Stores what a file brings: new accounts at the end, newer tokens in place of older ones. All of it
 * or nothing, in one save that no refresh can come between. What the person wrote about an account
 * here (alias, tags, notes, whether it is enabled) stays.
 *
 * @returns What was done.
 * @throws {Failure} when the store is locked or cannot be written; nothing is changed then.
 */
export function importAccounts(
  store: LocalStore,
  items: Items,
  options: ImportOptions,
): Promise<ImportRow[]> {
  return store.files.change((entries, db): Change<ImportRow[]> => {
    const rows = plan(entries, items, options, db);
    const also: NonNullable<Change<unknown>["also"]>[] = [];
    let after: readonly Entry[] = entries;
    for (const { action, account } of rows) {
      if (!account) continue;
      const change: Change<unknown> = action === "add"
        ? addAccount(after, account)
        : replaceTokens(after, account, db, options.now);
      after = change.entries ?? after;
      if (change.also) also.push(change.also);
    }
    if (after === entries) return { result: rows };
    return {
      entries: after,
      also: (db, revision) => also.forEach((note) => note(db, revision)),
      result: rows,
    };
  });
}

function plan(entries: readonly Entry[], items: Items, options: ImportOptions, db?: StateDb) {
  return planImport(items, {
    ...options,
    accounts: entries.flatMap(({ account }) => account ?? []),
    aliases: entries.map(({ alias }) => alias),
    consumed: (account) => db !== undefined && openRefresh(db, account.id, account) !== undefined,
    dismissed: (account) =>
      options.unasked === true && db !== undefined && isDismissed(db, account),
  });
}

function replaceTokens(
  entries: readonly Entry[],
  account: Account,
  db: StateDb,
  now: number,
): Change<unknown> {
  const { id, credentials, identity, email, plan, refreshedAt } = account;
  const stored = entries.find((entry) => entry.account?.id === id)?.account;
  return swapCredentials(entries, {
    accountId: id,
    generation: stored?.generation ?? 0,
    credentials,
    change: (before) => ({
      ...before,
      // A token that names less than we know must not make us forget it.
      ...(identity === undefined ? {} : { identity: { ...before.identity, ...identity } }),
      ...(email === undefined ? {} : { email }),
      ...(plan === undefined ? {} : { plan }),
      ...(refreshedAt === undefined ? {} : { refreshedAt }),
    }),
    // What the other machine has counted, where that is more: the order must hold on both, and its
    // next generation must still count as newer here.
    highest: Math.max(highestGeneration(db, id), account.generation - 1),
    now,
  });
}
