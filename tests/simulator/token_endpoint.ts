/**
 * POST /oauth/token and POST /oauth/revoke.
 *
 * @module
 */
import type { Clock } from "../../src/platform/clock.ts";
import { sleep } from "../../src/platform/clock.ts";
import type { FaultQueue, TokenFault } from "./faults.ts";
import { type Call, errorBody, jsonObject, send, sendJson } from "./http.ts";
import type { Plan } from "./plan.ts";
import type { Journal, TokenCallRecord } from "./record.ts";
import type { AuthorizationCodes } from "./sign_in.ts";
import { CLIENT_ID } from "./jwt.ts";
import type { IssuedTokens, RefreshError, TokenVault } from "./tokens.ts";

/** What the token endpoint works with. */
export interface TokenDesk {
  readonly origin: string;
  readonly clock: Clock;
  readonly closing: AbortSignal;
  readonly codes: AuthorizationCodes;
  readonly vault: TokenVault;
  readonly plans: ReadonlyMap<string, Plan>;
  readonly faults: FaultQueue<TokenFault, "token">;
  readonly calls: Journal<TokenCallRecord>;
  /** Ports of redirect addresses that the client has registered. */
  readonly redirectPorts: readonly number[];
}

/** Messages and statuses as in `tests/fixtures/oauth/refresh-errors.json`. */
const REFUSALS: Record<RefreshError, { status: number; body: unknown }> = {
  refresh_token_reused: {
    status: 401,
    body: errorBody(
      "refresh_token_reused",
      "Your refresh token has already been used to generate a new access token. Please try signing in again.",
    ),
  },
  refresh_token_invalidated: {
    status: 401,
    body: errorBody("refresh_token_invalidated", "Your refresh token has been revoked."),
  },
  invalid_grant: {
    status: 400,
    body: { error: "invalid_grant", error_description: "Unknown or invalid refresh token." },
  },
};

type Outcome =
  | { ok: true; plan: Plan; tokens: IssuedTokens; scope: string }
  | { ok: false; plan: Plan | null; status: number; error: string; body: unknown };

/** Answers one call of the token endpoint. */
export async function serveToken(call: Call, desk: TokenDesk): Promise<void> {
  const { response } = call;
  const { format, fields } = readFields(call);
  const grant = fields.grant_type ?? "";
  const note = (plan: Plan | null, ok: boolean, error: string | null) =>
    desk.calls.add({
      grant,
      plan: plan?.name ?? null,
      ok,
      error,
      format,
      reason: fields.refresh_reason ?? null,
      at: desk.clock.now(),
    });

  const owner = ownerOf(fields, desk);
  const fault = owner?.tokenFaults.take("token") ?? desk.faults.take("token");
  if (fault?.kind === "status") {
    note(owner, false, String(fault.status));
    return sendFault(response, fault);
  }
  if (fault?.kind === "refuse" || (fault?.kind === "hang" && !fault.consume)) {
    note(owner, false, fault.kind);
    if (fault.kind === "refuse") response.destroy();
    return;
  }
  const keep = fault?.kind === "partial" && fault.leaveOut.includes("refresh_token");
  const outcome = decide(grant, format, fields, desk, keep);
  if (fault?.kind === "hang" || fault?.kind === "cut") {
    note(outcome.plan, outcome.ok, fault.kind);
    if (fault.kind === "cut") response.destroy();
    return;
  }
  note(outcome.plan, outcome.ok, outcome.ok ? null : outcome.error);
  if (fault?.kind === "delay") await sleep(desk.clock, fault.ms, desk.closing);
  if (!outcome.ok) return sendJson(response, outcome.status, outcome.body);
  const answer = tokenAnswer(outcome.tokens, outcome.scope, desk.clock.now());
  if (fault?.kind === "partial") { for (const field of fault.leaveOut) delete answer[field]; }
  sendJson(response, 200, answer, { "cache-control": "no-store" });
}

/** Answers POST /oauth/revoke: JSON as Codex sends it, or the form of RFC 7009; 200 for unknown tokens too. */
export function serveRevoke(call: Call, desk: TokenDesk): void {
  const { format, fields } = readFields(call);
  const holder = fields.token === undefined ? null : desk.vault.revoke(fields.token);
  desk.calls.add({
    grant: "revoke",
    plan: holder?.name ?? null,
    ok: holder !== null,
    error: null,
    format,
    reason: null,
    at: desk.clock.now(),
  });
  sendJson(call.response, 200, {});
}

