/**
 * The files beside `accounts.json`: copies of it, ours and the older projects'.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { runtime } from "../platform/runtime.ts";
import { errorCode } from "../platform/failure.ts";
import type { Paths } from "../platform/paths.ts";
import {
  type FileSystem,
  followLink,
  readTextIfExists,
  repairFolder,
  repairMode,
  temporaryOwner,
  writeFileAtomic,
} from "../platform/files.ts";
import { isSealed } from "./seal.ts";

/** Where the last good copy goes when it is all that is left and new accounts begin. */
const LAST_COPY = ".bak.old";
/** Backups kept for the person: of older formats, and of a file that had gone. */
const BACKUPS = [".v1", ".v2", LAST_COPY];
/** Copies that an older project makes at each load; nobody needs them here. */
const STRAY = [".lkg"];

/** Takes `accounts.json`, its copies and its folder away from everybody but their owner, where they are ours. */
export function repairModes({ folder, accounts, accountsBackup }: Paths, files: FileSystem): void {
  try {
    repairFolder(folder, files);
  } catch {
    // A folder that is not ours keeps its mode; `doctor` says so.
  }
  const copies = [...BACKUPS, ...STRAY].map((end) => accounts + end);
  for (const path of [accounts, accountsBackup, ...copies]) repairMode(path, files);
}

/**
 * Sees to it that no plain copy of the accounts stays: backups are sealed,
 * everything else goes.
 *
 * @returns Paths of plain copies that are still there.
 */
export function sealCopies(
  accounts: string,
  files: FileSystem,
  seal: (text: string) => string,
): string[] {
  const strays = [
    ...STRAY.map((end) => accounts + end),
    ...temporaries(accounts, files).map(({ path }) => path),
  ];
  for (const path of strays) removeQuietly(path, files);
  for (const path of BACKUPS.map((end) => accounts + end)) {
    try {
      const text = readTextIfExists(path, files);
      if (text === undefined || isSealedText(text)) continue;
      writeFileAtomic(path, seal(text), { files });
    } catch {
      // Better no backup than a plain one.
      removeQuietly(path, files);
    }
  }
  return [...strays, ...BACKUPS.map((end) => accounts + end)].filter((path) => {
    try {
      const text = readTextIfExists(path, files);
      return text !== undefined && !isSealedText(text);
    } catch {
      return true;
    }
  });
}

/** Keeps a last good copy from being overwritten when `accounts.json` itself has gone. */
export function keepLastCopy(accounts: string, backup: string, files: FileSystem): void {
  try {
    files.rename(backup, accounts + LAST_COPY);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

/** Removes copies that another passphrase has sealed. */
export function removeBackups(accounts: string, files: FileSystem): void {
  for (const end of [...BACKUPS, ...STRAY]) removeQuietly(accounts + end, files);
}

/** Removes temporary files of processes that were killed while they saved. */
export function removeLeftovers(accounts: string, files: FileSystem): void {
  for (const { path, pid } of temporaries(accounts, files)) {
    if (pid !== runtime.pid && !isAlive(pid)) removeQuietly(path, files);
  }
}

/** Removes a file if it is there and can be. */
export function removeQuietly(path: string, files: FileSystem): void {
  try {
    files.unlink(path);
  } catch {
    // Not there, or not ours to remove.
  }
}

/** Whether a process of this machine lives. Unknown counts as alive. */
export function isAlive(pid: number): boolean {
  try {
    runtime.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== "ESRCH";
  }
}

/** Temporary files lie beside the real file and, where that is a symlink's target, beside the link as well. */
function temporaries(accounts: string, files: FileSystem): { path: string; pid: number }[] {
  const found: { path: string; pid: number }[] = [];
  for (const file of new Set([accounts, followLink(accounts, files)])) {
    try {
      for (const name of files.list(dirname(file))) {
        const pid = temporaryOwner(file, name);
        if (pid !== undefined) found.push({ path: join(dirname(file), name), pid });
      }
    } catch {
      // A folder that cannot be listed holds nothing that we could remove.
    }
  }
  return found.filter(({ path }) => basename(path) !== basename(accounts));
}

function isSealedText(text: string): boolean {
  try {
    return isSealed(JSON.parse(text));
  } catch {
    return false;
  }
}
