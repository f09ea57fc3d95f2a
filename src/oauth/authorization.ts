import { calculatePKCECodeChallenge } from "oauth4webapi";
import { CLIENT_ID, issuerEndpoints, ORIGINATOR, SCOPE } from "./issuer.ts";
import { newState, type RandomBytes, secureRandomBytes } from "./state.ts";

/** What one login must remember until the browser returns. */
export interface LoginSecrets {
  /** Comes back with the answer and proves that it belongs to this login. */
  readonly state: string;
  /** The PKCE code verifier: whoever has it and the code has the tokens. */
  readonly verifier: string;
}

/**
 * Secrets of a new login: a verifier of 32 random bytes, a state of 16.
 *
 * @param random Where they come from (default: the system's source).
 */
export function newLoginSecrets(random: RandomBytes = secureRandomBytes): LoginSecrets {
  return { verifier: base64Url(random(32)), state: newState(random) };
}

/**
 * The address of the login page, with everything in it that the Codex CLI
 * sends, in its order.
 *
 * @param options.redirectUri Where the browser returns to; see `callbackUrl`.
 */
export async function authorizationUrl(options: {
  issuer: string;
  redirectUri: string;
  secrets: LoginSecrets;
}): Promise<string> {
  const { issuer, redirectUri, secrets } = options;
  const url = new URL(issuerEndpoints(issuer).authorize);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT_ID,
    redirect_uri: redirectUri,
    scope: SCOPE,
    code_challenge: await calculatePKCECodeChallenge(secrets.verifier),
    code_challenge_method: "S256",
    state: secrets.state,
    // Puts the workspaces into the id token.
    id_token_add_organizations: "true",
    codex_cli_simplified_flow: "true",
    originator: ORIGINATOR,
  }).toString();
  return url.href;
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
