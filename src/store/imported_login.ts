/**
 * One login as the Codex CLI keeps it, in all the forms that have been met: under `tokens`, or flat
 * with snake_case, camelCase or OpenCode's names.
 *
 * @module
 */
import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { readClaims } from "../account/claims.ts";
import { identityOf } from "../account/identity.ts";
import { CLIENT_ID } from "../oauth/issuer.ts";
import { asNumber, asObject, asText, given, type JsonObject } from "../platform/json.ts";

/** What it takes to judge a login. */
export interface LoginContext {
  /** The issuer that our refreshes go to, without a slash at the end. */
  readonly issuer: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Life of an access token that names no end, in milliseconds: after 8 days the Codex CLI renews an opaque token. */
const OPAQUE_LIFE_MS = 8 * 86_400_000;
/** Numbers below are epoch seconds, above milliseconds: as milliseconds this is the year 1973, as seconds 5138. */
const SECONDS_END = 1e11;
/** The last moment that a `Date` can name, epoch milliseconds. */
const LAST_MOMENT = 8.64e15;

/**
 * Reads one login.
 *
 * @returns The account, not yet named, or why it cannot be one.
 */
export function readLogin(
  raw: JsonObject,
  { issuer, now }: LoginContext,
): Account | { readonly why: string; readonly email?: string } {
  const tokens = asObject(raw["tokens"]) ?? raw;
  const accessToken = text(tokens, "access_token", "accessToken", "access");
  const refreshToken = text(tokens, "refresh_token", "refreshToken", "refresh");
  const idToken = text(tokens, "id_token", "idToken");
  const access = readClaims(accessToken);
  const id = readClaims(idToken);
  const mail = given("email", id?.email ?? access?.email ?? text(raw, "email"));
  const foreign = foreignIssuer(raw, issuer);
  if (foreign !== undefined) return { ...mail, why: foreign };
  if (accessToken === undefined) return { ...mail, why: withoutTokens(raw) };
  if (refreshToken === undefined) {
    return {
      ...mail,
      why: "it has an access token only, which nobody can renew; import the file it was made from",
    };
  }
  const refreshedAt = time(raw, "last_refresh", "lastRefresh") ??
    time(tokens, "last_refresh", "lastRefresh");
  const workspaceId = text(tokens, "account_id", "accountId");
  const identity = identityOf(access, id) ??
    (workspaceId === undefined ? undefined : { workspaceId });
  return {
    id: "",
    alias: "",
    credentials: {
      accessToken,
      refreshToken,
      ...given("idToken", idToken),
      expiresAt: access?.expiresAt ?? id?.expiresAt ??
        time(tokens, "expires_at", "expiresAt", "expires") ?? (refreshedAt ?? now) + OPAQUE_LIFE_MS,
    },
    generation: 0,
    ...given("identity", identity),
    ...mail,
    ...given("plan", access?.plan ?? id?.plan),
    enabled: true,
    ...given("refreshedAt", refreshedAt),
    tags: [],
    notes: "",
    source: "import",
  };
}

/**
 * Why a login of another issuer, or for another program, is not taken: its refresh token must not
 * be sent to ours, and a file that says otherwise may be somebody's bait.
 *
 * @param issuer Ours, without a slash at the end.
 * @returns undefined when the file names our issuer and client, or none.
 */
export function foreignIssuer(raw: JsonObject, issuer: string): string | undefined {
  for (const place of [raw, asObject(raw["tokens"])]) {
    const stated = place?.["oauth_provenance"] ?? place?.["oauthProvenance"];
    if (stated === undefined || stated === null) continue;
    const provenance = asObject(stated);
    if (!provenance) return "its oauth_provenance cannot be read";
    const named = provenance["issuer"];
    if (named !== undefined && named !== null) {
      if (typeof named !== "string") return "its oauth_provenance names no readable issuer";
      if (named.replace(/\/+$/, "") !== issuer) {
        return `its tokens are from the issuer ${printable(named)}, not from ${issuer}`;
      }
    }
    const client = provenance["client_id"] ?? provenance["clientId"];
    if (typeof client === "string" && client !== CLIENT_ID) {
      return `its tokens belong to the program ${printable(client)}, which alone can renew them`;
    }
  }
  return undefined;
}

/** Whether the Codex CLI takes this for an API key and not for a ChatGPT login. */
export function holdsApiKey(raw: JsonObject): boolean {
  const mode = text(raw, "auth_mode");
  return mode === "apikey" || (mode === undefined && text(raw, "OPENAI_API_KEY") !== undefined);
}

function withoutTokens(raw: JsonObject): string {
  const mode = text(raw, "auth_mode");
  if (holdsApiKey(raw)) return "it holds an API key and no ChatGPT login";
  if (mode !== undefined && mode !== "chatgpt") {
    return `it holds a login of the kind "${printable(mode)}" and no ChatGPT tokens`;
  }
  return "it holds no access token";
}

/** The first of these fields that is text and not blank. */
function text(from: JsonObject, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = asText(from[name]);
    if (value !== undefined && value.trim() !== "") return value;
  }
  return undefined;
}

/** The first of these fields that is a time, in epoch milliseconds. */
function time(from: JsonObject, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = from[name];
    const number = asNumber(value);
    if (number !== undefined && number > 0) {
      return Math.min(number < SECONDS_END ? number * 1000 : number, LAST_MOMENT);
    }
    // Codex writes nanoseconds, which not every engine reads.
    const parsed = typeof value === "string"
      ? Date.parse(value.replace(/(\.\d{3})\d+/, "$1"))
      : NaN;
    if (!Number.isNaN(parsed)) return parsed;
  }
  return undefined;
}
