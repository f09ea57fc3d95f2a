import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { resolveEndpoints } from "../platform/endpoints.ts";
import { Failure } from "../platform/failure.ts";
import { type Paths, resolvePaths } from "../platform/paths.ts";
import type { LocalStore } from "../store/local.ts";
import type { Snapshot } from "../store/store.ts";
import type { Context } from "./context.ts";
import { carryOver, olderSettings } from "../store/older_settings.ts";

/** An open store and where it lies. */
export interface OpenStore {
  readonly store: LocalStore;
  readonly paths: Paths;
  /** As it was when it was opened. */
  readonly snapshot: Snapshot;
}

/**
 * Opens the store, reads it, and closes it again whatever happens.
 *
 * @param use What is done with it.
 * @throws {Failure} when the store cannot be read.
 */
export async function withStore<T>(
  context: Context,
  use: (open: OpenStore) => Promise<T>,
): Promise<T> {
  // An address that would be refused later is said by the first command, whether it needs one or not.
  resolveEndpoints(context.env);
  const paths = resolvePaths(context.env);
  const { openLocalStore } = await import("../store/local.ts");
  const { env, clock, random } = context;
  const store = await openLocalStore({ paths, env, clock, random });
  let result: T;
  let locked = false;
  try {
    const snapshot = await store.load();
    locked = snapshot.locked;
    result = await use({ store, paths, snapshot });
  } catch (error) {
    // What went wrong first is what the person must hear.
    await store.close().catch(() => {});
    throw error;
  }
  await store.close();
  // Of a locked store this is why it is locked, which the command has said.
  if (!locked) { for (const warning of store.warnings) context.warn(`Note: ${warning}\n`); }
  return result;
}

/**
 * The same for a command that changes something.
 *
 * @throws {Failure} when the store is locked, before anything else happens.
 */
export function withUnlockedStore<T>(
  context: Context,
  use: (open: OpenStore) => Promise<T>,
): Promise<T> {
  return withStore(context, async (open) => {
    const { store, paths, snapshot } = open;
    if (snapshot.locked) throw new Failure(lockedText(store));
    const older = await olderSettings(store, paths);
    const result = await use(open);
    carryOver(paths, older);
    return result;
  });
}

/** Says that a store is locked, why, and what opens it. */
export function lockedText(store: LocalStore): string {
  const why = store.warnings.join(" ");
  return `The store is locked${why === "" ? "" : `: ${why}`}`;
}

/**
 * Finds an account by its alias.
 *
 * @throws {Failure} that names the aliases there are.
 */
export function accountNamed(snapshot: Snapshot, alias: string): Account {
  const account = snapshot.accounts.find((account) => account.alias === alias);
  if (account) return account;
  throw new Failure(`There is no account "${printable(alias)}".`, whichOnes(snapshot));
}

function whichOnes({ accounts }: Snapshot): string {
  if (accounts.length === 0) return "Add one with: opencode-multi-auth add <alias>";
  const named = accounts.slice(0, 5).map((account) => printable(account.alias)).join(", ");
  return accounts.length <= 5
    ? `Accounts: ${named}.`
    : `Accounts: ${named} and ${accounts.length - 5} more (opencode-multi-auth list).`;
}
