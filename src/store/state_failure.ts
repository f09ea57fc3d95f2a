/**
 * What can be wrong with `state.db`, as sentences with a fix.
 *
 * @module
 */
import { dirname } from "node:path";
import { errorCode, Failure, messageOf } from "../platform/failure.ts";
import { type FileSystem, isReadOnlyMount } from "../platform/files.ts";
import { READ_ONLY_FIX } from "../platform/save_file.ts";

/** How long a statement waits for another process's lock, in milliseconds. */
export const BUSY_MS = 5_000;

/** `state.db` cannot be used now. Accounts can be read all the same. */
export class StateUnusable extends Failure {}

// Deno's errors carry a code only sometimes, so SQLite's texts decide; they are
// the same in every runtime (sqlite3ErrStr in SQLite's main.c).

/** Whether a database file is damaged, or is none at all. */
export function isDamaged(error: unknown): boolean {
  return /file is not a database|disk image is malformed/.test(messageOf(error));
}

/** Whether another process holds the lock. */
export function isBusy(error: unknown): boolean {
  return /database (table )?is locked|locking protocol/.test(messageOf(error));
}

/** Whether SQLite has thrown it. */
export function isSqlite(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof Failure) return false;
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && /SQLITE/.test(code);
}

/** What SQLite or the system says about `state.db`, as a sentence with a fix. */
export function asFailure(error: unknown, path: string, files: FileSystem): Failure {
  if (error instanceof Failure) return error;
  const text = messageOf(error);
  const failure = (message: string, fix: string) =>
    Object.assign(new StateUnusable(message, fix), { cause: error });
  if (/disk is full|ENOSPC/.test(text)) {
    return failure(`There is no space left to write ${path}.`, "Free some space and try again.");
  }
  if (isBusy(error)) {
    return failure(
      `${path} has been in use by another process for ${BUSY_MS / 1000} s.`,
      "Try again; if it stays so, end the opencode-multi-auth or OpenCode process that hangs.",
    );
  }
  const unwritable = /readonly database|unable to open|disk I\/O error|EROFS/.test(text);
  // SQLite does not tell it from missing rights.
  if (unwritable && (errorCode(error) === "EROFS" || isReadOnlyMount(dirname(path), files))) {
    return failure(`${path} cannot be written (EROFS).`, READ_ONLY_FIX);
  }
  if (/readonly database|unable to open|EACCES|EPERM/.test(text)) {
    return failure(
      `${path} cannot be written (${text}).`,
      `Make it and its folder writable: chmod 700 "${dirname(path)}"; chmod 600 "${path}"`,
    );
  }
  // A full disk has no room for the memory that SQLite's processes share.
  if (/disk I\/O error/.test(text)) {
    return failure(
      `${path} cannot be used (${text}).`,
      `Its disk may be full: free some space in ${dirname(path)} and try again.`,
    );
  }
  return failure(`${path} cannot be used (${text}).`, "Move it away; a new one will be made.");
}
