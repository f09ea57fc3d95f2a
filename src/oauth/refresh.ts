import type { Credentials } from "../account/account.ts";
import { errorCodeOf, jsonObject } from "./error_code.ts";
import { CLIENT_ID, issuerEndpoints } from "./issuer.ts";
import { type IssuerNetwork, send, type Sent } from "./request.ts";
import { readTokens, type Tokens } from "./tokens.ts";

/** What became of a refresh token that was sent. */
export type RefreshResult =
  /** New credentials; what the answer left out is as it was before. */
  | { readonly kind: "renewed" } & Tokens
  /** The issuer takes this refresh token never again. */
  | { readonly kind: "permanent"; readonly code: string }
  /** Trouble at the issuer or before it; the token is as good as before. */
  | {
    readonly kind: "transient";
    /** The issuer's own code, or `http_<status>`. */
    readonly code?: string;
    /** When the issuer wants to be asked again, in milliseconds from now. */
    readonly retryAfterMs?: number;
  }
  /** The request certainly never left this machine. */
  | { readonly kind: "not sent"; readonly cause: string }
  /** No usable answer: the token may or may not be consumed. */
  | { readonly kind: "unknown" };

/**
 * Codes that end a refresh token. The first four end it for every client known
 * to us; the others say that the session or the account behind it is gone.
 */
const PERMANENT: ReadonlySet<string> = new Set([
  "refresh_token_expired",
  "refresh_token_reused",
  "refresh_token_invalidated",
  "invalid_grant",
  "token_expired",
  "app_session_terminated",
  "account_session_expired",
  "account_deactivated",
  "account_suspended",
  "account_deleted",
]);

/** A header that asks for a longer wait than this, in milliseconds, is cut: an access token lives for days. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * Exchanges a refresh token for new credentials, once. A refresh token is
 * single use, so the result tells apart whether it may be consumed. Never
 * throws, and never repeats what the server wrote beyond a plain error code.
 *
 * @param options.credentials Whose refresh token is sent; the other fields stand in for what the answer leaves out.
 * @param options.limitMs How long it may take, in milliseconds (default 30 s).
 */
export async function exchangeRefreshToken(
  options: IssuerNetwork & { readonly credentials: Credentials; readonly limitMs?: number },
): Promise<RefreshResult> {
  const { credentials, clock } = options;
  const sent = await send(options, issuerEndpoints(options.issuer).token, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({
      grant_type: "refresh_token",
      client_id: CLIENT_ID,
      refresh_token: credentials.refreshToken,
    }).toString(),
  }, options.limitMs);
  switch (sent.kind) {
    case "not sent":
      return { kind: "not sent", cause: sent.cause };
    case "no answer":
      return { kind: "unknown" };
    case "answered":
      return classify(sent, clock.now(), credentials);
  }
}

function classify(
  answer: Extract<Sent, { kind: "answered" }>,
  now: number,
  previous: Credentials,
): RefreshResult {
  const { status, headers, body } = answer;
  const json = jsonObject(body);
  if (status >= 200 && status < 300) {
    const tokens = json === undefined ? undefined : readTokens(json, now, previous);
    // The issuer said yes, so the token is most likely consumed, but what came
    // back is a proxy's page or no tokens at all.
    return tokens === undefined ? { kind: "unknown" } : { kind: "renewed", ...tokens };
  }
  const code = errorCodeOf(json) ?? `http_${status}`;
  if ((status === 400 || status === 401) && PERMANENT.has(code)) return { kind: "permanent", code };
  // Any other 401 is final too, if the issuer said it: a page of HTML is
  // the word of something in between.
  if (status === 401 && (json !== undefined || body === "")) return { kind: "permanent", code };
  const retryAfterMs = retryAfter(headers, now);
  return { kind: "transient", code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date; milliseconds from now. */
function retryAfter(headers: Headers, now: number): number | undefined {
  const exact = decimal(headers.get("retry-after-ms"));
  const value = headers.get("retry-after");
  const seconds = decimal(value);
  const wait = exact ?? (seconds === undefined ? Date.parse(value ?? "") - now : seconds * 1000);
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), LONGEST_WAIT_MS);
}

function decimal(text: string | null): number | undefined {
  return text !== null && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}
