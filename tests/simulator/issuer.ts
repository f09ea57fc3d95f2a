/**
 * The issuer: the authorize page, user info, and the way to the token endpoint and device logins.
 *
 * @module
 */
import type { DeviceLogins } from "./device.ts";
import { type Call, errorBody, send, sendJson } from "./http.ts";
import type { Approvals, AuthorizationCodes } from "./sign_in.ts";
import { serveRevoke, serveToken, type TokenDesk } from "./token_endpoint.ts";
import { CLIENT_ID } from "./jwt.ts";
import type { TokenVault } from "./tokens.ts";

/** What the issuer works with. */
export interface Issuer {
  readonly approvals: Approvals;
  readonly codes: AuthorizationCodes;
  readonly devices: DeviceLogins;
  readonly desk: TokenDesk;
  readonly vault: TokenVault;
}

/** Answers whatever does not belong to the backend. */
export function serveIssuer(call: Call, issuer: Issuer): Promise<void> | void {
  switch (`${call.request.method} ${call.url.pathname}`) {
    case "GET /oauth/authorize":
      return authorize(call, issuer);
    case "POST /oauth/token":
      return serveToken(call, issuer.desk);
    case "POST /oauth/revoke":
      return serveRevoke(call, issuer.desk);
    case "GET /userinfo":
      return userInfo(call, issuer);
    case "POST /api/accounts/deviceauth/usercode":
      return issuer.devices.start(call);
    case "POST /api/accounts/deviceauth/token":
      return issuer.devices.poll(call);
    case "GET /codex/device":
      return issuer.devices.page(call);
    default:
      return sendJson(call.response, 404, { detail: "Not Found" });
  }
}

/** The page where a person would sign in: approves by itself and sends the browser back. */
function authorize({ response, url }: Call, issuer: Issuer): void {
  const query = url.searchParams;
  const wrong = wrongRequest(query);
  // Never redirect on a bad request: the redirect address itself may be the bad part.
  if (wrong) return page(response, 400, wrong);
  const plan = issuer.approvals.take();
  if (!plan) return page(response, 500, "The simulator has no plan yet; add one with addPlan.");
  const back = new URL(query.get("redirect_uri") ?? "");
  if (plan === "access_denied") {
    back.searchParams.set("error", "access_denied");
    back.searchParams.set("error_description", "The user refused");
  } else {
    const scope = query.get("scope") ?? "";
    const code = issuer.codes.mint({
      plan,
      redirectUri: query.get("redirect_uri") ?? "",
      challenge: query.get("code_challenge") ?? "",
      scope,
    });
    back.searchParams.set("code", code);
    back.searchParams.set("scope", scope);
  }
  const state = query.get("state");
  if (state !== null) back.searchParams.set("state", state);
  response.writeHead(302, { location: back.href, "content-length": 0 });
  response.end();
}

/** What is wrong with an authorization request, in words; undefined when nothing is. */
function wrongRequest(query: URLSearchParams): string | undefined {
  const redirect = URL.parse(query.get("redirect_uri") ?? "");
  if (query.get("client_id") !== CLIENT_ID) return "Unknown client_id.";
  if (query.get("response_type") !== "code") return "response_type must be code.";
  const loopback = redirect?.hostname === "localhost" || redirect?.hostname === "127.0.0.1";
  if (!loopback || redirect.protocol !== "http:" || redirect.pathname !== "/auth/callback") {
    return "redirect_uri must be http://localhost:<port>/auth/callback.";
  }
  if (query.get("code_challenge_method") !== "S256") return "code_challenge_method must be S256.";
  // 32 bytes of SHA-256 are 43 characters of base64url.
  if (!/^[A-Za-z0-9_-]{43}$/.test(query.get("code_challenge") ?? "")) {
    return "code_challenge is no SHA-256 in base64url.";
  }
  return undefined;
}

function userInfo({ request, response }: Call, issuer: Issuer): void {
  const token = request.headers.authorization?.replace(/^Bearer /i, "") ?? "";
  const verdict = issuer.vault.checkAccess(token);
  if (!verdict.ok) {
    return sendJson(response, 401, errorBody("invalid_token", "The access token is not valid."));
  }
  const { userId, email } = verdict.holder;
  sendJson(response, 200, { sub: `auth0|${userId}`, email, email_verified: true });
}

function page(response: Call["response"], status: number, text: string): void {
  send(response, status, `<!DOCTYPE html><title>Sign in</title><p>${text}</p>`, {
    "content-type": "text/html; charset=utf-8",
  });
}
