import { freeAlias } from "../account/alias.ts";
import { sameIdentity } from "../account/identity.ts";
import type { Log } from "../platform/log.ts";
import { admit } from "../store/admission.ts";
import type { Store } from "../store/store.ts";
import { readEntry } from "./auth_entry.ts";
import { PLACEHOLDER_ENTRY } from "./placeholder.ts";
import type { AuthEntry } from "./host.ts";

/**
 * Takes a ChatGPT login that OpenCode made by itself over into our store, so
 * that one holder refreshes its tokens, and leaves the placeholder in its place.
 *
 * @param setEntry Replaces OpenCode's entry.
 * @param now Epoch milliseconds.
 * @returns The alias, or undefined when there was nothing to adopt.
 */
export async function adoptLogin(
  entry: AuthEntry,
  store: Store,
  setEntry: (body: AuthEntry) => Promise<void>,
  log: Log,
  now: number,
): Promise<string | undefined> {
  const found = readEntry(entry);
  // Without an identity nobody can tell whether we have it already; `install` asks the person.
  if (found.kind !== "login") return undefined;
  const { login } = found;
  const { identity } = login;
  if (!identity) return undefined;
  const { accounts, locked } = await store.load();
  if (locked) return undefined;
  const known = accounts.find((account) =>
    account.identity && sameIdentity(account.identity, identity)
  );
  // Our own tokens may be newer: OpenCode's copy only wins when ours cannot go on.
  if (known && !known.setAside) {
    await setEntry(PLACEHOLDER_ENTRY);
    return undefined;
  }
  // With accounts at hand, whether this login becomes another one is for the person to say (`install`).
  if (!known && accounts.length > 0) return undefined;
  const alias = known?.alias ??
    freeAlias(login.email, new Set(accounts.map((account) => account.alias)));
  await admit(store, alias, login, "opencode", now);
  await setEntry(PLACEHOLDER_ENTRY);
  log.info(`OpenCode's own ChatGPT login is now the account "${alias}"`);
  return alias;
}
