import type { Account } from "../account/account.ts";
import type { JsonObject } from "../platform/json.ts";
import { holdsApiKey, type LoginContext, readLogin } from "../store/imported_login.ts";

/** Why an `auth.json` offers no login of ours. */
export interface NoLogin {
  /** In words that follow a colon. */
  readonly why: string;
  readonly email?: string;
  /** Whether Codex works with an API key. */
  readonly apiKey: boolean;
}

/**
 * The ChatGPT login that Codex uses by this `auth.json`. Tokens that lie beside an API key which the
 * file says to use are none: nobody renews them, and nobody waits for new ones.
 */
export function loginIn(json: JsonObject, context: LoginContext): Account | NoLogin {
  if (json["auth_mode"] === "apikey") {
    return { why: "it holds an API key and no ChatGPT login", apiKey: true };
  }
  const login = readLogin(json, context);
  return "why" in login ? { ...login, apiKey: holdsApiKey(json) } : login;
}
