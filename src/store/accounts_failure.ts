/**
 * What can be wrong with `accounts.json`, as sentences with a fix.
 *
 * @module
 */
import { dirname } from "node:path";
import { errorCode, Failure, messageOf } from "../platform/failure.ts";
import { type FileSystem, readTextIfExists } from "../platform/files.ts";
import type { Paths } from "../platform/paths.ts";
import { readDocument } from "./accounts_format.ts";
import { isSealed } from "./seal.ts";

/** The content is no store. Offers the last good copy, if there is one. */
export function damaged({ accounts, accountsBackup }: Paths, files: FileSystem, what: string) {
  return new Failure(
    `${accounts} ${what}; nothing was changed.`,
    isGood(accountsBackup, files)
      ? `Mend it, or take the last good copy: cp "${accountsBackup}" "${accounts}"`
      : "Mend it, or move it away and add your accounts again.",
  );
}

function isGood(path: string, files: FileSystem): boolean {
  try {
    const json: unknown = JSON.parse(readTextIfExists(path, files) ?? "");
    return isSealed(json) || !("wrong" in readDocument(json, 0));
  } catch {
    return false;
  }
}

/** The system does not let us read it. */
export function unreadable(path: string, error: unknown): Failure {
  const code = errorCode(error) ?? messageOf(error);
  if (code === "EISDIR") {
    return new Failure(`${path} is a folder.`, "Move it away; nothing was changed.");
  }
  const fix = code === "ELOOP"
    ? "It is a symlink to itself; remove it."
    : code === "EACCES" || code === "EPERM"
    ? `Give it back to yourself: chmod 700 "${dirname(path)}"; chmod 600 "${path}"`
    : "Check the disk and the folder; nothing was changed.";
  return withCause(new Failure(`${path} cannot be read (${code}).`, fix), error);
}

function withCause(failure: Failure, cause: unknown): Failure {
  return Object.assign(failure, { cause });
}
