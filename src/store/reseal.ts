import { Failure } from "../platform/failure.ts";
import type { Entry } from "./account_entry.ts";
import { removeBackups } from "./accounts_copies.ts";
import type { LocalStore } from "./local.ts";

/**
 * Seals a plain store, or a sealed one anew. Copies that another passphrase sealed are removed.
 *
 * @throws {Failure} when the passphrase is blank, when nothing opens the store, or when it cannot be
 * written; it is as it was then.
 */
export async function seal(store: LocalStore, passphrase: string): Promise<void> {
  if (passphrase.trim() === "") {
    throw new Failure("A passphrase must not be blank.", "Choose one with visible characters.");
  }
  await reseal(store, passphrase);
}

/**
 * Makes a sealed store plain. With a passphrase in the environment, the next process that saves
 * seals it again.
 *
 * @throws {Failure} when nothing opens the store, or when it cannot be written; it is as it was then.
 */
export async function unseal(store: LocalStore): Promise<void> {
  await reseal(store, null);
}

/** Writes the accounts under another passphrase, or plain (null). */
async function reseal({ files }: LocalStore, passphrase: string | null): Promise<void> {
  const { accounts, keyring } = files;
  const asItIs = (entries: readonly Entry[]) => ({ entries, result: undefined });
  // First with the passphrase that opens it now.
  await files.change(asItIs);
  const before = accounts.last;
  const undo = keyring.use(passphrase);
  try {
    await files.change(asItIs, true);
  } catch (error) {
    undo();
    throw error;
  }
  if (passphrase !== null && before?.sealed) {
    removeBackups(accounts.paths.accounts, accounts.files);
  }
}
