import { errorCode } from "../platform/failure.ts";

/** System and runtime codes that only a connection which was never made can have. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "EAI_NODATA",
  "EAI_NONAME",
  // Node's own fetch.
  "UND_ERR_CONNECT_TIMEOUT",
  "ERR_INVALID_URL",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  // Bun before 1.4, for refused connections, unknown hosts and failed handshakes alike.
  "ConnectionRefused",
  "FailedToOpenSocket",
]);

/** Codes that mean "never connected" only if it was the connecting that failed. */
const WHILE_CONNECTING: ReadonlySet<string> = new Set([
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "ETIMEDOUT",
  "ECONNRESET",
]);

/** How messages that come without a code say it: Deno's (reqwest's and rustls' words), and fetch's port rule. */
const MESSAGES: readonly (readonly [RegExp, string])[] = [
  [/client error \(Connect\).*connection refused/is, "ECONNREFUSED"],
  [/client error \(Connect\).*dns error/is, "ENOTFOUND"],
  [/client error \(Connect\).*certificate/is, "certificate"],
  [/client error \(Connect\)/i, "connect"],
  [/^Fetch failed: Requests to port \d+ are blocked$|^bad port$/i, "blocked port"],
  [/^Invalid URL/i, "ERR_INVALID_URL"],
];

/**
 * Whether a failed `fetch` certainly never sent its request: unknown host,
 * refused connection, failed TLS handshake. A reset or a silence after that
 * proves nothing, so those are not among them.
 *
 * Deno, Bun and Node spell this differently; what each throws was tried out.
 *
 * @returns The cause as a short code, or undefined when the request may have arrived.
 */
export function connectFailure(error: unknown): string | undefined {
  const code = errorCode(error);
  if (code !== undefined) {
    if (NEVER_CONNECTED.has(code) || /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) return code;
    if (WHILE_CONNECTING.has(code) && wasConnecting(error)) return code;
    return undefined;
  }
  for (const at of causes(error)) {
    if (at.name === "NotCapable") return "not permitted";
    const match = MESSAGES.find(([pattern]) => pattern.test(at.message));
    if (match) return match[1];
  }
  return undefined;
}

/** Node names the system call, or the handshake; Bun has one sentence for all failures to connect. */
function wasConnecting(error: unknown): boolean {
  return causes(error).some((at) =>
    (at as { syscall?: unknown }).syscall === "connect" ||
    /Unable to connect|before secure TLS connection was established/.test(at.message)
  );
}

/** An error, its causes, and what an `AggregateError` among them gathers (one for each address tried). */
function causes(error: unknown): Error[] {
  const found: Error[] = [];
  for (let at = error; at instanceof Error && found.length < 8; at = at.cause) {
    found.push(at);
    if (at instanceof AggregateError) {
      found.push(...at.errors.filter((one) => one instanceof Error));
    }
  }
  return found;
}