function decide(
  grant: string,
  format: TokenCallRecord["format"],
  fields: Record<string, string>,
  desk: TokenDesk,
  keepRefreshToken: boolean,
): Outcome {
  if (fields.client_id !== CLIENT_ID) {
    return flat(null, 401, "invalid_client", "Unknown client_id.");
  }
  if (grant === "authorization_code") {
    // Only forms were ever seen for codes; JSON is known for refreshes alone.
    if (format !== "form") return flat(null, 400, "invalid_request", "Send a form.");
    return redeemCode(fields, desk);
  }
  if (grant === "refresh_token") return refresh(fields, desk, keepRefreshToken);
  return flat(null, 400, "unsupported_grant_type", "This grant_type is not offered.");
}

function redeemCode(fields: Record<string, string>, desk: TokenDesk): Outcome {
  const { code = "", code_verifier: verifier = "", redirect_uri: given = "" } = fields;
  const redirectUri = ownDeviceCallback(given, desk.origin);
  const unregistered = !isRegistered(redirectUri, desk);
  if (unregistered) {
    // That it is 403 was reported; its body is not known.
    const body = errorBody("unregistered_redirect_uri", "This redirect_uri is not registered.");
    const plan = desk.codes.planOf(code);
    return { ok: false, plan, status: 403, error: "unregistered_redirect_uri", body };
  }
  const grant = desk.codes.redeem(code, verifier, redirectUri);
  if ("description" in grant) return flat(grant.plan, 400, "invalid_grant", grant.description);
  const tokens = desk.vault.issue(grant.plan, grant.scope);
  return { ok: true, plan: grant.plan, tokens, scope: grant.scope };
}

function refresh(
  fields: Record<string, string>,
  desk: TokenDesk,
  keepRefreshToken: boolean,
): Outcome {
  const verdict = desk.vault.checkRefresh(fields.refresh_token ?? "");
  if (!verdict.ok) {
    const plan = verdict.holder ? desk.plans.get(verdict.holder.name) ?? null : null;
    return { ok: false, plan, error: verdict.error, ...REFUSALS[verdict.error] };
  }
  const plan = desk.plans.get(verdict.family.holder.name);
  if (!plan) throw new Error("A token family belongs to a plan that was never added.");
  const tokens = desk.vault.rotate(verdict.family, keepRefreshToken);
  return { ok: true, plan, tokens, scope: verdict.family.scope };
}

/** OAuth's flat error form (RFC 6749, 5.2). */
function flat(plan: Plan | null, status: number, error: string, description: string): Outcome {
  return { ok: false, plan, status, error, body: { error, error_description: description } };
}

function tokenAnswer(tokens: IssuedTokens, scope: string, now: number): Record<string, unknown> {
  return {
    id_token: tokens.idToken,
    access_token: tokens.accessToken,
    ...(tokens.refreshToken === "" ? {} : { refresh_token: tokens.refreshToken }),
    token_type: "bearer",
    expires_in: Math.round((tokens.expiresAt - now) / 1000),
    scope,
  };
}

/** Whom a call is about, without using anything up. */
function ownerOf(fields: Record<string, string>, desk: TokenDesk): Plan | null {
  if (fields.grant_type === "authorization_code") return desk.codes.planOf(fields.code ?? "");
  const holder = desk.vault.holderOf(fields.refresh_token ?? "");
  return holder ? desk.plans.get(holder.name) ?? null : null;
}

/** Clients that know the issuer by its real name, or by another name of loopback, mean the same page. */
function ownDeviceCallback(redirectUri: string, origin: string): string {
  const url = URL.parse(redirectUri);
  if (url?.pathname !== "/deviceauth/callback") return redirectUri;
  const here = new URL(origin);
  const same = url.origin === "https://auth.openai.com" || url.port === here.port;
  return same ? `${origin}/deviceauth/callback` : redirectUri;
}

function isRegistered(redirectUri: string, desk: TokenDesk): boolean {
  if (redirectUri === `${desk.origin}/deviceauth/callback`) return true;
  return desk.redirectPorts.includes(Number(URL.parse(redirectUri)?.port));
}

function readFields(
  { request, body }: Call,
): { format: TokenCallRecord["format"]; fields: Record<string, string> } {
  const type = request.headers["content-type"] ?? "";
  if (type.startsWith("application/x-www-form-urlencoded")) {
    return { format: "form", fields: Object.fromEntries(new URLSearchParams(body)) };
  }
  if (!type.startsWith("application/json")) return { format: "other", fields: {} };
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(jsonObject(body) ?? {})) {
    if (typeof value === "string") fields[name] = value;
  }
  return { format: "json", fields };
}

function sendFault(
  response: Call["response"],
  { status, headers, body }: Extract<TokenFault, { kind: "status" }>,
): void {
  if (typeof body === "string") return send(response, status, body, headers);
  sendJson(response, status, body ?? {}, headers);
}
