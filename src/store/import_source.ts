/**
 * What files can be imported: our exports, `accounts.json` of every version, a Codex `auth.json`,
 * and lists of such accounts.
 *
 * @module
 */
import type { Account } from "../account/account.ts";
import { Failure } from "../platform/failure.ts";
import { asObject, asText, type JsonObject } from "../platform/json.ts";
import { type Entry, readEntry } from "./account_entry.ts";
import { FILE_VERSION, readDocument } from "./accounts_format.ts";
import { foreignIssuer, type LoginContext, readLogin } from "./imported_login.ts";
import { isExport, readExport } from "./transfer.ts";

/** An account that a file offers. */
export interface Candidate {
  /** What the file calls it, if it does. */
  readonly alias?: string;
  /** As the file has it; its own alias is of no account. */
  readonly account: Account;
  /** Whether id and generation were given by this program, on whatever machine. */
  readonly ours: boolean;
}

/** Something in a file that cannot become an account. */
export interface Refusal {
  readonly alias?: string;
  readonly email?: string;
  /** Why, in words that follow a colon. */
  readonly why: string;
}

/** What a file holds, in its order. */
export interface ImportSource {
  /** In words for a person. */
  readonly kind: "export" | "accounts.json" | "Codex auth.json" | "list";
  readonly items: readonly (Candidate | Refusal)[];
}

/** Longest alias that is taken over from a file, in characters; the same that older stores may hold are kept. */
const MAX_ALIAS = 200;

/**
 * Recognises a file's JSON; a sealed one must be opened before.
 *
 * @throws {Failure} when it is none of the files that are known.
 */
export function readImportSource(json: unknown, context: LoginContext): ImportSource {
  if (isExport(json)) {
    const entries = readExport(json, context.now);
    return { kind: "export", items: entries.map((entry) => fromEntry(entry, context, true)) };
  }
  if (Array.isArray(json)) return fromList(json, context);
  const object = asObject(json);
  if (!object) throw unknown();
  const { accounts } = object;
  if (Array.isArray(accounts)) return fromList(accounts, context);
  if (asObject(accounts)) {
    const document = readDocument(object, context.now);
    if ("wrong" in document) {
      throw new Failure(
        `The accounts.json ${document.wrong}.`,
        document.newer ? "Update opencode-multi-auth." : "Mend it, or take a good copy.",
      );
    }
    const ours = document.version === FILE_VERSION;
    const items = document.entries.map((entry) => fromEntry(entry, context, ours));
    return { kind: "accounts.json", items };
  }
  if (isLogin(object)) {
    return { kind: "Codex auth.json", items: [loginItem(object, context, "codex")] };
  }
  const provider = asObject(object["openai"]);
  const lists = provider && accountLists(provider);
  if (lists) return fromList(lists, context);
  if (provider) {
    throw new Failure(
      "This is OpenCode's own auth.json.",
      "Its ChatGPT login becomes an account with: opencode-multi-auth install",
    );
  }
  throw unknown();
}

/** The lists under `openai` in opencode-codex-auth's own file, in one; it keeps them by kind of login. */
function accountLists(provider: JsonObject): readonly unknown[] | undefined {
  const lists = [provider, asObject(provider["native"]), asObject(provider["codex"])]
    .map((place) => place?.["accounts"]).filter((list) => Array.isArray(list));
  return lists.length === 0 ? undefined : lists.flat();
}

function fromList(list: readonly unknown[], context: LoginContext): ImportSource {
  const taken = new Set<string>();
  const items = list.map((value): Candidate | Refusal => {
    const raw = asObject(value);
    if (!raw) return { why: "it is no object" };
    const alias = asText(raw["alias"]);
    // A login says less than an entry, and says it in many ways.
    if (!isEntry(raw)) return loginItem(raw, context, "import", alias);
    const item = fromEntry(readEntry(alias ?? "", raw, taken, context.now), context, false);
    return alias === undefined ? withoutAlias(item) : item;
  });
  return { kind: "list", items };
}

function fromEntry(entry: Entry, context: LoginContext, ours: boolean): Candidate | Refusal {
  const { alias, raw, account, problem } = entry;
  const named = isSpeakable(alias) ? { alias } : {};
  const mail = account?.email === undefined ? {} : { email: account.email };
  if (!account) return { ...named, why: problem ?? "it is no account" };
  const fields = asObject(raw) ?? {};
  const foreign = foreignIssuer(fields, context.issuer);
  if (foreign !== undefined) return { ...named, ...mail, why: foreign };
  const known = ours && asText(fields["id"]) !== undefined;
  return { ...named, account: { ...account, source: "import" }, ours: known };
}

function loginItem(
  raw: JsonObject,
  context: LoginContext,
  source: Account["source"],
  alias?: string,
): Candidate | Refusal {
  const named = alias !== undefined && isSpeakable(alias) ? { alias } : {};
  const login = readLogin(raw, context);
  if ("why" in login) return { ...named, ...login };
  return { ...named, account: { ...login, source }, ours: false };
}

function withoutAlias(item: Candidate | Refusal): Candidate | Refusal {
  const { alias: _alias, ...rest } = item;
  return rest;
}

/** Whether something has what an entry of `accounts.json` must have. */
function isEntry(raw: JsonObject): boolean {
  return typeof raw["accessToken"] === "string" && typeof raw["refreshToken"] === "string" &&
    typeof raw["expiresAt"] === "number";
}

/** Names by which a login of the Codex CLI, in its own form or a flat one, is known. */
const LOGIN_NAMES: readonly string[] = [
  "tokens",
  "auth_mode",
  "OPENAI_API_KEY",
  "access_token",
  "accessToken",
  "access",
];

function isLogin(json: JsonObject): boolean {
  return LOGIN_NAMES.some((name) => Object.hasOwn(json, name));
}

function isSpeakable(alias: string): boolean {
  return alias !== "" && alias.length <= MAX_ALIAS;
}

function unknown(): Failure {
  return new Failure(
    "The file holds no accounts in a form that is known.",
    "Give an export, an accounts.json, a Codex auth.json, or a JSON list of such accounts.",
  );
}
