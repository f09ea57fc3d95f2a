/**
 * Tokens as texts: JSON Web Tokens with the claims of the real ones and no signature.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** The public client that all programs of this family use. */
export const CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann";

/** Whom tokens are about. */
export interface Holder {
  /** The plan's name in the simulator; it is in no token. */
  readonly name: string;
  readonly email: string;
  /** `chatgpt_account_id`. */
  readonly workspaceId: string;
  /** `chatgpt_user_id`. */
  readonly userId: string;
  /** `chatgpt_account_user_id`. */
  readonly accountUserId: string;
  /** `chatgpt_plan_type`. */
  readonly planType: string;
  /** Milliseconds. */
  readonly accessTokenLifetimeMs: number;
}

/** What every token says about itself; times in epoch seconds. */
export interface Stamp {
  readonly iss: string;
  readonly sub: string;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
}

/** An access token with the claims of those in `tests/fixtures/identities.json`. */
export function accessTokenOf(stamp: Stamp, holder: Holder, scope: string): string {
  return unsigned({
    ...stamp,
    nbf: stamp.iat,
    aud: ["https://api.openai.com/v1"],
    client_id: CLIENT_ID,
    scp: scope.split(" "),
    "https://api.openai.com/profile": { email: holder.email, email_verified: true },
    "https://api.openai.com/auth": planClaims(holder),
  });
}

/** An id token with the claims of those in `tests/fixtures/identities.json`. */
export function idTokenOf(stamp: Stamp, holder: Holder): string {
  return unsigned({
    ...stamp,
    aud: [CLIENT_ID],
    email: holder.email,
    email_verified: true,
    auth_provider: "password",
    "https://api.openai.com/auth": {
      ...planClaims(holder),
      groups: [],
      organizations: [
        { id: `org-${holder.workspaceId}`, is_default: true, role: "owner", title: "Personal" },
      ],
    },
  });
}

function planClaims(holder: Holder): Record<string, unknown> {
  return {
    chatgpt_account_id: holder.workspaceId,
    chatgpt_account_user_id: holder.accountUserId,
    chatgpt_compute_residency: "no_constraint",
    chatgpt_plan_type: holder.planType,
    chatgpt_user_id: holder.userId,
    user_id: holder.userId,
  };
}

/** A JWT without a signature: no client of this family checks one. */
function unsigned(claims: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = { alg: "none", typ: "JWT", kid: "simulator-not-signed" };
  return `${part(header)}.${part(claims)}.${Buffer.from("not-a-signature").toString("base64url")}`;
}

/** A JWT's `exp` in epoch milliseconds, or undefined when it cannot be read. */
export function expiryOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(
      Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"),
    );
    const exp = (claims as { exp?: unknown }).exp;
    return typeof exp === "number" ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
