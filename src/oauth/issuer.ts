import { isLoopback } from "../platform/endpoints.ts";
import { PROGRAM, VERSION } from "../platform/version.ts";

/** The public client, without a secret, as the Codex CLI sends it; ChatGPT plans are open to no other. */
export const CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann";

/** What we ask for, as OpenCode and older Codex CLIs do; `offline_access` brings the refresh token. */
export const SCOPE = "openid profile email offline_access";

/** Who the login is for, as the Codex CLI names itself. */
export const ORIGINATOR = "codex_cli_rs";

/** Ports that the issuer takes in a redirect, in the order in which the Codex CLI tries them. */
export const CALLBACK_PORTS: readonly number[] = [1455, 1457];

/** The path of the redirect that is registered for this client. */
export const CALLBACK_PATH = "/auth/callback";

/**
 * Sent with every request to the issuer. Each gets a connection of its own:
 * Deno's fetch sends a request again, unasked, when a kept connection breaks
 * under it, and a refresh token that arrives twice costs the account.
 */
export const REQUEST_HEADERS: Readonly<Record<string, string>> = {
  accept: "application/json",
  "user-agent": `${PROGRAM}/${VERSION}`,
  connection: "close",
};

/** The issuer's addresses, each absolute. */
export interface IssuerEndpoints {
  /** The page where a person signs in. */
  readonly authorize: string;
  /** Codes and refresh tokens against tokens. */
  readonly token: string;
  /** Who an access token belongs to. */
  readonly userinfo: string;
  /** Gives a code for the device login. */
  readonly deviceUserCode: string;
  /** Whether that code has been entered yet. */
  readonly deviceToken: string;
  /** The page where a person enters it. */
  readonly devicePage: string;
  /** The redirect that a device login names at the exchange; nobody is ever sent there. */
  readonly deviceRedirect: string;
}

/**
 * The addresses of an issuer, as the Codex CLI and OpenCode use them; there is
 * no discovery document that lists the device login.
 *
 * @param issuer The issuer's URL, without a slash at the end.
 */
export function issuerEndpoints(issuer: string): IssuerEndpoints {
  const at = (path: string) => `${issuer.replace(/\/+$/, "")}${path}`;
  return {
    authorize: at("/oauth/authorize"),
    token: at("/oauth/token"),
    userinfo: at("/userinfo"),
    deviceUserCode: at("/api/accounts/deviceauth/usercode"),
    deviceToken: at("/api/accounts/deviceauth/token"),
    devicePage: at("/codex/device"),
    deviceRedirect: at("/deviceauth/callback"),
  };
}

/** Where the browser returns to. `localhost` and not 127.0.0.1, as the issuer has it registered. */
export function callbackUrl(port: number): string {
  return `http://localhost:${port}${CALLBACK_PATH}`;
}

/** Whether an issuer may be spoken to without TLS: on this machine only. */
export function mayBeInsecure(issuer: string): boolean {
  const url = URL.parse(issuer);
  return url !== null && url.protocol === "http:" && isLoopback(url.hostname);
}
