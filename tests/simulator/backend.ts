/**
 * The Codex backend: who asks, which endpoint, and the faults that need no stream.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { sleep } from "../../src/platform/clock.ts";
import type { Endpoint, Fault, FaultQueue } from "./faults.ts";
import {
  type Call,
  errorBody,
  flatHeaders,
  jsonObject,
  send,
  sendJson,
  whenClosed,
} from "./http.ts";
import { LiveRecord } from "./live_record.ts";
import { modelList } from "./models.ts";
import type { Plan } from "./plan.ts";
import type { Journal, RequestRecord } from "./record.ts";
import type { AccessError, TokenVault } from "./tokens.ts";
import { serveTurn, type TurnDesk } from "./turn.ts";
import { accountsCheckBody, resetCreditsBody, usageBody } from "./usage.ts";

/** Where the backend begins on the simulator's origin, as on chatgpt.com. */
export const BACKEND_PATH = "/backend-api";

/** What the backend works with. */
export interface Backend extends TurnDesk {
  readonly closing: AbortSignal;
  readonly vault: TokenVault;
  readonly plans: ReadonlyMap<string, Plan>;
  /** Faults for whoever asks next, before those of the plan. */
  readonly faults: FaultQueue<Fault, Endpoint>;
  readonly requests: Journal<RequestRecord>;
}

/** Texts as in `tests/fixtures/codex/errors.json`. */
const REFUSED_TOKENS: Record<AccessError, unknown> = {
  unknown: { detail: "Unauthorized" },
  token_expired: refusedToken(
    "token_expired",
    "Provided authentication token is expired. Please try signing in again.",
  ),
  token_invalidated: refusedToken(
    "token_invalidated",
    "Your authentication token has been invalidated. Please try signing in again.",
  ),
  token_revoked: refusedToken(
    "token_revoked",
    "Your authentication token has been revoked. Please try signing in again.",
  ),
};

/** Endpoints that take faults. */
const FAULTY: Record<string, Endpoint> = {
  "POST /codex/responses": "responses",
  "GET /codex/models": "models",
  "GET /wham/usage": "wham/usage",
  "GET /codex/usage": "codex/usage",
  "GET /wham/accounts/check": "accounts/check",
};

/** Answers one request below {@linkcode BACKEND_PATH}. */
export async function serveBackend(call: Call, backend: Backend): Promise<void> {
  const { request, response, url } = call;
  const record = recordOf(request, url, call.body, backend);
  record.follow(response, backend.changed);
  backend.requests.add(record);
  const answer = (status: number, body: unknown, headers = {}) => {
    record.status = status;
    if (typeof body === "string") send(response, status, body, headers);
    else sendJson(response, status, body, headers);
    backend.changed();
  };

  const endpoint = `${request.method} ${url.pathname.slice(BACKEND_PATH.length)}`;
  if (!(endpoint in FAULTY) && !PLAIN.has(endpoint)) return answer(404, { detail: "Not Found" });
  const verdict = backend.vault.checkAccess(bearer(request));
  if (!verdict.ok) return answer(401, REFUSED_TOKENS[verdict.error]);
  const plan = backend.plans.get(verdict.holder.name);
  if (!plan) throw new Error("An access token belongs to a plan that was never added.");
  // What the real backend says to a foreign or missing workspace is not known.
  if (request.headers["chatgpt-account-id"] !== plan.workspaceId) {
    return answer(403, { detail: "Forbidden" });
  }

  const on = FAULTY[endpoint];
  let fault = on && (backend.faults.take(on) ?? plan.faults.take(on));
  if (fault) {
    record.fault = fault.kind;
    backend.changed();
  }
  while (fault?.kind === "delay") {
    await sleep(backend.clock, fault.ms, backend.closing);
    fault = fault.then;
  }
  // The client may have left during a delay.
  if (response.destroyed) return;
  if (fault?.kind === "status") return answer(fault.status, fault.body ?? "", { ...fault.headers });
  if (fault?.kind === "refuse") {
    record.cutByUs();
    response.destroy();
    return;
  }
  if (fault?.kind === "stall" && fault.afterEvents === undefined) return await whenClosed(response);
  if (on === "responses") return await serveTurn(call, record, plan, fault, backend);
  plain(endpoint, plan, call, answer);
}

/** Answers a WebSocket handshake: 426, which sends Codex to HTTP at once. */
export function refuseUpgrade(request: IncomingMessage, url: URL, backend: Backend): string {
  const record = recordOf(request, url, "", backend);
  record.status = 426;
  backend.requests.add(record);
  return "HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
}

/** Endpoints that only the Codex CLI asks and that need no more than an empty answer. */
const PLAIN: ReadonlySet<string> = new Set([
  "GET /wham/settings/user",
  "GET /wham/rate-limit-reset-credits",
  "POST /codex/analytics-events/events",
]);

function plain(
  endpoint: string,
  plan: Plan,
  call: Call,
  answer: (status: number, body: unknown, headers?: Record<string, string>) => void,
): void {
  switch (endpoint) {
    case "GET /wham/usage":
    case "GET /codex/usage":
      return answer(200, usageBody(plan));
    case "GET /wham/accounts/check":
      return answer(200, accountsCheckBody(plan));
    case "GET /codex/models": {
      const version = call.url.searchParams.get("client_version");
      if (version === null) return answer(400, { detail: "client_version is required" });
      const { body, etag } = modelList(plan, version);
      // That the real one answers so is how an ETag is meant, not known.
      if (call.request.headers["if-none-match"] === etag) return answer(304, "", { etag });
      return answer(200, body, { "content-type": "application/json", etag });
    }
    case "GET /wham/rate-limit-reset-credits":
      return answer(200, resetCreditsBody(plan));
    default:
      return answer(200, {});
  }
}

function recordOf(
  request: IncomingMessage,
  url: URL,
  body: string,
  backend: Backend,
): LiveRecord {
  const upgrade = request.headers.upgrade !== undefined;
  const headers = flatHeaders(request);
  const verdict = backend.vault.checkAccess(bearer(request));
  if (headers.authorization !== undefined) headers.authorization = `Bearer ${verdict.label}`;
  const session = headers["session-id"] ?? headers["session_id"] ?? cacheKeyOf(body);
  return new LiveRecord({
    plan: verdict.holder?.name ?? null,
    method: upgrade ? "UPGRADE" : request.method ?? "",
    path: url.pathname,
    query: url.search.slice(1),
    headers,
    body,
    session,
    at: backend.clock.now(),
  });
}

function cacheKeyOf(body: string): string | null {
  // Cheap first: most bodies of other endpoints do not have it.
  if (!body.includes('"prompt_cache_key"')) return null;
  const key = jsonObject(body)?.prompt_cache_key;
  return typeof key === "string" ? key : null;
}

function bearer(request: IncomingMessage): string {
  return /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
}

function refusedToken(code: string, message: string): unknown {
  return { ...errorBody(code, message), status: 401 };
}
