/**
 * One account as `accounts.json` has it: flat, with the field names of the
 * projects before us, so that a person finds what they know.
 *
 * @module
 */
import type { Account, SetAsideReason } from "../account/account.ts";
import { readClaims } from "../account/claims.ts";
import { type Identity, identityOf } from "../account/identity.ts";
import { asNumber, asObject, given, type JsonObject } from "../platform/json.ts";
import { accountId } from "./account_id.ts";

/** One entry of the file: an account, or something that we cannot use and leave as it is. */
export interface Entry {
  readonly alias: string;
  /** As it stands in the file, with fields that we do not know. */
  readonly raw: unknown;
  readonly account?: Account;
  /** What is wrong with it, when it is no account. */
  readonly problem?: string;
}

const REASONS: readonly SetAsideReason[] = [
  "needs login",
  "needs login (refresh interrupted)",
  "workspace deactivated",
];

/** What is wrong with a field's value, in words that follow its name; undefined when it is right. */
type Check = (value: unknown) => string | undefined;

const token: Check = (value) => value === "" ? "must not be empty" : text(value);
const text: Check = (value) => typeof value === "string" ? undefined : "must be text";
const number: Check = (value) => asNumber(value) === undefined ? "must be a number" : undefined;
const absentOr = (check: Check): Check => (value) => value == null ? undefined : check(value);

/** The fields of an entry as the file has them. */
interface Fields {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAt: number;
  readonly idToken?: string | null;
  readonly accountId?: string | null;
  readonly accountUserId?: string | null;
  readonly userId?: string | null;
  readonly email?: string | null;
  readonly planType?: string | null;
  readonly enabled?: boolean | null;
  readonly disabledAt?: number | null;
  readonly disableReason?: string | null;
  readonly tags?: readonly string[] | null;
  readonly notes?: string | null;
  readonly source?: string | null;
  readonly lastRefresh?: string | null;
  readonly id?: string | null;
  readonly generation?: number | null;
  readonly addedAt?: number | null;
  readonly setAsideAt?: number | null;
  readonly setAsideReason?: SetAsideReason | null;
}

/** For each field what it must be; looked at in this order. */
const CHECKS: { readonly [K in keyof Required<Fields>]: Check } = {
  accessToken: token,
  refreshToken: token,
  idToken: absentOr(text),
  expiresAt: (value) => number(value) && "must be a number of milliseconds",
  accountId: absentOr(text),
  accountUserId: absentOr(text),
  userId: absentOr(text),
  email: absentOr(text),
  planType: absentOr(text),
  enabled: absentOr((value) => typeof value === "boolean" ? undefined : "must be true or false"),
  disabledAt: absentOr(number),
  disableReason: absentOr(text),
  tags: absentOr((value) =>
    Array.isArray(value) && !value.some(text) ? undefined : "must be a list of texts"
  ),
  notes: absentOr(text),
  source: absentOr(text),
  lastRefresh: absentOr(text),
  id: absentOr(token),
  generation: absentOr((value) =>
    number(value) ??
      (!Number.isInteger(value)
        ? "must be a whole number"
        : Number(value) < 0
        ? "must not be negative"
        : undefined)
  ),
  addedAt: absentOr(number),
  setAsideAt: absentOr(number),
  setAsideReason: absentOr((value) =>
    REASONS.some((reason) => reason === value) ? undefined : `must be one of ${REASONS.join(", ")}`
  ),
};

/** Fields that we write or have taken over; everything else in an entry belongs to somebody else and stays. */
const OURS: readonly string[] = [...Object.keys(CHECKS), "authInvalid", "authInvalidatedAt"];

/**
 * Fields of the older projects that say nothing any more once `state.db` has
 * taken them over. All other fields that we do not know stay.
 */
export const CARRIED_OVER: readonly string[] = [
  "alias",
  "usageCount",
  "lastUsed",
  "lastSeenAt",
  "lastActiveUntil",
  "rateLimits",
  "rateLimitHistory",
  "rateLimitedUntil",
  "limitStatus",
  "limitError",
  "lastLimitProbeAt",
  "lastLimitErrorAt",
  "limitsConfidence",
  "modelUnsupportedUntil",
  "modelUnsupportedAt",
  "modelUnsupportedModel",
  "modelUnsupportedError",
  "workspaceDeactivatedUntil",
  "workspaceDeactivatedAt",
  "workspaceDeactivatedError",
];

/**
 * Reads one entry.
 *
 * @param taken Ids given to the entries before this one; the id is added.
 * @param now Epoch milliseconds, for marks without a time.
 */
