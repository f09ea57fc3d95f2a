import type { Account } from "../account/account.ts";
import type { LocalStore } from "./local.ts";
import { openRefresh } from "./state_refresh.ts";

/**
 * Whether this machine knows that a refresh token may be spent: newer tokens have taken its place,
 * or it was sent and nobody knows what became of it.
 *
 * @param account The token, under the id that its account has here.
 */
export function mayBeConsumed(store: LocalStore, account: Account): Promise<boolean> {
  return store.files.readState((db) => openRefresh(db, account.id, account) !== undefined, false);
}
