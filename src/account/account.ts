import type { Identity } from "./identity.ts";

/** What the issuer gave us for one account. */
export interface Credentials {
  /** What requests carry; lives for some days. */
  readonly accessToken: string;
  /** Renews the access token; single use. */
  readonly refreshToken: string;
  /** Says who the person is; not needed for requests. */
  readonly idToken?: string;
  /** When the access token ends, epoch milliseconds. */
  readonly expiresAt: number;
}

/** Why an account takes no part although the person did not disable it. */
export type SetAsideReason =
  | "needs login"
  | "needs login (refresh interrupted)"
  | "workspace deactivated";

/** One ChatGPT plan of the person. */
export interface Account {
  /** Stable key of this account in `state.db`; survives a rename. */
  readonly id: string;
  /** The person's name for it, unique in the store. */
  readonly alias: string;
  /** The tokens. */
  readonly credentials: Credentials;
  /**
   * Counts every change of the credentials. A writer names the generation it
   * read; an older one never replaces a newer one.
   */
  readonly generation: number;
  /** Unknown for opaque tokens. */
  readonly identity?: Identity;
  /** The person's address, as the issuer or the id token gives it. */
  readonly email?: string;
  /** The plan as the backend names it (`plus`, `pro`, `team`, …); may be stale until the next refresh. */
  readonly plan?: string;
  /** False when the person has switched it off. */
  readonly enabled: boolean;
  /** When and why it was disabled, if it is. Epoch milliseconds. */
  readonly disabled?: { readonly at: number; readonly reason?: string };
  /** Set by us when the account cannot serve until the person acts. Epoch milliseconds. */
  readonly setAside?: { readonly at: number; readonly reason: SetAsideReason };
  /** When it was added, epoch milliseconds. */
  readonly addedAt?: number;
  /** When its tokens were last renewed, epoch milliseconds. */
  readonly refreshedAt?: number;
  /** The person's own words for finding accounts. */
  readonly tags: readonly string[];
  /** The person's own remarks. */
  readonly notes: string;
  /** Where the tokens came from. */
  readonly source: "login" | "opencode" | "codex" | "import";
}

/**
 * Whether `now` has newer tokens than `known`: they were renewed since, or the account was removed and added again,
 * which begins its generations anew.
 */
export function isRenewed(known: Account, now: Account): boolean {
  return now.generation > known.generation || now.addedAt !== known.addedAt;
}

/** Whether `now` has older tokens than `known`, as a file that new ones could not be saved in. */
export function isOlder(now: Account, known: Account): boolean {
  return now.generation < known.generation && !isRenewed(known, now);
}

/** Whether the person and we ourselves let this account serve at all (blocks apart). */
export function mayServe(account: Account): boolean {
  return account.enabled && account.setAside === undefined;
}
