import { Failure } from "./failure.ts";
import { type Environment, set } from "./paths.ts";

/** The two servers we talk to, without a slash at the end. */
export interface Endpoints {
  /** The OAuth issuer. */
  readonly issuer: string;
  /** The Codex backend. */
  readonly backend: string;
}

const ISSUER = "https://auth.openai.com";
const BACKEND = "https://chatgpt.com/backend-api";

/**
 * Reads `OPENCODE_MULTI_AUTH_ISSUER_URL` and `OPENCODE_MULTI_AUTH_BACKEND_URL`.
 *
 * Tokens go to these addresses, so each must be https, or http to a loopback
 * address (for tests and local proxies).
 *
 * @throws {Failure} when an override is anything else.
 */
export function resolveEndpoints(env: Environment): Endpoints {
  return {
    issuer: endpoint("OPENCODE_MULTI_AUTH_ISSUER_URL", env, ISSUER),
    backend: endpoint("OPENCODE_MULTI_AUTH_BACKEND_URL", env, BACKEND),
  };
}

function endpoint(name: string, env: Environment, standard: string): string {
  const value = set(env[name]);
  if (value === undefined) return standard;
  const url = URL.parse(value.trim());
  const trusted = url !== null && url.username === "" && url.password === "" &&
    (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname)));
  if (!url || !trusted) {
    throw new Failure(
      `${name} is not an address that tokens may be sent to.`,
      `Use https://…, or http:// with a loopback host, or unset it (default ${standard}).`,
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** Whether a host name can only mean this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || hostname === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(hostname);
}
