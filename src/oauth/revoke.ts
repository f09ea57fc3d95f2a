import { CLIENT_ID, issuerEndpoints } from "./issuer.ts";
import { type IssuerNetwork, send } from "./request.ts";

/** A person waits for this; milliseconds. */
const TIME_LIMIT_MS = 10_000;

/**
 * Asks the issuer to forget a refresh token, in the form that the Codex CLI
 * sends at logout. Best effort: never throws.
 *
 * @returns Whether the issuer has said yes.
 */
export async function revokeRefreshToken(
  options: IssuerNetwork & { readonly refreshToken: string },
): Promise<boolean> {
  const sent = await send(options, issuerEndpoints(options.issuer).revoke, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      token: options.refreshToken,
      token_type_hint: "refresh_token",
      client_id: CLIENT_ID,
    }),
  }, TIME_LIMIT_MS);
  return sent.kind === "answered" && sent.status >= 200 && sent.status < 300;
}
