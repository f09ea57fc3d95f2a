/**
 * `accounts.json` as text: version 3, and versions 1 and 2 of the projects
 * before us for reading.
 *
 * @module
 */
import { printable } from "../account/alias.ts";
import { asObject, type JsonObject } from "../platform/json.ts";
import { type Entry, readEntry, writeEntry } from "./account_entry.ts";

/** The version of the file that this program writes. */
export const FILE_VERSION = 3;

/** Largest file that is read or written, in bytes: more than a thousand accounts. Anything larger is not ours. */
export const MAX_FILE_BYTES = 8 * 1024 * 1024;

/** A file's content. */
export interface Document {
  /** 1, 2 or 3. */
  readonly version: number;
  /** Everything at the top but the accounts. */
  readonly top: JsonObject;
  /** In the person's order. */
  readonly entries: readonly Entry[];
}

/** What a file holds before the first account. */
export const EMPTY_DOCUMENT: Document = { version: FILE_VERSION, top: {}, entries: [] };

/** Fields at the top of the older formats; `state.db` and `settings.json` have taken them over. */
const OLDER_TOP: readonly string[] = [
  "activeAlias",
  "rotationIndex",
  "lastRotation",
  "forcedAlias",
  "forcedUntil",
  "previousRotationStrategy",
  "forcedBy",
  "force",
  "rotationStrategy",
  "settings",
];
/** What we write at the top ourselves. */
const OUR_TOP: readonly string[] = ["version", "order", "accounts"];

/**
 * Reads a file's JSON.
 *
 * @param content The file, parsed.
 * @param now Epoch milliseconds, for marks without a time.
 * @returns What is wrong, in words that follow the file's name, if it is no file of ours.
 */
export function readDocument(
  content: unknown,
  now: number,
): Document | { readonly wrong: string; readonly newer?: boolean } {
  const json = asObject(content);
  if (!json) return { wrong: "is not a JSON object" };
  const { version = 1, order } = json;
  if (version !== 1 && version !== 2 && version !== FILE_VERSION) {
    return typeof version === "number" && version > FILE_VERSION
      ? { wrong: `has version ${version}, which is newer than this program`, newer: true }
      : { wrong: `has a version that is not 1, 2 or 3` };
  }
  const accounts = asObject(json["accounts"]);
  if (!accounts) return { wrong: `has no object "accounts"` };
  const taken = new Set<string>();
  const entries = inOrder(Object.entries(accounts), order)
    .map(([alias, raw]) => readEntry(alias, raw, taken, now));
  const top = Object.fromEntries(
    Object.entries(json).filter(([name]) => !OUR_TOP.includes(name)),
  );
  return { version, top, entries };
}

/** The text of a file with these entries. Entries that are as they should be are written as they were read. */
export function writeDocument(document: Document): string {
  const upToDate = document.version === FILE_VERSION;
  const pairs = document.entries.map(({ alias, raw, account }) => {
    const asRead = !account || (upToDate && asObject(raw)?.["id"] === account.id);
    return [alias, asRead ? raw : writeEntry(account, raw)] as const;
  });
  // From entries, so that an account named `__proto__` stays an account.
  const accounts = Object.fromEntries(pairs);
  const order = pairs.map(([alias]) => alias);
  const kept = Object.entries(document.top)
    .filter(([name]) => !OUR_TOP.includes(name) && (upToDate || !OLDER_TOP.includes(name)));
  const text = Object.fromEntries([
    ["version", FILE_VERSION],
    ...kept,
    // JavaScript puts names that look like numbers first, whatever the file says.
    ...(Object.keys(accounts).some((alias, index) => alias !== order[index])
      ? [["order", order] as const]
      : []),
    ["accounts", accounts],
  ]);
  return `${JSON.stringify(text, null, 2)}\n`;
}

/** What is wrong with single accounts, for a person. */
export function entryProblems(path: string, entries: readonly Entry[]): string[] {
  return entries.flatMap(({ alias, problem }) =>
    problem === undefined
      ? []
      : [`The account "${printable(alias)}" in ${path} is left out: ${problem}.`]
  );
}

function inOrder(
  entries: readonly [string, unknown][],
  order: unknown,
): readonly [string, unknown][] {
  if (!Array.isArray(order)) return entries;
  const rank = new Map(order.map((alias, index) => [alias, index]));
  const last = order.length;
  return entries.toSorted(([a], [b]) => (rank.get(a) ?? last) - (rank.get(b) ?? last));
}
