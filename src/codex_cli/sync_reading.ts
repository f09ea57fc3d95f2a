import { printable } from "../account/alias.ts";
import { type FileSystem, repairMode } from "../platform/files.ts";
import { importAccounts } from "../store/import_accounts.ts";
import { DISMISSED, type ImportRow } from "../store/import_plan.ts";
import type { LocalStore } from "../store/local.ts";
import type { AuthReading } from "./auth_file.ts";
import type { SyncOutcome } from "./device.ts";
import { loginIn } from "./login_in.ts";

/** What it takes to take a login over. */
export interface SyncOptions {
  readonly store: LocalStore;
  /** Our issuer, without a slash at the end. */
  readonly issuer: string;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly files: FileSystem;
  /** The person's name for it; with one, a removed account comes back. */
  readonly alias?: string | undefined;
}

/**
 * Takes the login of an `auth.json` into the store: a new account at the end, newer tokens in the
 * place of older ones. Decided where no refresh can come between.
 *
 * @throws {Failure} when the store is locked or cannot be written.
 */
export async function syncReading(
  reading: AuthReading,
  { store, issuer, now, files, alias }: SyncOptions,
): Promise<SyncOutcome> {
  const { path } = reading;
  if (reading.kind === "absent") {
    return { kind: "unchanged", text: `The Codex CLI is not signed in here: there is no ${path}.` };
  }
  if (reading.kind === "unreadable") {
    return { kind: "left", text: `${path} was left alone: ${reading.why}.` };
  }
  repairMode(path, files);
  const login = loginIn(reading.json, { issuer, now });
  if ("why" in login) {
    return {
      kind: "left",
      text: login.apiKey
        ? "The Codex CLI uses an API key; there is no ChatGPT login to take over."
        : `The login in ${path} was left alone: ${login.why}.`,
    };
  }
  const account = { ...login, source: "codex" as const };
  const wish = alias === undefined ? { unasked: true } : { alias };
  const [row] = await importAccounts(store, [{ account, ours: false }], { now, ...wish });
  return row ? outcomeOf(row, path) : { kind: "unchanged", text: "" };
}

function outcomeOf({ action, alias, email, why }: ImportRow, path: string): SyncOutcome {
  const name = `"${printable(alias)}"`;
  const whose = email === undefined ? "" : ` (${printable(email)})`;
  switch (action) {
    case "add":
      return {
        kind: "added",
        alias,
        text: `The Codex CLI's login is now the account ${name}${whose}.`,
      };
    case "update":
      return {
        kind: "updated",
        alias,
        text: `Took the newer tokens of ${name} from the Codex CLI.`,
      };
    case "unchanged":
      return {
        kind: "unchanged",
        alias,
        text: `The Codex CLI and ${name}${whose} hold the same tokens.`,
      };
    case "kept":
      return { kind: "left", alias, text: `The Codex CLI holds another login of ${name}: ${why}.` };
    case "refused":
      return {
        kind: "left",
        text: why === DISMISSED
          ? `The Codex CLI is signed in as ${
            printable(email ?? alias)
          }, which was removed here; to bring it back: opencode-multi-auth sync --alias <alias>`
          : `The login in ${path} was left alone: ${why}.`,
      };
  }
}
