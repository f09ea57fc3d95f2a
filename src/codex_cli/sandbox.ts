/**
 * A home of its own for the Codex CLI of each account: `~/.codex-multi/<alias>`. Its login has an access
 * token and nothing that could be renewed or revoked; the device's own login is never touched.
 *
 * @module
 */
import { join } from "node:path";
import { parse, stringify, type TomlTable } from "smol-toml";
import type { Account } from "../account/account.ts";
import { readClaims } from "../account/claims.ts";
import { Failure } from "../platform/failure.ts";
import {
  ensurePrivateFolder,
  type FileSystem,
  readTextIfExists,
  statIfExists,
  systemFiles,
  writeFileAtomic,
} from "../platform/files.ts";
import { type Environment, homeFolder, set } from "../platform/paths.ts";
import { builtin, runtime } from "../platform/runtime.ts";

/** Longest name that is kept as it is; file systems take 255 bytes. */
const LONGEST = 200;

/** First line of a `config.toml` that we have copied; without it the file is the person's and stays. */
export const COPIED =
  "# Copied from the Codex CLI's own config.toml before each run. Delete this line to keep your own here.\n";

/**
 * The name of an account's sandbox: its alias, characters outside `[A-Za-z0-9._-]` as `_`.
 *
 * Where two aliases come to the same name, the one that is written so keeps it and the others carry a
 * piece of their alias's hash behind a `~`, which no alias's name can hold.
 *
 * @param aliases All aliases of the store.
 * @param foldCase Whether the file system takes `Work` and `work` for one.
 */
export function sandboxName(
  alias: string,
  aliases: readonly string[],
  foldCase = runtime.platform !== "linux",
): string {
  const plain = plainName(alias);
  const fold = (name: string) => foldCase ? name.toLowerCase() : name;
  const rivals = aliases.filter((one) => one !== alias && fold(plainName(one)) === fold(plain));
  // Exact ones come first, then by the alphabet, so that the order of the store does not matter.
  const rank = (one: string) => `${plainName(one) === one ? 0 : 1}${one}`;
  const first = rivals.every((one) => rank(alias) < rank(one));
  // Nothing but dots is no name of a folder, or the name of another one.
  if (first && !/^\.*$/.test(plain) && plain.length <= LONGEST) return plain;
  return `${plain.slice(0, LONGEST)}~${hash(alias)}`;
}

function plainName(alias: string): string {
  return alias.replace(/[^A-Za-z0-9._-]/gu, "_");
}

