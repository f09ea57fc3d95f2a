import { asList, asNumber, asObject, asText, given, type JsonObject } from "../platform/json.ts";

/** The namespace of OpenAI's claims about the ChatGPT plan. */
const AUTH = "https://api.openai.com/auth";
/** The namespace of the profile in access tokens. */
const PROFILE = "https://api.openai.com/profile";

/** What we read from an access token or an id token. */
export interface Claims {
  /** Expiry, epoch milliseconds. */
  readonly expiresAt?: number;
  readonly email?: string;
  /** The workspace (`chatgpt_account_id`). */
  readonly workspaceId?: string;
  /** The member in that workspace (`chatgpt_account_user_id`; newer tokens only). */
  readonly memberId?: string;
  /** The person, the same in every workspace. */
  readonly userId?: string;
  /** The plan, as the backend names it. */
  readonly plan?: string;
  /** Where requests must be computed; absent when the plan has no such constraint. */
  readonly residency?: string;
}

/**
 * Reads a JWT's claims. The signature is not checked: the token comes from the
 * issuer over TLS, or from the person's own files, and only the backend's
 * verdict counts.
 *
 * @returns undefined when the token is not a readable JWT (opaque tokens exist).
 */
export function readClaims(token: string | undefined): Claims | undefined {
  const part = token?.split(".")[1];
  if (!part) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(base64UrlBytes(part)));
  } catch {
    return undefined;
  }
  const claims = asObject(json);
  if (!claims) return undefined;
  // A claim that changed its type must not cost the person the account: it is
  // missing, and the next one is asked.
  const auth = asObject(claims[AUTH]);
  const expires = asNumber(claims["exp"]);
  const residency = text(auth, "chatgpt_compute_residency");
  return {
    ...given("expiresAt", expires === undefined ? undefined : expires * 1000),
    ...given("email", text(claims, "email") ?? text(asObject(claims[PROFILE]), "email")),
    ...given(
      "workspaceId",
      text(auth, "chatgpt_account_id") ?? text(claims, "chatgpt_account_id") ??
        text(asObject(asList(auth?.["organizations"])[0]), "id"),
    ),
    ...given("memberId", text(auth, "chatgpt_account_user_id")),
    ...given("userId", text(auth, "chatgpt_user_id") ?? text(auth, "user_id")),
    ...given("plan", text(auth, "chatgpt_plan_type")),
    ...given("residency", residency === "no_constraint" ? undefined : residency),
  };
}

/** A claim that is text; an empty one says nothing. */
function text(claims: JsonObject | undefined, name: string): string | undefined {
  return asText(claims?.[name]) || undefined;
}

function base64UrlBytes(text: string): Uint8Array {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
