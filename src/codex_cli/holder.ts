/**
 * Whose login an `auth.json` holds.
 *
 * @module
 */
import type { Account } from "../account/account.ts";
import { sameSeat } from "../store/import_order.ts";
import type { LoginContext } from "../store/imported_login.ts";
import type { LocalStore } from "../store/local.ts";
import { isDismissed } from "../store/dismissed.ts";
import type { AuthReading } from "./auth_file.ts";
import type { DeviceState } from "./device.ts";
import { loginIn } from "./login_in.ts";

/** The stored account whose login a file holds, if it is one of these. */
export function holderOf(
  reading: AuthReading,
  accounts: readonly Account[],
  context: LoginContext,
): Account | undefined {
  if (reading.kind !== "read") return undefined;
  const login = loginIn(reading.json, context);
  if ("why" in login) return undefined;
  return accounts.find((account) =>
    sameSeat({ account, ours: true }, { account: login, ours: false })
  );
}

/** What a file holds, compared with what is stored. */
export async function contentOf(
  reading: AuthReading,
  { store, issuer, now }: LoginContext & { readonly store: LocalStore },
): Promise<DeviceState["content"]> {
  if (reading.kind === "absent") return { kind: "absent" };
  if (reading.kind === "unreadable") return { kind: "unreadable", why: reading.why };
  const login = loginIn(reading.json, { issuer, now });
  if ("why" in login) {
    const { apiKey, ...refusal } = login;
    return apiKey ? { kind: "api key" } : { kind: "stranger", reason: "refused", ...refusal };
  }
  const { accounts } = await store.load();
  const holder = holderOf(reading, accounts, { issuer, now });
  if (holder) return { kind: "account", accountId: holder.id };
  const removed = await store.files.readState((db) => isDismissed(db, login), false);
  return {
    kind: "stranger",
    reason: removed ? "removed" : "new",
    ...(login.email === undefined ? {} : { email: login.email }),
    why: removed ? "it was removed here" : "it was not taken over yet",
  };
}
