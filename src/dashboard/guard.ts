/**
 * Who gets an answer from the dashboard, and who is sent away. Everything that keeps strangers out is
 * in this file; what it stands on are the sessions (`session.ts`) and the server's limits on time and
 * connections (`serve.ts`).
 *
 * A stranger may be: a page of another origin in the same browser (cross-site requests, DNS rebinding,
 * framing), another program or another person's process on this machine (it can connect, but has no
 * cookie), and whoever can put text into an alias, a note or the log (see the content policy).
 * What it cannot keep out is a program that runs as the same user: that can read the accounts anyway.
 *
 * The order for every request:
 *
 * 1. The method is GET, HEAD or POST, and nothing tries to make it another one.
 * 2. `Host` is a loopback name with our port, so a name that an attacker points at 127.0.0.1 is refused.
 * 3. `Origin`, where there is one, is exactly that host; `null` is nobody. `Sec-Fetch-Site`, where there
 *    is one, says same-origin, or that a person typed the address. A link on another page leads to the
 *    sign-in page and no further.
 * 4. Style, script, a one-time link and the proof that the owner's programs ask for need no session and
 *    show nothing of an account. All else needs the cookie: HttpOnly, SameSite=Strict, named after the
 *    port, 12 hours idle.
 * 5. A POST must be a form of at most so many bytes, and carry the session's token, in the field `csrf`
 *    or in the header `x-csrf-token`. A GET changes nothing.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import { isLoopback } from "../platform/endpoints.ts";
import { Failure } from "../platform/failure.ts";
import { sameSecret, type Session, type Sessions } from "./session.ts";

/** What a route finds beside the request. */
export interface GuardedEnv {
  Variables: {
    session: Session;
    /** The fields of a POST, `csrf` taken out. */
    form: ReadonlyMap<string, FormDataEntryValue>;
  };
}

/** Longest form, in bytes. Notes are the longest text in one; a character of theirs takes up to nine. */
export const MAX_FORM_BYTES = 128 * 1024;
/** Longest upload, in bytes: a whole store and what frames it. */
export const MAX_UPLOAD_BYTES = 8 * 1024 * 1024 + 64 * 1024;
/** The only place that takes files. */
export const UPLOAD_PATH = "/import";
/** Fields of one form, more than any has. */
const MAX_FIELDS = 16;

/** Headers of every answer, refusals too. */
export const ANSWER_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  // Not `no-referrer`: with it browsers send `Origin: null` with a form that no script posts.
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "cache-control": "no-store",
};

/**
 * The address to listen on: a loopback one, or none.
 *
 * @throws {Failure} for any other host.
 */
export function checkHost(host: string): string {
  const name = host.replace(/^\[(.*)\]$/, "$1");
  if (isLoopback(name)) return name === "localhost" ? "127.0.0.1" : name;
  throw new Failure(
    `--host ${host} is refused: whoever reaches the dashboard can use your accounts, and it speaks plain http.`,
    "Leave --host away, and reach it from another machine through ssh -L 3434:127.0.0.1:3434.",
    2,
  );
}

/** The name of the session's cookie: browsers send cookies to every port of a host. */
export function cookieName(port: number): string {
  return `opencode_multi_auth_${port}`;
}

/** `Set-Cookie` for a new session; with an empty value it takes the cookie away. */
export function setCookie(port: number, value: string): string {
  const life = value === "" ? "; Max-Age=0" : "";
  return `${cookieName(port)}=${value}; Path=/; HttpOnly; SameSite=Strict${life}`;
}

/** Whether a `Host` header can only come from an address that the person, or we, wrote. */
export function isOurHost(host: string | undefined, port: number): boolean {
  const [, name, given = "80"] = /^([\w.]+|\[[\da-f:]+\])(?::(\d{1,5}))?$/i.exec(host ?? "") ?? [];
  return name !== undefined && isLoopback(name.toLowerCase()) && Number(given) === port;
}

/**
 * The guard in front of every route.
 *
 * @param options.port The port that we listen on.
 * @param options.open Whether a path needs no session.
 * @param options.visitor Answers a visitor without a session.
 */