export function readEntry(alias: string, raw: unknown, taken: Set<string>, now: number): Entry {
  const object = asObject(raw);
  if (!object) return { alias, raw, problem: "it must be an object" };
  for (const [field, check] of Object.entries(CHECKS)) {
    const value = object[field];
    const problem = check(value);
    if (problem === undefined) continue;
    return { alias, raw, problem: `${field} ${value === undefined ? "is missing" : problem}` };
  }
  // Every field has passed its check.
  const entry = object as unknown as Fields;
  const identity = entryIdentity(entry);
  const id = freeId(alias, entry.id ?? undefined, identity, taken);
  taken.add(id);
  const refreshedAt = entry.lastRefresh ? Date.parse(entry.lastRefresh) : NaN;
  const setAside = entry.setAsideReason
    ? { at: entry.setAsideAt ?? now, reason: entry.setAsideReason }
    // Older projects.
    : object["authInvalid"] === true
    ? { at: asNumber(object["authInvalidatedAt"]) ?? now, reason: "needs login" as const }
    : undefined;
  const disabled =
    entry.enabled === false && (typeof entry.disabledAt === "number" || entry.disableReason)
      ? { at: entry.disabledAt ?? now, ...given("reason", entry.disableReason) }
      : undefined;
  return {
    alias,
    raw,
    account: {
      id,
      alias,
      credentials: {
        accessToken: entry.accessToken,
        refreshToken: entry.refreshToken,
        ...given("idToken", entry.idToken),
        expiresAt: entry.expiresAt,
      },
      generation: entry.generation ?? 0,
      ...given("identity", identity),
      ...given("email", entry.email),
      ...given("plan", entry.planType),
      enabled: entry.enabled ?? true,
      ...given("disabled", disabled),
      ...given("setAside", setAside),
      ...given("addedAt", entry.addedAt),
      ...(Number.isNaN(refreshedAt) ? {} : { refreshedAt }),
      tags: entry.tags ?? [],
      notes: entry.notes ?? "",
      source: sourceOf(entry.source),
    },
  };
}

/** An account as an entry of the file; fields of `raw` that are not ours stay. */
export function writeEntry(account: Account, raw: unknown): JsonObject {
  const kept = Object.entries(asObject(raw) ?? {})
    .filter(([name]) => !OURS.includes(name) && !CARRIED_OVER.includes(name));
  const { credentials, identity, disabled, setAside } = account;
  const ours = {
    id: account.id,
    email: account.email,
    planType: account.plan,
    enabled: account.enabled,
    disabledAt: disabled?.at,
    disableReason: disabled?.reason,
    setAsideAt: setAside?.at,
    setAsideReason: setAside?.reason,
    tags: account.tags,
    notes: account.notes,
    source: account.source,
    accountId: identity?.workspaceId,
    accountUserId: identity?.memberId,
    userId: identity?.userId,
    addedAt: account.addedAt,
    lastRefresh: account.refreshedAt === undefined
      ? undefined
      : new Date(account.refreshedAt).toISOString(),
    expiresAt: credentials.expiresAt,
    generation: account.generation,
    accessToken: credentials.accessToken,
    refreshToken: credentials.refreshToken,
    idToken: credentials.idToken,
  };
  // From entries, so that a field named `__proto__` stays a field.
  return Object.fromEntries([
    ...Object.entries(ours).filter(([, value]) => value !== undefined),
    ...kept,
  ]);
}

/** The file's own fields decide; a token fills in what they lack, if it is about the same workspace. */
function entryIdentity(entry: Fields): Identity | undefined {
  const { accountUserId, userId } = entry;
  const known = entry.accountId && (accountUserId || userId);
  // Reading claims costs; with a thousand accounts it would show.
  const claimed = known
    ? undefined
    : identityOf(readClaims(entry.accessToken), readClaims(entry.idToken ?? undefined));
  const workspaceId = entry.accountId || claimed?.workspaceId;
  if (!workspaceId) return undefined;
  const same = claimed?.workspaceId === workspaceId ? claimed : undefined;
  return {
    workspaceId,
    ...given("memberId", accountUserId || same?.memberId),
    ...given("userId", userId || same?.userId),
  };
}

/**
 * The entry's id. Where the file gives none, two processes that read it must
 * find the same one, so it follows from the identity, or else from the alias.
 */
function freeId(
  alias: string,
  own: string | undefined,
  identity: Identity | undefined,
  taken: ReadonlySet<string>,
): string {
  const found = own ?? accountId(identity, alias);
  if (!taken.has(found)) return found;
  // The same account a second time, a copy made by hand: it goes by its alias.
  let id = accountId(undefined, alias);
  while (taken.has(id)) id = accountId(undefined, id);
  return id;
}

function sourceOf(text: string | null | undefined): Account["source"] {
  return text === "opencode" || text === "codex" || text === "import" ? text : "login";
}
