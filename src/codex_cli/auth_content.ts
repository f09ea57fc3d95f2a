import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { readClaims } from "../account/claims.ts";
import { CLIENT_ID } from "../oauth/issuer.ts";
import { Failure } from "../platform/failure.ts";
import { asObject, type JsonObject } from "../platform/json.ts";

/** Names under which tokens are kept in forms that the Codex CLI itself does not use. */
const FOREIGN_NAMES: readonly string[] = [
  "accessToken",
  "access",
  "refreshToken",
  "refresh",
  "idToken",
  "accountId",
  "expiresAt",
  "expires_at",
  "expires",
  "lastRefresh",
  "oauthProvenance",
];
/** The Codex CLI's own names, which it knows under `tokens` alone. */
const TOKEN_NAMES: readonly string[] = ["access_token", "refresh_token", "id_token", "account_id"];

/** How an account is put into an `auth.json`. */
export interface Entering {
  /** Our issuer, without a slash at the end. */
  readonly issuer: string;
  /** Whether the file holds this account already, with other tokens. */
  readonly sameSeat: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * The content of an `auth.json` with this account's tokens in it, in the form of today's Codex CLI.
 * What it holds beside the login stays, in its place.
 *
 * @param before What stands there now.
 * @throws {Failure} when the account lacks what Codex needs.
 */
export function withLogin(
  before: JsonObject | undefined,
  account: Account,
  { issuer, sameSeat, now }: Entering,
): JsonObject {
  const { accessToken, refreshToken, idToken } = account.credentials;
  const idJwt = [idToken, accessToken].find((token) => readClaims(token) !== undefined);
  if (idJwt === undefined) {
    throw new Failure(
      `"${printable(account.alias)}" has no id token, and Codex does not start without one.`,
      `Sign in again: opencode-multi-auth add ${printable(account.alias)}`,
    );
  }
  const { tokens: held, last_refresh: _last, ...beside } = before ??
    { auth_mode: "chatgpt", OPENAI_API_KEY: null };
  const inside = asObject(held);
  // Tokens in another place would stay behind there, and be dead.
  const top = inside ? beside : without(beside, [...FOREIGN_NAMES, ...TOKEN_NAMES]);
  const around = inside && "access_token" in inside ? inside : without(inside ?? {}, FOREIGN_NAMES);
  const workspace = account.identity?.workspaceId;
  return {
    ...top,
    auth_mode: "chatgpt",
    OPENAI_API_KEY: top["OPENAI_API_KEY"] ?? null,
    tokens: {
      // Whose login it was, and where that was made, is not true of another account.
      ...(sameSeat
        ? around
        : without(around, ["login_owner_id", "oauth_provenance", "account_id"])),
      ...(!sameSeat && asObject(around["oauth_provenance"])
        ? { oauth_provenance: { issuer, client_id: CLIENT_ID } }
        : {}),
      id_token: idJwt,
      access_token: accessToken,
      refresh_token: refreshToken,
      ...(workspace === undefined ? {} : { account_id: workspace }),
    },
    last_refresh: new Date(account.refreshedAt ?? now).toISOString(),
  };
}

function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}
