/**
 * Exports: accounts in a file of their own, for another machine or for safe keeping.
 *
 * @module
 */
import type { Account } from "../account/account.ts";
import { Failure } from "../platform/failure.ts";
import { asObject, asText, type JsonObject } from "../platform/json.ts";
import { type Entry, readEntry, writeEntry } from "./account_entry.ts";
import { deriveKey, newKeyParameters, sealText } from "./seal.ts";
import type { Store } from "./store.ts";

/** What an export calls itself, sealed or not. */
export const EXPORT_FORMAT = "opencode-multi-auth export";
/** The version of exports that this program writes. */
export const EXPORT_VERSION = 1;

/** Accounts as they may leave this machine. */
export interface Exportable {
  readonly accounts: readonly Account[];
  /** Aliases of accounts whose refresh token may be consumed; they go as "needs login". */
  readonly interrupted: readonly string[];
}

/**
 * The accounts of a store. One whose refresh was begun and has not ended is marked: the other
 * machine does not know of that refresh and would send the token a second time.
 *
 * @param now Epoch milliseconds.
 */
export async function accountsToExport(store: Store, now: number): Promise<Exportable> {
  const { accounts } = await store.load();
  const marked: Account[] = [];
  const interrupted: string[] = [];
  for (const account of accounts) {
    const open = await store.openRefresh(account.id) !== undefined;
    if (open) interrupted.push(account.alias);
    const reason = await store.refreshRefused(account.id)
      ? "needs login"
      : "needs login (refresh interrupted)";
    marked.push(
      open && account.setAside === undefined
        ? { ...account, setAside: { at: now, reason } }
        : account,
    );
  }
  return { accounts: marked, interrupted };
}

/**
 * An export's text, in plain: it holds tokens.
 *
 * @param now Epoch milliseconds.
 */
export function writeExport(accounts: readonly Account[], now: number): string {
  return textOf({
    format: EXPORT_FORMAT,
    version: EXPORT_VERSION,
    exportedAt: new Date(now).toISOString(),
    // A list, so that the order stays and an alias may be any text.
    accounts: accounts.map((account) => ({ alias: account.alias, ...writeEntry(account, {}) })),
  });
}

/** Seals an export's text under a passphrase of its own, with the key cost of a store. Takes about half a second. */
export async function sealExport(text: string, passphrase: string): Promise<string> {
  const parameters = newKeyParameters();
  const key = await deriveKey(passphrase, parameters);
  const { version: _envelope, ...envelope } = JSON.parse(sealText(text, parameters, key));
  return textOf({ format: EXPORT_FORMAT, version: EXPORT_VERSION, ...envelope });
}

/** Whether a file's JSON is an export, sealed or not. */
export function isExport(json: unknown): json is JsonObject {
  return asObject(json)?.["format"] === EXPORT_FORMAT;
}

/**
 * The accounts in an export that is not sealed (any more).
 *
 * @param now Epoch milliseconds, for marks without a time.
 * @throws {Failure} when it is of a newer version, or damaged.
 */
export function readExport(json: JsonObject, now: number): readonly Entry[] {
  const { version, accounts } = json;
  if (typeof version === "number" && version > EXPORT_VERSION) {
    throw new Failure(
      `The export has version ${version}, which is newer than this program.`,
      "Update opencode-multi-auth; nothing was changed.",
    );
  }
  if (version !== EXPORT_VERSION || !Array.isArray(accounts)) {
    throw new Failure(
      "The export is damaged: it holds no list of accounts.",
      "Export again on the other machine; nothing was changed.",
    );
  }
  const taken = new Set<string>();
  return accounts.map((raw: unknown, index) => readEntry(aliasIn(raw, index), raw, taken, now));
}

function aliasIn(raw: unknown, index: number): string {
  return asText(asObject(raw)?.["alias"]) || `account ${index + 1}`;
}

function textOf(json: unknown): string {
  return `${JSON.stringify(json, null, 2)}\n`;
}
