/**
 * What stands under `openai` in OpenCode's auth.json.
 *
 * @module
 */
import * as v from "valibot";
import { readClaims } from "../account/claims.ts";
import { identityOf } from "../account/identity.ts";
import type { Newcomer } from "../store/admission.ts";
import { isPlaceholder } from "./placeholder.ts";

const OauthSchema = v.object({
  type: v.literal("oauth"),
  refresh: v.string(),
  access: v.string(),
  expires: v.pipe(v.number(), v.finite()),
  accountId: v.fallback(v.optional(v.string()), undefined),
});

/** What stands under `openai`. */
export type OpenAiEntry =
  | { readonly kind: "none" }
  | { readonly kind: "placeholder" }
  /** A ChatGPT login of OpenCode's own: an account can be made of it. */
  | { readonly kind: "login"; readonly login: Newcomer }
  | { readonly kind: "api key" }
  /** Something OpenCode cannot use, or another program's stand-in. */
  | { readonly kind: "unknown"; readonly type: string };

/** Tells what an entry of auth.json is. `undefined` means that there is none. */
export function readEntry(entry: unknown): OpenAiEntry {
  if (entry === undefined) return { kind: "none" };
  if (isPlaceholder(entry)) return { kind: "placeholder" };
  const parsed = v.safeParse(OauthSchema, entry);
  if (parsed.success) {
    const login = loginOf(parsed.output);
    return login === undefined ? { kind: "unknown", type: "oauth" } : { kind: "login", login };
  }
  const type = v.safeParse(v.object({ type: v.string() }), entry);
  if (!type.success) return { kind: "unknown", type: "none" };
  if (type.output.type === "api") return { kind: "api key" };
  return { kind: "unknown", type: /^[a-z_-]{1,20}$/i.exec(type.output.type)?.[0] ?? "unknown" };
}

function loginOf(entry: v.InferOutput<typeof OauthSchema>): Newcomer | undefined {
  // Another program's stand-in has no tokens, or one word in both places.
  if (entry.refresh === "" || entry.access === "" || entry.refresh === entry.access) {
    return undefined;
  }
  const claims = readClaims(entry.access);
  const identity = identityOf(claims, undefined) ??
    (entry.accountId ? { workspaceId: entry.accountId } : undefined);
  return {
    credentials: {
      accessToken: entry.access,
      refreshToken: entry.refresh,
      expiresAt: claims?.expiresAt ?? entry.expires,
    },
    ...(identity === undefined ? {} : { identity }),
    ...(claims?.email === undefined ? {} : { email: claims.email }),
    ...(claims?.plan === undefined ? {} : { plan: claims.plan }),
  };
}
