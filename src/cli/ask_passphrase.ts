import { Failure } from "../platform/failure.ts";
import { set } from "../platform/paths.ts";
import type { LocalStore } from "../store/local.ts";
import type { Snapshot } from "../store/store.ts";
import type { Context } from "./context.ts";
import { carryOver, olderSettings } from "../store/older_settings.ts";
import { lockedText, type OpenStore, withStore } from "./open_store.ts";

/** How often a passphrase may be mistyped. */
const ATTEMPTS = 3;

/** Whether a person can be asked for a passphrase. Questions go to standard error, so that standard output may lead elsewhere. */
export function canAsk(context: Context): boolean {
  return context.terminal.input;
}

/**
 * A new passphrase: from an environment variable, else typed twice at the terminal. Never an
 * argument, which every process of the machine could read.
 *
 * @param variable The environment variable's name.
 * @param what What it is for, in words that follow "Passphrase for".
 * @throws {Failure} when there is nobody to ask, or when what was typed is blank or differs.
 */
export async function newPassphrase(
  context: Context,
  variable: string,
  what: string,
): Promise<string> {
  // Untrimmed, as everywhere: spaces count.
  const given = set(context.env[variable]);
  if (given !== undefined) return given;
  if (!canAsk(context)) {
    throw new Failure(
      `A passphrase for ${what} is needed and nobody can be asked here; nothing was changed.`,
      `Set ${variable}, or run it on a terminal.`,
    );
  }
  const prompts = await context.prompts();
  const first = await prompts.secret(`Passphrase for ${what}`);
  if (first.trim() === "") {
    throw new Failure("A passphrase must not be blank; nothing was changed.", "Try again.");
  }
  if (await prompts.secret("The same again") !== first) {
    throw new Failure("The two passphrases differ; nothing was changed.", "Try again.");
  }
  return first;
}

/**
 * Asks for a passphrase until it opens something.
 *
 * @param question What the person reads.
 * @param open Gives undefined when the passphrase does not open it.
 * @returns undefined when there is nobody to ask, or when no attempt was right.
 */
export async function askToOpen<T>(
  context: Context,
  question: string,
  open: (passphrase: string) => Promise<T | undefined>,
): Promise<T | undefined> {
  if (!canAsk(context)) return undefined;
  const prompts = await context.prompts();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const opened = await open(await prompts.secret(question));
    if (opened !== undefined) return opened;
    if (attempt < ATTEMPTS) context.warn("That does not open it. Try again.\n");
  }
  return undefined;
}

/**
 * Opens the store; a sealed one for which the environment has no passphrase is opened with one
 * that the person types.
 *
 * @throws {Failure} when it stays locked.
 */
export function withOpenedStore<T>(
  context: Context,
  use: (open: OpenStore) => Promise<T>,
): Promise<T> {
  return withStore(context, async (open) => {
    const snapshot = open.snapshot.locked ? await unlock(context, open.store) : open.snapshot;
    return await use({ ...open, snapshot });
  });
}

/** The same for a command that changes the accounts: what an older file says beside them is kept. */
export function withOpenedStoreToChange<T>(
  context: Context,
  use: (open: OpenStore) => Promise<T>,
): Promise<T> {
  return withOpenedStore(context, async (open) => {
    const older = await olderSettings(open.store, open.paths);
    const result = await use(open);
    carryOver(open.paths, older);
    return result;
  });
}

async function unlock(context: Context, store: LocalStore): Promise<Snapshot> {
  const locked = lockedText(store);
  const opened = await askToOpen(context, "Passphrase of the store", async (passphrase) => {
    store.files.keyring.use(passphrase);
    const snapshot = await store.load();
    return snapshot.locked ? undefined : snapshot;
  });
  if (opened) return opened;
  throw new Failure(
    canAsk(context) ? "No passphrase opened the store; nothing was changed." : locked,
  );
}
