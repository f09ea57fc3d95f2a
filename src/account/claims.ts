import * as v from "valibot";

/** The namespace of OpenAI's claims about the ChatGPT plan. */
const AUTH = "https://api.openai.com/auth";
/** The namespace of the profile in access tokens. */
const PROFILE = "https://api.openai.com/profile";

const text = v.fallback(v.optional(v.pipe(v.string(), v.minLength(1))), undefined);

// Every field falls back to undefined: a claim that changed its type must not
// cost the person the account.
const ClaimsSchema = v.object({
  exp: v.fallback(v.optional(v.pipe(v.number(), v.finite())), undefined),
  iat: v.fallback(v.optional(v.pipe(v.number(), v.finite())), undefined),
  email: text,
  chatgpt_account_id: text,
  [PROFILE]: v.fallback(v.optional(v.object({ email: text })), undefined),
  [AUTH]: v.fallback(
    v.optional(v.object({
      chatgpt_account_id: text,
      chatgpt_account_user_id: text,
      chatgpt_user_id: text,
      user_id: text,
      chatgpt_plan_type: text,
      chatgpt_compute_residency: text,
      organizations: v.fallback(v.optional(v.array(v.object({ id: text }))), undefined),
    })),
    undefined,
  ),
});

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
  const parsed = v.safeParse(ClaimsSchema, json);
  if (!parsed.success) return undefined;
  const claims = parsed.output;
  const auth = claims[AUTH];
  return {
    ...given("expiresAt", claims.exp === undefined ? undefined : claims.exp * 1000),
    ...given("email", claims.email ?? claims[PROFILE]?.email),
    ...given(
      "workspaceId",
      auth?.chatgpt_account_id ?? claims.chatgpt_account_id ?? auth?.organizations?.[0]?.id,
    ),
    ...given("memberId", auth?.chatgpt_account_user_id),
    ...given("userId", auth?.chatgpt_user_id ?? auth?.user_id),
    ...given("plan", auth?.chatgpt_plan_type),
    ...given(
      "residency",
      auth?.chatgpt_compute_residency === "no_constraint"
        ? undefined
        : auth?.chatgpt_compute_residency,
    ),
  };
}

/** An object with one property, or none when there is no value (for `exactOptionalPropertyTypes`). */
function given<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : { [key]: value } as { [P in K]: T };
}

function base64UrlBytes(text: string): Uint8Array {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
