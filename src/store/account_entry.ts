/**
 * One account as `accounts.json` has it: flat, with the field names of the
 * projects before us, so that a person finds what they know.
 *
 * @module
 */
import * as v from "valibot";
import type { Account, SetAsideReason } from "../account/account.ts";
import { readClaims } from "../account/claims.ts";
import { type Identity, identityOf } from "../account/identity.ts";
import { accountId } from "./admission.ts";

/** An object read from JSON. */
export type JsonObject = { readonly [name: string]: unknown };

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

const token = v.pipe(v.string("must be text"), v.nonEmpty("must not be empty"));
const text = v.nullish(v.string("must be text"));
const time = v.nullish(v.pipe(v.number("must be a number"), v.finite("must be a number")));

const EntrySchema = v.object({
  accessToken: token,
  refreshToken: token,
  idToken: text,
  expiresAt: v.pipe(
    v.number("must be a number of milliseconds"),
    v.finite("must be a number of milliseconds"),
  ),
  accountId: text,
  accountUserId: text,
  userId: text,
  email: text,
  planType: text,
  enabled: v.nullish(v.boolean("must be true or false")),
  disabledAt: time,
  disableReason: text,
  tags: v.nullish(v.array(v.string("must be text"), "must be a list of texts")),
  notes: text,
  source: text,
  lastRefresh: text,
  id: v.nullish(token),
  generation: v.nullish(
    v.pipe(
      v.number("must be a number"),
      v.integer("must be a whole number"),
      v.minValue(0, "must not be negative"),
    ),
  ),
  addedAt: time,
  setAsideAt: time,
  setAsideReason: v.nullish(v.picklist(REASONS, `must be one of ${REASONS.join(", ")}`)),
  // Older projects.
  authInvalid: v.fallback(v.nullish(v.boolean()), undefined),
  authInvalidatedAt: v.fallback(time, undefined),
}, "must be an object");

/** Fields that we write; everything else in an entry belongs to somebody else and stays. */
const OURS: readonly string[] = Object.keys(EntrySchema.entries);

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
  // valibot takes a list for an object.
  if (Array.isArray(raw)) return { alias, raw, problem: "it must be an object" };
  const parsed = v.safeParse(EntrySchema, raw);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    const field = v.getDotPath(issue);
    // valibot says "Invalid key" for a missing one, and would show what it received.
    const missing = issue.received === "undefined";
    const problem = missing ? "is missing" : issue.message;
    return { alias, raw, problem: `${field ?? "it"} ${problem}` };
  }
  const entry = parsed.output;
  const identity = entryIdentity(entry);
  const id = freeId(alias, entry.id ?? undefined, identity, taken);
  taken.add(id);
  const refreshedAt = entry.lastRefresh ? Date.parse(entry.lastRefresh) : NaN;
  const setAside = entry.setAsideReason
    ? { at: entry.setAsideAt ?? now, reason: entry.setAsideReason }
    : entry.authInvalid
    ? { at: entry.authInvalidatedAt ?? now, reason: "needs login" as const }
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
  const kept = typeof raw === "object" && raw !== null && !Array.isArray(raw)
    ? Object.entries(raw).filter(([name]) => !OURS.includes(name) && !CARRIED_OVER.includes(name))
    : [];
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
function entryIdentity(entry: {
  readonly accessToken: string;
  readonly idToken?: string | null | undefined;
  readonly accountId?: string | null | undefined;
  readonly accountUserId?: string | null | undefined;
  readonly userId?: string | null | undefined;
}): Identity | undefined {
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

/** An object with one property, or none when there is no value (for `exactOptionalPropertyTypes`). */
export function given<K extends string, T>(
  key: K,
  value: T | null | undefined | "",
): { [P in K]?: T } {
  return value === undefined || value === null || value === ""
    ? {}
    : { [key]: value } as { [P in K]: T };
}
