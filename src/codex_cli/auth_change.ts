import { dirname, join } from "node:path";
import type { Clock } from "../platform/clock.ts";
import { errorCode, Failure, messageOf } from "../platform/failure.ts";
import {
  type FileSystem,
  followLink,
  statIfExists,
  temporaryOwner,
  writeFileAtomic,
} from "../platform/files.ts";
import type { JsonObject } from "../platform/json.ts";
import { runtime } from "../platform/runtime.ts";
import { isAlive, removeQuietly } from "../store/accounts_copies.ts";
import { type AuthReading, readAuthFile, readWholeAuthFile } from "./auth_file.ts";
import type { Lock } from "./auth_lock.ts";

/** What it takes to change an `auth.json`. */
export interface AuthPlace {
  /** As the Codex CLI spells it. */
  readonly path: string;
  readonly files: FileSystem;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly lock: Lock;
}

/** How often a change begins anew because somebody without a lock came between. */
const TRIES = 5;

/**
 * Changes the Codex CLI's `auth.json` as Codex does: both locks, the whole file read, the new one
 * written beside it and put in its place (0600). A symlink is followed and kept.
 *
 * @param change Says what is to stand there; undefined leaves it as it is. May be asked again.
 * @returns Whether something was written.
 * @throws {Failure} when the file cannot be written, or a lock is never free.
 */
export async function changeAuthFile(
  { path, files, clock, random, lock }: AuthPlace,
  change: (reading: AuthReading) => Promise<JsonObject | undefined>,
): Promise<boolean> {
  let release: (() => Promise<void>) | undefined;
  try {
    const real = followLink(path, files);
    for (const folder of new Set([dirname(path), dirname(real)])) {
      if (!statIfExists(folder, files)) files.mkdir(folder, 0o700);
    }
    const locks = [join(dirname(path), "auth.lock"), `${real}.lock`];
    // The modes that Codex gives them.
    create(locks[0] ?? "", 0o644, files);
    create(locks[1] ?? "", 0o600, files);
    release = await lock(locks);
    removeLeftovers(real, files);
    for (let attempt = 1;; attempt++) {
      const before = await readWholeAuthFile(path, { files, clock });
      const json = await change(before);
      if (json === undefined) return false;
      const check = () => {
        if (!same(before, readAuthFile(path, files))) throw new Overtaken();
      };
      try {
        const text = JSON.stringify(json, null, 2);
        writeFileAtomic(real, text, { files, clock, random, check });
        return true;
      } catch (error) {
        if (!(error instanceof Overtaken) || attempt === TRIES) throw error;
      }
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(
      `${path} cannot be written (${errorCode(error) ?? messageOf(error)}).`,
      "Check its folder's rights and the space on the disk.",
    );
  } finally {
    await release?.();
  }
}

/** Somebody has written the file meanwhile. */
class Overtaken extends Error {
  constructor() {
    super("another program keeps writing it");
  }
}

function same(a: AuthReading, b: AuthReading): boolean {
  const text = (reading: AuthReading) => "text" in reading ? reading.text : undefined;
  return a.path === b.path && a.kind === b.kind && text(a) === text(b);
}

function create(path: string, mode: number, files: FileSystem): void {
  files.close(files.open(path, "a", mode));
}

/** Temporary files of processes that were killed while they wrote: tokens lie in them. */
function removeLeftovers(path: string, files: FileSystem): void {
  try {
    for (const name of files.list(dirname(path))) {
      const pid = temporaryOwner(path, name);
      if (pid !== undefined && pid !== runtime.pid && !isAlive(pid)) {
        removeQuietly(join(dirname(path), name), files);
      }
    }
  } catch {
    // A folder that cannot be listed holds nothing that we could remove.
  }
}
