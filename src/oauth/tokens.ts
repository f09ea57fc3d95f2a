import type { Credentials } from "../account/account.ts";
import { type Claims, readClaims } from "../account/claims.ts";
import { type Identity, identityOf } from "../account/identity.ts";
import type { JsonObject } from "./error_code.ts";

/** Fresh credentials and what the tokens say about the account. */
export interface Tokens {
  readonly credentials: Credentials;
  /** Unknown for opaque tokens. */
  readonly identity?: Identity;
  readonly email?: string;
  /** The plan as the issuer names it. */
  readonly plan?: string;
}

/**
 * Life of an access token that does not say how long it lives, in milliseconds:
 * 8 days, after which the Codex CLI renews an opaque token.
 */
const OPAQUE_LIFE_MS = 8 * 86_400_000;

/** The last moment that a `Date` can name, epoch milliseconds. */
const LAST_MOMENT = 8.64e15;

/**
 * Reads an answer of the token endpoint. What it leaves out stays as it was.
 *
 * @param now Epoch milliseconds; an answer may give its end relative to now.
 * @param previous The credentials before it, if there were any.
 * @returns undefined when it gives no new token, or when one is missing at the end.
 */
export function readTokens(
  answer: JsonObject,
  now: number,
  previous?: Credentials,
): Tokens | undefined {
  const given = {
    access: text(answer["access_token"]),
    refresh: text(answer["refresh_token"]),
    id: text(answer["id_token"]),
  };
  const accessToken = given.access ?? previous?.accessToken;
  const refreshToken = given.refresh ?? previous?.refreshToken;
  const idToken = given.id ?? previous?.idToken;
  const renewed = given.access !== undefined || given.refresh !== undefined;
  if (!renewed || accessToken === undefined || refreshToken === undefined) return undefined;
  const expiresAt = given.access === undefined && previous !== undefined
    ? previous.expiresAt
    : endOf(readClaims(given.access), readClaims(given.id), answer["expires_in"], now);
  return {
    credentials: {
      accessToken,
      refreshToken,
      ...(idToken === undefined ? {} : { idToken }),
      expiresAt,
    },
    ...describe(readClaims(accessToken), readClaims(idToken)),
  };
}

/** What a pair of tokens says about its account. The id token knows the email best, the access token the rest. */
function describe(access: Claims | undefined, id: Claims | undefined): Omit<Tokens, "credentials"> {
  const identity = identityOf(access, id);
  const email = id?.email ?? access?.email;
  const plan = access?.plan ?? id?.plan;
  return {
    ...(identity === undefined ? {} : { identity }),
    ...(email === undefined ? {} : { email }),
    ...(plan === undefined ? {} : { plan }),
  };
}

/** The access token's own end, else the id token's, else `expires_in` seconds from now. */
function endOf(
  access: Claims | undefined,
  id: Claims | undefined,
  expiresIn: unknown,
  now: number,
): number {
  const seconds = typeof expiresIn === "string" ? Number.parseFloat(expiresIn) : expiresIn;
  const relative = typeof seconds === "number" && seconds > 0
    ? now + seconds * 1000
    : now + OPAQUE_LIFE_MS;
  return Math.min(access?.expiresAt ?? id?.expiresAt ?? relative, LAST_MOMENT);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}