function hash(text: string): string {
  return builtin("node:crypto").createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** The folder of an account's sandbox; it may not exist. */
export function sandboxFolder(
  alias: string,
  aliases: readonly string[],
  env: Environment,
): string {
  return join(homeFolder(env), ".codex-multi", sandboxName(alias, aliases));
}

/** Where the login of a sandbox lies. */
export function loginOf(folder: string): string {
  return join(folder, "auth.json");
}

/** The Codex CLI's own home on this device: `CODEX_HOME`, else `~/.codex`. */
export function deviceHome(env: Environment): string {
  return set(env["CODEX_HOME"]) ?? join(homeFolder(env), ".codex");
}

/**
 * Makes an account's sandbox ready: folders of 0700, a login with this access token alone, and a
 * `config.toml`, which is the sandbox's own or else a copy of the device's. A login of another making
 * that lies there is kept beside it.
 *
 * @param now Epoch milliseconds.
 * @returns The folder.
 * @throws {Failure} when it leads to the device's own folder.
 * @throws The system's error when it cannot be written.
 */
export function prepareSandbox(
  account: Account,
  aliases: readonly string[],
  env: Environment,
  now: number,
  files: FileSystem = systemFiles,
): string {
  const folder = sandboxFolder(account.alias, aliases, env);
  ensurePrivateFolder(join(homeFolder(env), ".codex-multi"), files);
  ensurePrivateFolder(folder, files);
  const device = deviceHome(env);
  if (sameFolder(folder, device, files)) {
    throw new Failure(
      `${folder} leads to the Codex CLI's own folder, whose login must stay as it is.`,
      "Remove that link; a folder of its own is made.",
    );
  }
  const path = loginOf(folder);
  // A link would lead to a login that is none of ours.
  if (isLink(path, files)) files.unlink(path);
  // A login of another making may be the only one of its kind.
  else if (statIfExists(path, files) && !isOurs(path, files)) {
    files.rename(path, `${path}.${now}.bak`);
  }
  writeFileAtomic(path, sandboxLogin(account, now), { files });
  copyConfig(folder, device, files);
  return folder;
}

function sameFolder(one: string, other: string, files: FileSystem): boolean {
  try {
    return files.realpath(one) === files.realpath(other);
  } catch {
    return false;
  }
}

function isLink(path: string, files: FileSystem): boolean {
  try {
    return files.lstat(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/**
 * Takes our login out of a sandbox; the rest may stay. A login of another making, one that could be
 * renewed, is left alone. Never throws.
 *
 * @param before Only one that was written before this moment, epoch milliseconds (default: any).
 */
export function clearSandbox(
  folder: string,
  files: FileSystem = systemFiles,
  before = Infinity,
): void {
  const path = loginOf(folder);
  try {
    if (isOurs(path, files) && files.stat(path).mtimeMs < before) files.unlink(path);
  } catch {
    // It is gone, or not ours to change.
  }
}

/** Whether a login is one that {@linkcode sandboxLogin} has written. Never throws. */
function isOurs(path: string, files: FileSystem): boolean {
  try {
    return JSON.parse(readTextIfExists(path, files) ?? "null")?.tokens?.refresh_token === "";
  } catch {
    return false;
  }
}

/** The same for every sandbox of this machine. */
export function clearSandboxes(
  env: Environment,
  files: FileSystem = systemFiles,
  before = Infinity,
): void {
  const folder = join(homeFolder(env), ".codex-multi");
  try {
    for (const name of files.list(folder)) clearSandbox(join(folder, name), files, before);
  } catch {
    // There are none.
  }
}

/**
 * A login that works as long as its access token: with this mode and an empty refresh token Codex
 * neither renews nor revokes nor rewrites it.
 */
export function sandboxLogin(account: Account, now: number): string {
  const { accessToken, idToken } = account.credentials;
  // Codex wants an id token it can read; the access token is as good when we were given none.
  const readable = [idToken, accessToken].find((token) => readClaims(token) !== undefined);
  const login = {
    auth_mode: "chatgptAuthTokens",
    OPENAI_API_KEY: null,
    tokens: {
      id_token: readable ?? unsignedToken(account),
      access_token: accessToken,
      refresh_token: "",
      ...(account.identity ? { account_id: account.identity.workspaceId } : {}),
    },
    last_refresh: new Date(now).toISOString(),
  };
  return `${JSON.stringify(login, null, 2)}\n`;
}

/** What we know of an account with opaque tokens, in the form in which Codex reads it. */
function unsignedToken(account: Account): string {
  const claims = {
    ...(account.email === undefined ? {} : { email: account.email }),
    exp: Math.floor(account.credentials.expiresAt / 1000),
    "https://api.openai.com/auth": {
      chatgpt_account_id: account.identity?.workspaceId,
      chatgpt_user_id: account.identity?.userId,
      chatgpt_plan_type: account.plan,
    },
  };
  const part = (value: unknown) =>
    btoa(
      String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value))),
    ).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.none`;
}

/** The sandbox's own `config.toml` stays; a copy of ours follows the device's. */
function copyConfig(folder: string, device: string, files: FileSystem): void {
  const path = join(folder, "config.toml");
  const here = readTextIfExists(path, files);
  if (here !== undefined && !here.startsWith(COPIED)) return;
  const theirs = readTextIfExists(join(device, "config.toml"), files);
  if (theirs !== undefined) {
    const copy = COPIED + withoutPrograms(theirs);
    if (here !== copy) writeFileAtomic(path, copy, { files });
  } else if (here !== undefined) {
    files.unlink(path);
  }
}

/** Settings that make Codex start programs of the person's, which a question about limits does not need. */
const PROGRAMS = ["mcp_servers", "hooks"];

/** A `config.toml` without the settings that start programs. One that is not TOML stays: Codex says what is wrong. */
export function withoutPrograms(config: string): string {
  let settings: TomlTable;
  try {
    settings = parse(config, { integersAsBigInt: true });
  } catch {
    return config;
  }
  const kept = Object.entries(settings).filter(([name]) => !PROGRAMS.includes(name));
  return kept.length === Object.keys(settings).length
    ? config
    : stringify(Object.fromEntries(kept), { numbersAsFloat: true });
}
