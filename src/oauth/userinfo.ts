import { jsonObject } from "./error_code.ts";
import { issuerEndpoints } from "./issuer.ts";
import { type IssuerNetwork, send } from "./request.ts";

/** A person waits for this, and the tokens mostly know the email too; milliseconds. */
const TIME_LIMIT_MS = 5_000;

/**
 * Asks the issuer for the email address behind an access token.
 *
 * @returns undefined whenever there is none to be had; never throws.
 */
export async function askEmail(
  network: IssuerNetwork,
  accessToken: string,
): Promise<string | undefined> {
  const sent = await send(network, issuerEndpoints(network.issuer).userinfo, {
    headers: { authorization: `Bearer ${accessToken}` },
  }, TIME_LIMIT_MS);
  if (sent.kind !== "answered" || sent.status !== 200) return undefined;
  const email = jsonObject(sent.body)?.["email"];
  return typeof email === "string" && /^[^\s\p{Cc}\p{Cf}]{1,254}$/u.test(email) &&
      email.includes("@")
    ? email
    : undefined;
}
