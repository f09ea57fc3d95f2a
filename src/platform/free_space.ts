import { statfsSync } from "node:fs";

/** What an account, its copy and SQLite's files need at least, in bytes. */
export const ROOM_BYTES = 256 * 1024;

/** How many bytes may still be written where a path lies; no bound where the system cannot tell. */
export function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}