export function guard(options: {
  readonly port: () => number;
  readonly sessions: Sessions;
  readonly open: (path: string) => boolean;
  readonly visitor: (context: Context) => Response | Promise<Response>;
}): MiddlewareHandler<GuardedEnv> {
  const { port, sessions } = options;
  return async (context, next) => {
    const { req } = context;
    for (const [name, value] of Object.entries(ANSWER_HEADERS)) context.header(name, value);
    if (!["GET", "HEAD", "POST"].includes(req.method)) {
      return context.text("Only GET and POST are answered.", 405);
    }
    if (overridesMethod(context)) return context.text("A method cannot be overridden.", 400);
    if (req.header("upgrade") !== undefined) return context.text("Nothing is upgraded.", 400);
    const host = req.header("host");
    if (!isOurHost(host, port())) return context.text("This host is not served here.", 403);
    const origin = req.header("origin");
    if (origin !== undefined && origin !== `http://${host}`) {
      return context.text("Requests of other origins are refused.", 403);
    }
    const site = req.header("sec-fetch-site") ?? "none";
    const ofOthers = site !== "same-origin" && site !== "none";
    if (ofOthers && !isNavigation(context)) {
      return context.text("Requests of other origins are refused.", 403);
    }
    if (options.open(req.path)) {
      if (req.method === "POST") return context.text("Nothing is posted here.", 405);
      return await next();
    }
    // Whoever comes by a link on another page is asked to come by himself.
    const session = ofOthers ? undefined : sessions.find(getCookie(context, cookieName(port())));
    if (!session) return await options.visitor(context);
    context.set("session", session);
    if (req.method !== "POST") return await next();
    return await takeForm(context, session) ?? await next();
  };
}

/** Frameworks that listen to these would let a harmless request do harm. */
function overridesMethod({ req }: Context): boolean {
  return ["x-http-method-override", "x-http-method", "x-method-override"]
    .some((name) => req.header(name) !== undefined) || req.query("_method") !== undefined;
}

/** Whether a browser asks for this to show it as a page of its own. */
function isNavigation({ req }: Context): boolean {
  return req.method === "GET" && req.header("sec-fetch-mode") === "navigate" &&
    req.header("sec-fetch-dest") === "document";
}

/** Reads a form and looks at its token. Gives the refusal, or undefined when all is well. */
async function takeForm(
  context: Context<GuardedEnv>,
  session: Session,
): Promise<Response | undefined> {
  const { req } = context;
  const upload = req.path === UPLOAD_PATH;
  const type = (req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded" && !(upload && type === "multipart/form-data")) {
    return context.text("Only forms are taken.", 415);
  }
  const header = req.header("x-csrf-token");
  // Before the body is read: a wrong token must not cost memory.
  if (header !== undefined && !sameSecret(header, session.csrf)) return forged(context);
  const body = await readBody(req.raw, upload ? MAX_UPLOAD_BYTES : MAX_FORM_BYTES);
  if (!body) return context.text("That is too long.", 413);
  const form = await readForm(body, req.header("content-type") ?? "");
  if (!form) return context.text("The form cannot be read.", 400);
  const field = form.get("csrf");
  form.delete("csrf");
  if (header === undefined && !(typeof field === "string" && sameSecret(field, session.csrf))) {
    return forged(context);
  }
  context.set("form", form);
  return undefined;
}

/** The whole body; undefined when it is longer than `limit` bytes. How long it may take is the server's concern. */
async function readBody(
  request: Request,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) return undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    // Leaving the loop cancels what would follow.
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}

/** A map, so that no name of a field means anything to the language. Undefined when it is no whole form, or names a field twice. */
async function readForm(
  body: Uint8Array<ArrayBuffer>,
  type: string,
): Promise<Map<string, FormDataEntryValue> | undefined> {
  try {
    const form = new Map<string, FormDataEntryValue>();
    const fields = await new Response(body, { headers: { "content-type": type } }).formData();
    for (const [name, value] of fields) {
      if (form.has(name) || form.size >= MAX_FIELDS) return undefined;
      form.set(name, value);
    }
    return form;
  } catch {
    return undefined;
  }
}

function forged(context: Context): Response {
  return context.text("The page is from another session. Reload it and try again.", 403);
}
