/**
 * Looking at the store without changing it. Reading it the usual way mends file modes, and SQLite makes
 * files beside a database that it only reads; so `accounts.json` is read through a file system that
 * takes no change, and `state.db` from a copy.
 *
 * @module
 */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../platform/failure.ts";
import { type FileSystem, statIfExists } from "../platform/files.ts";
import { runtime } from "../platform/runtime.ts";
import { openLocalStore } from "../store/local.ts";
import type { LocalStore } from "../store/local.ts";
import type { Snapshot } from "../store/store.ts";
import type { Look } from "./check.ts";
import type { Surroundings } from "./surroundings.ts";

/** The store as it lies there. */
export interface Seen {
  readonly store: LocalStore;
  readonly snapshot: Snapshot;
  /** The file system as it is looked at: it takes no change. */
  readonly files: FileSystem;
  /** What the store says a person should know, with the real paths. */
  readonly warnings: readonly string[];
}

/** How often a copy is begun anew because the database was written meanwhile. */
const TRIES = 5;

/** Looks at the store, which is opened at the first look. */
export type See = <T>(use: (seen: Seen) => Promise<T> | T) => Promise<T>;

/** The store for several checks: a passphrase is asked for once, and its key made once. */
export interface Sight {
  /** @throws {Failure} when `accounts.json` cannot be read. */
  readonly see: See;
  /** Lets go of it. Waits for nobody who still looks. */
  close(): Promise<void>;
}

/** Prepares to look at the store. */
export function storeSight(surroundings: Surroundings): Sight {
  let opening: Promise<Seen & { close(): Promise<void> }> | undefined;
  let opened = false;
  return {
    async see(use) {
      opening ??= open(surroundings).finally(() => opened = true);
      return await use(await opening);
    },
    async close() {
      const closed = opening?.then((seen) => seen.close(), () => {});
      // A passphrase command may still wait for its person.
      if (opened) await closed;
    },
  };
}

/**
 * Looks at the store where it can be opened, and finds nothing where it cannot: the check of
 * `accounts.json` says why, once.
 */
export async function lookIfReadable(see: See, use: (seen: Seen) => Promise<Look> | Look) {
  try {
    await see(() => {});
  } catch (error) {
    if (error instanceof Failure) return { findings: [] };
    throw error;
  }
  return await see(use);
}

/**
 * Opens the store for one look.
 *
 * @throws {Failure} when `accounts.json` cannot be read.
 */
export async function lookAtStore<T>(
  surroundings: Surroundings,
  use: (seen: Seen) => Promise<T> | T,
): Promise<T> {
  const sight = storeSight(surroundings);
  try {
    return await sight.see(use);
  } finally {
    await sight.close();
  }
}

async function open(surroundings: Surroundings): Promise<Seen & { close(): Promise<void> }> {
  const { paths, env, clock, random, files, temporary } = surroundings;
  const copy = mkdtempSync(join(temporary, "opencode-multi-auth-doctor-"));
  const remove = () => rmSync(copy, { recursive: true, force: true });
  runtime.once("exit", remove);
  let store: LocalStore | undefined;
  const close = async () => {
    await store?.close().catch(() => {});
    remove();
    runtime.off("exit", remove);
  };
  try {
    const state = join(copy, "state.db");
    copyDatabase(paths.state, state, files);
    const still = lookOnly(files, dirname(paths.state), copy);
    const at = { ...paths, state };
    store = await openLocalStore({ paths: at, env, clock, random, files: still });
    const snapshot = await store.load();
    const warnings = store.warnings.map((text) => text.replaceAll(state, paths.state));
    return { store, snapshot, warnings, files: still, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Copies a database and its log, as they are at one moment. Nothing happens where there is none. */
export function copyDatabase(from: string, to: string, files: FileSystem): void {
  const stamp = () =>
    ["", "-wal"].map((end) => {
      const stat = statIfExists(from + end, files);
      return stat === undefined ? "" : `${stat.ino}/${stat.size}/${stat.mtimeMs}`;
    });
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const before = stamp();
    if (before[0] === "") return;
    for (const [at, end] of ["", "-wal"].entries()) {
      rmSync(to + end, { force: true });
      if (before[at] !== "") copyFileSync(from + end, to + end);
    }
    if (stamp().join() === before.join()) return;
  }
}

/** A file system that takes changes under `copy` only, and answers there for `real` what the place is like. */
function lookOnly(files: FileSystem, real: string, copy: string): FileSystem {
  const inCopy = (path: string) => path === copy || path.startsWith(join(copy, "/"));
  const changing = <Args extends [string, ...unknown[]]>(change: (...args: Args) => void) =>
  (
    ...args: Args
  ) => {
    if (!inCopy(args[0])) throw new Failure(`${args[0]} would be changed by a look.`);
    change(...args);
  };
  return {
    ...files,
    open(path, flags, mode) {
      if (flags !== "r" && !inCopy(path)) throw new Failure(`${path} would be changed by a look.`);
      return files.open(path, flags, mode);
    },
    rename: changing(files.rename),
    unlink: changing(files.unlink),
    mkdir: changing(files.mkdir),
    // A mode that reading would mend is said by a check of its own.
    chmod: (path, mode) => inCopy(path) ? files.chmod(path, mode) : undefined,
    kind: (path) => files.kind(path === copy ? real : path),
  };
}
