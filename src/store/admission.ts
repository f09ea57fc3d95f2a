import type { Account, Credentials } from "../account/account.ts";
import { checkAlias, printable } from "../account/alias.ts";
import { type Identity, sameIdentity } from "../account/identity.ts";
import { Failure } from "../platform/failure.ts";
import { accountId } from "./account_id.ts";
import type { Store } from "./store.ts";

/** What a login brings. */
export interface Newcomer {
  readonly credentials: Credentials;
  readonly identity?: Identity;
  readonly email?: string;
  readonly plan?: string;
}

/**
 * Stores what a login brought under an alias: a new account, or the same
 * account signed in again in place.
 *
 * @param now Epoch milliseconds.
 * @returns The account, and whether it is new.
 * @throws {Failure} when the alias breaks the rule or stands for somebody else,
 * when another alias already holds this identity, or when the store is locked.
 * Nothing is changed then.
 */
export async function admit(
  store: Store,
  alias: string,
  newcomer: Newcomer,
  source: Account["source"],
  now: number,
): Promise<{ account: Account; added: boolean }> {
  const { accounts, locked } = await store.load();
  if (locked) {
    throw new Failure(
      "The account store is locked.",
      "Set CODEX_SOFT_STORE_PASSPHRASE to unlock it.",
    );
  }
  const { identity } = newcomer;
  const holder = identity &&
    accounts.find((one) => one.identity && sameIdentity(one.identity, identity));
  if (holder && holder.alias !== alias) {
    throw new Failure(
      `This ChatGPT account is already stored as "${
        printable(holder.alias)
      }"; nothing was changed.`,
      `To sign it in again: opencode-multi-auth add ${printable(holder.alias)}`,
    );
  }
  const known = accounts.find((one) => one.alias === alias);
  if (!known) {
    const account = describe(checkAlias(alias), newcomer, source, now);
    await store.add(account);
    return { account, added: true };
  }
  if (known.identity && identity && differ(known.identity, identity)) {
    throw new Failure(
      `"${printable(alias)}" stands for ${known.email ?? "another account"}, but ${
        newcomer.email ?? "another account"
      } signed in; nothing was changed.`,
      "Sign in as that account, or add this one under another alias.",
    );
  }
  const account = await replaceCredentials(store, known, newcomer, now);
  // A new login makes an interrupted refresh of the old tokens meaningless.
  await store.endRefresh(account.id);
  return { account, added: false };
}

/** Whether two identities are certainly two seats; an old token that names no member may be either. */
function differ(a: Identity, b: Identity): boolean {
  const unknown = (one: Identity) => one.memberId === undefined && one.userId === undefined;
  if (a.workspaceId === b.workspaceId && (unknown(a) || unknown(b))) return false;
  return !sameIdentity(a, b);
}

/** A refresh may come between; a login that is done must not be lost to it. */
async function replaceCredentials(
  store: Store,
  known: Account,
  newcomer: Newcomer,
  now: number,
): Promise<Account> {
  let { generation } = known;
  for (let attempt = 0; attempt < 3; attempt++) {
    const account = await store.swapCredentials(
      known.id,
      generation,
      newcomer.credentials,
      (stored) => ({ ...stored, ...details(newcomer), refreshedAt: now }),
    );
    if (account) return account;
    const { accounts } = await store.load();
    const stored = accounts.find((one) => one.id === known.id);
    if (!stored) break;
    generation = stored.generation;
  }
  throw new Failure(
    `"${printable(known.alias)}" was removed by another process meanwhile.`,
    "Add it again.",
  );
}

function describe(
  alias: string,
  newcomer: Newcomer,
  source: Account["source"],
  now: number,
): Account {
  return {
    id: accountId(newcomer.identity, alias),
    alias,
    credentials: newcomer.credentials,
    generation: 1,
    ...details(newcomer),
    enabled: true,
    addedAt: now,
    refreshedAt: now,
    tags: [],
    notes: "",
    source,
  };
}

function details({ identity, email, plan }: Newcomer): Partial<Account> {
  return {
    ...(identity === undefined ? {} : { identity }),
    ...(email === undefined ? {} : { email }),
    ...(plan === undefined ? {} : { plan }),
  };
}
