import type { Account, Credentials } from "../account/account.ts";
import { readClaims } from "../account/claims.ts";

/** Whatever a caller hands to `fetch`. */
export type FetchInput = string | URL | Request;

/** A request as it came in, its body whole in memory so that it can be sent again. */
export interface IncomingRequest {
  /** The path and nothing else; relative and broken base URLs are common in older OpenCode versions. */
  readonly path: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | Uint8Array<ArrayBuffer> | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A body that the backend cannot take at all. */
export class UnsupportedBody extends Error {
  override readonly name = "UnsupportedBody";
}

/**
 * Reads every form of arguments that `fetch` knows: a string, a `URL`, a
 * `Request` (alone or with an init that overrides it), and bodies given as
 * string, bytes, Blob, parameters or stream.
 *
 * @throws {UnsupportedBody} for FormData.
 */
export async function readRequest(
  input: FetchInput,
  init: RequestInit | undefined,
): Promise<IncomingRequest> {
  const request = input instanceof Request ? input : undefined;
  const url = request ? request.url : String(input);
  const headers = new Headers(init?.headers ?? request?.headers);
  const given = init?.body;
  const body = given !== undefined && given !== null
    ? await readBody(given)
    : request?.body
    ? new Uint8Array(await request.arrayBuffer())
    : undefined;
  return {
    path: pathOf(url),
    method: (init?.method ?? request?.method ?? "GET").toUpperCase(),
    headers,
    body,
    signal: init?.signal ?? request?.signal,
  };
}

async function readBody(body: BodyInit): Promise<string | Uint8Array<ArrayBuffer>> {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return body as Uint8Array<ArrayBuffer>;
  if (body instanceof FormData) {
    throw new UnsupportedBody("The Codex backend takes JSON, not form data.");
  }
  return new Uint8Array(await new Response(body).arrayBuffer());
}

function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  const bare = end < 0 ? url : url.slice(0, end);
  return bare.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, "").replace(/\/+$/, "") || "/";
}

/** Where a path of the OpenAI API lies at the Codex backend; undefined when the backend has no such thing. */
export function backendPath(path: string): string | undefined {
  const match = /\/(responses(?:\/compact)?)$/.exec(path.startsWith("/") ? path : `/${path}`);
  return match ? `/codex/${match[1]}` : undefined;
}

/**
 * Headers that must not go upstream: other credentials, what belongs to the
 * caller's own connection, and marks that OpenCode's WebSocket path leaves.
 */
const DROPPED = [
  "authorization",
  "x-api-key",
  "api-key",
  "openai-organization",
  "openai-project",
  "cookie",
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "accept-encoding",
  "x-opencode-title",
] as const;

/** Per-account header values, worked out once for each set of credentials. */
const perAccount = new WeakMap<Credentials, readonly (readonly [string, string])[]>();

/**
 * The headers of a request on behalf of an account.
 *
 * @param incoming The caller's headers; not changed.
 */
export function upstreamHeaders(incoming: Headers, account: Account): Headers {
  const headers = new Headers(incoming);
  for (const name of DROPPED) headers.delete(name);
  for (const [name, value] of accountHeaders(account)) headers.set(name, value);
  // Entitlement hangs on the originator; OpenCode names itself, other callers pass for the CLI's family.
  if (!headers.has("originator")) headers.set("originator", "opencode");
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  return headers;
}

/** Authorization, workspace and routing of an account, as the Codex CLI and OpenCode send them. */
export function accountHeaders(account: Account): readonly (readonly [string, string])[] {
  const { credentials, identity } = account;
  let entries = perAccount.get(credentials);
  if (!entries) {
    const access = readClaims(credentials.accessToken);
    const workspace = identity?.workspaceId ?? access?.workspaceId;
    entries = [
      ["authorization", `Bearer ${credentials.accessToken}`],
      ...(workspace === undefined ? [] : [["chatgpt-account-id", workspace] as const]),
      ...(access?.residency === undefined
        ? []
        : [["x-openai-internal-codex-residency", access.residency] as const]),
    ];
    perAccount.set(credentials, entries);
  }
  return entries;
}

/** Headers that OpenCode 1.18 and the Codex CLI name a conversation by, newest first. */
const SESSION_HEADERS = ["session-id", "session_id", "x-session-id", "conversation_id"] as const;

/** The conversation that a request's headers name, if any. */
export function sessionOf(headers: Headers): string | undefined {
  for (const name of SESSION_HEADERS) {
    const value = headers.get(name);
    if (value) return value;
  }
  return undefined;
}
