import {
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  customFetch,
  None,
  processAuthorizationCodeResponse,
  skipStateCheck,
  validateAuthResponse,
} from "oauth4webapi";
import { Failure } from "../platform/failure.ts";
import { errorCodeOf, type JsonObject, jsonObject } from "./error_code.ts";
import { CLIENT_ID, issuerEndpoints, mayBeInsecure } from "./issuer.ts";
import { codeExpired, refused, unanswered } from "./issuer_failure.ts";
import { type IssuerNetwork, send, type Sent } from "./request.ts";
import { readTokens, type Tokens } from "./tokens.ts";
import { askEmail } from "./userinfo.ts";

/** Codes with which the issuer says that this authorization code is spent. */
const SPENT: ReadonlySet<string> = new Set([
  "invalid_grant",
  "authorization_code_expired",
  "authorization_code_reused",
  "code_expired",
]);

/**
 * Exchanges an authorization code for tokens, and asks whose they are.
 *
 * @param options.code Single use; the state it came with has been checked.
 * @param options.redirectUri The very one of the authorization request.
 * @param options.verifier The PKCE code verifier.
 * @throws {Failure} when the issuer cannot be reached, refuses, or gives no refresh token.
 */
export async function exchangeCode(
  options: IssuerNetwork & {
    readonly code: string;
    readonly redirectUri: string;
    readonly verifier: string;
  },
): Promise<Tokens> {
  const { issuer, clock } = options;
  const answer = await requestTokens(options);
  const json = jsonObject(answer.body);
  if (answer.status !== 200 || json === undefined) {
    const code = errorCodeOf(json);
    if (code !== undefined && SPENT.has(code)) throw codeExpired();
    throw refused(issuer, "give tokens for this sign-in", answer);
  }
  await checkAnswer(issuer, json);
  const tokens = readTokens(json, clock.now());
  if (tokens === undefined) throw incomplete(issuer);
  const email = await askEmail(options, tokens.credentials.accessToken);
  return email === undefined ? tokens : { ...tokens, email };
}

async function requestTokens(
  options: Parameters<typeof exchangeCode>[0],
): Promise<Extract<Sent, { kind: "answered" }>> {
  const server = serverOf(options.issuer);
  const parameters = new URLSearchParams({ code: options.code });
  let sent: Sent | undefined;
  await authorizationCodeGrantRequest(
    server,
    CLIENT,
    None(),
    validateAuthResponse(server, CLIENT, parameters, skipStateCheck),
    options.redirectUri,
    options.verifier,
    {
      [allowInsecureRequests]: mayBeInsecure(options.issuer),
      [customFetch]: async (url, { method, headers, body }) => {
        sent = await send(options, url, { method, headers, body });
        return new Response();
      },
    },
  );
  if (sent === undefined) throw new Error("The token request was never made.");
  if (sent.kind !== "answered") throw unanswered(options.issuer, sent);
  return sent;
}

/**
 * Has the answer checked against RFC 6749. The id token is left out of that:
 * no client of this issuer verifies it, and what we read from it decides on
 * nothing that the backend would not refuse by itself.
 */
async function checkAnswer(issuer: string, json: JsonObject): Promise<void> {
  const { id_token: _idToken, ...rest } = json;
  try {
    await processAuthorizationCodeResponse(serverOf(issuer), CLIENT, Response.json(rest));
  } catch {
    // Not handed on: the library's errors carry the answer, tokens included.
    throw incomplete(issuer);
  }
}

const CLIENT = { client_id: CLIENT_ID };

function serverOf(issuer: string) {
  return { issuer, token_endpoint: issuerEndpoints(issuer).token };
}

function incomplete(issuer: string): Failure {
  return new Failure(
    `${issuer} answered the sign-in without a refresh token or without an access token.`,
    "Start the login again.",
  );
}
