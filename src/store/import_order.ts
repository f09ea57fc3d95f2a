/**
 * Which of two accounts is which, and whose tokens are newer: what an import decides by.
 *
 * @module
 */
import type { Account } from "../account/account.ts";
import { type Identity, sameIdentity } from "../account/identity.ts";
import { asNumber, asObject } from "../platform/json.ts";

/** What an import compares. */
export interface Compared {
  readonly account: Account;
  /** Whether id and generation were given by this program, on whatever machine. */
  readonly ours: boolean;
}

/**
 * Whether two accounts are certainly the same seat. The identity decides. Where a token does not
 * name the member, the email within one workspace does, else the id together with the moment
 * when it was given. An alias proves nothing.
 */
export function sameSeat(a: Compared, b: Compared): boolean {
  if (a.account.credentials.refreshToken === b.account.credentials.refreshToken) return true;
  const [one, other] = [a.account.identity, b.account.identity];
  if (one && other) {
    if (one.workspaceId !== other.workspaceId) return false;
    if (areComparable(one, other)) return sameIdentity(one, other);
    const { email } = a.account;
    if (email !== undefined && b.account.email !== undefined) return email === b.account.email;
  }
  return a.ours && b.ours && a.account.id === b.account.id && a.account.addedAt !== undefined &&
    a.account.addedAt === b.account.addedAt;
}

/** Whether two accounts are certainly two seats; opaque tokens may leave both questions open. */
export function differentSeats(a: Account, b: Account): boolean {
  if (a.email !== undefined && b.email !== undefined && a.email !== b.email) return true;
  const [one, other] = [a.identity, b.identity];
  if (!one || !other) return false;
  if (one.workspaceId !== other.workspaceId) return true;
  return areComparable(one, other) && !sameIdentity(one, other);
}

function areComparable(a: Identity, b: Identity): boolean {
  return (a.memberId !== undefined && b.memberId !== undefined) ||
    (a.userId !== undefined && b.userId !== undefined);
}

/**
 * Compares the tokens of one seat. The issuer's own stamp comes first: a token that was issued
 * later is never superseded by one that was issued before, whoever counted generations meanwhile
 * on which machine. Then generations, where both were counted by us under the same id, then the
 * end of the access token, then the last refresh.
 *
 * @returns Above zero when b's tokens are newer, below when a's are, zero when nothing tells.
 */
export function compareTokens(a: Compared, b: Compared): number {
  const counted = a.ours && b.ours && a.account.id === b.account.id;
  const pairs = [
    [issuedAt(a.account), issuedAt(b.account)],
    counted ? [a.account.generation, b.account.generation] : [],
    [a.account.credentials.expiresAt, b.account.credentials.expiresAt],
    [a.account.refreshedAt, b.account.refreshedAt],
  ];
  for (const [one, other] of pairs) {
    if (one !== undefined && other !== undefined && one !== other) return other - one;
  }
  return 0;
}

/** When the access token was issued, in epoch seconds; undefined for an opaque one. */
function issuedAt({ credentials }: Account): number | undefined {
  const part = credentials.accessToken.split(".")[1];
  if (!part) return undefined;
  try {
    // The claim is a number: what atob makes of other letters does not matter.
    const claims: unknown = JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/")));
    return asNumber(asObject(claims)?.["iat"]);
  } catch {
    return undefined;
  }
}
