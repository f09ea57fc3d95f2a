/**
 * Files written whole or not at all, readable by their owner alone.
 *
 * Everything here is synchronous: what is written is small and rare, and the
 * store writes inside a database transaction that must not wait for anybody.
 *
 * @module
 */
import { basename, dirname, join, resolve } from "node:path";
import { builtin, runtime } from "./runtime.ts";
import { type Clock, systemClock } from "./clock.ts";
import { errorCode } from "./failure.ts";

/** What is known about a file without reading it. */
export interface FileStat {
  /** Bytes. */
  readonly size: number;
  /** Last change of the content, epoch milliseconds with fractions. */
  readonly mtimeMs: number;
  readonly ino: number;
  /** Type and permission bits. */
  readonly mode: number;
  /** The owner's user id; 0 on Windows. */
  readonly uid: number;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** The calls that we make to a file system; tests let each of them fail. */
export interface FileSystem {
  /** The operating system, as `process.platform` names it. */
  readonly platform: string;
  open(path: string, flags: string, mode?: number): number;
  /** @returns How many bytes were written; may be fewer than given. */
  write(file: number, bytes: Uint8Array): number;
  fsync(file: number): void;
  close(file: number): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  mkdir(path: string, mode: number): void;
  chmod(path: string, mode: number): void;
  stat(path: string): FileStat;
  lstat(path: string): FileStat;
  realpath(path: string): string;
  readlink(path: string): string;
  read(path: string): Uint8Array;
  /** What comes after so many bytes. */
  readFrom(path: string, from: number): Uint8Array;
  /** Names in a folder. */
  list(path: string): string[];
  /** The kind of file system that a path lies on, as `statfs(2)` numbers it. */
  kind(path: string): number;
}

/** Loaded late: in OpenCode's Bun its import alone costs milliseconds. */
const fs = () => builtin("node:fs");

/** The machine's own files. */
export const systemFiles: FileSystem = {
  platform: runtime.platform,
  open: (path, flags, mode) => fs().openSync(path, flags, mode),
  write: (file, bytes) => fs().writeSync(file, bytes),
  fsync: (file) => fs().fsyncSync(file),
  close: (file) => fs().closeSync(file),
  rename: (from, to) => fs().renameSync(from, to),
  unlink: (path) => fs().unlinkSync(path),
  mkdir: (path, mode) => void fs().mkdirSync(path, { recursive: true, mode }),
  chmod: (path, mode) => fs().chmodSync(path, mode),
  stat: (path) => fs().statSync(path),
  lstat: (path) => fs().lstatSync(path),
  realpath: (path) => fs().realpathSync(path),
  readlink: (path) => fs().readlinkSync(path),
  read: (path) => fs().readFileSync(path),
  readFrom(path, from) {
    const { closeSync, fstatSync, openSync, readSync } = fs();
    const file = openSync(path, "r");
    try {
      const bytes = new Uint8Array(Math.max(fstatSync(file).size - from, 0));
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from));
    } finally {
      closeSync(file);
    }
  },
  list: (path) => fs().readdirSync(path),
  kind: (path) => Number(fs().statfsSync(path).type),
};

/** How a file is written. */
export interface WriteOptions {
  /** Permission bits of the file (default 0600). */
  readonly mode?: number;
  /** Default: the machine's own. */
  readonly files?: FileSystem;
  /** Tells when {@linkcode RENAME_PATIENCE_MS} is over (default: the machine's clock). */
  readonly clock?: Pick<Clock, "now">;
  /** Spreads the pauses between attempts (default `Math.random`). */
  readonly random?: () => number;
  /** Stands still for that many milliseconds (default: blocks the thread). */
  readonly pause?: (ms: number) => void;
  /** A last look right before the new content takes its place; when it throws, what was there stays. */
  readonly check?: () => void;
}

/**
 * How long a rename is tried on Windows, in milliseconds. Virus scanners and
 * indexers hold fresh files open for a while; graceful-fs, which npm trusts
 * with the same trouble, waits just as long.
 */
export const RENAME_PATIENCE_MS = 60_000;

/** What Windows answers while somebody else has the file open. */
const HELD_OPEN = ["EPERM", "EBUSY", "EACCES"];

/** What a system answers that cannot sync a folder: there is nothing to be done about it. */
const NO_FOLDER_SYNC = ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "EPERM", "EACCES", "EISDIR", "EBADF"];

/**
 * Replaces a file's content: afterwards it holds all of `text`, durably, or
 * what it held before. A symlink is followed and kept. The folder is made
 * (0700) if it is missing.
 *
 * @throws The system's error; the temporary file is gone then.
 */
export function writeFileAtomic(path: string, text: string, options: WriteOptions = {}): void {
  const files = options.files ?? systemFiles;
  const target = followLink(path, files);
  const folder = dirname(target);
  const temporary = temporaryName(target);
  const mode = options.mode ?? 0o600;
  const file = openNew(temporary, mode, files);
  try {
    try {
      // The process's umask may have taken bits away from the mode, never added any.
      writeAll(file, new TextEncoder().encode(text), files);
      files.fsync(file);
    } finally {
      files.close(file);
    }
    options.check?.();
    rename(temporary, target, files, options);
  } catch (error) {
    attempt(() => files.unlink(temporary));
    throw error;
  }
  syncFolder(folder, files);
}

/** The name of a temporary file beside `path`; tells whose it is. */
function temporaryName(path: string): string {
  return join(
    dirname(path),
    `${basename(path)}.tmp-${runtime.pid}-${builtin("node:crypto").randomBytes(6).toString("hex")}`,
  );
}

/** The process id in the name of a temporary file of `path`, ours or an older project's; undefined for other names. */
export function temporaryOwner(path: string, name: string): number | undefined {
  const prefix = `${basename(path)}.tmp-`;
  if (!name.startsWith(prefix)) return undefined;
  const pid = /^\d+/.exec(name.slice(prefix.length))?.[0];
  return pid === undefined ? 0 : Number(pid);
}

/** Where a path leads in the end, also when nothing is there yet. */
export function followLink(path: string, files: FileSystem = systemFiles): string {
  let at = resolve(path);
  for (let depth = 0; depth < 40; depth++) {
    const stat = attempt(() => files.lstat(at));
    if (!stat?.isSymbolicLink()) return at;
    at = resolve(dirname(at), files.readlink(at));
  }
  // A circle: let the system name it.
  return files.realpath(path);
}

function openNew(path: string, mode: number, files: FileSystem): number {
  try {
    return files.open(path, "wx", mode);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    ensurePrivateFolder(dirname(path), files);
    return files.open(path, "wx", mode);
  }
}

function writeAll(file: number, bytes: Uint8Array, files: FileSystem): void {
  for (let done = 0; done < bytes.length;) done += files.write(file, bytes.subarray(done));
}

function rename(from: string, to: string, files: FileSystem, options: WriteOptions): void {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const pause = options.pause ?? standStill;
  const start = clock.now();
  for (;;) {
    try {
      return files.rename(from, to);
    } catch (error) {
      const held = files.platform === "win32" && HELD_OPEN.includes(errorCode(error) ?? "");
      if (!held || clock.now() - start >= RENAME_PATIENCE_MS) throw error;
      pause(10 + Math.floor(random() * 91));
    }
  }
}

/** Stands still for some milliseconds without keeping the processor busy: the thread does nothing else meanwhile. */
export function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function syncFolder(folder: string, files: FileSystem): void {
  let file: number | undefined;
  try {
    file = files.open(folder, "r");
    files.fsync(file);
  } catch (error) {
    if (!NO_FOLDER_SYNC.includes(errorCode(error) ?? "")) throw error;
  } finally {
    if (file !== undefined) files.close(file);
  }
}

/** Makes a folder that its owner alone may enter (0700), and its parents; mends the mode of one that is ours. */
export function ensurePrivateFolder(path: string, files: FileSystem = systemFiles): void {
  files.mkdir(path, 0o700);
  repairFolder(path, files);
}

/** Takes a folder of ours away from everybody but its owner (0700). */
export function repairFolder(path: string, files: FileSystem = systemFiles): void {
  if (files.platform === "win32") return;
  const stat = files.stat(path);
  const own = runtime.getuid?.() === stat.uid;
  if (own && (stat.mode & 0o777) !== 0o700) files.chmod(path, 0o700);
}

/**
 * Whether a folder lies on a file system that is mounted read-only. Its mode is set to what it is, which changes
 * nothing: Deno's `access` looks at modes alone.
 */
export function isReadOnlyMount(folder: string, files: FileSystem = systemFiles): boolean {
  try {
    files.chmod(folder, files.stat(folder).mode & 0o7777);
    return false;
  } catch (error) {
    return errorCode(error) === "EROFS";
  }
}

/** A file's text, or undefined when there is no such file. Throws the system's error otherwise. */
export function readTextIfExists(
  path: string,
  files: FileSystem = systemFiles,
): string | undefined {
  try {
    return new TextDecoder().decode(files.read(path));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** What is known about a file, or undefined when there is no such file. Throws the system's error otherwise. */
export function statIfExists(path: string, files: FileSystem = systemFiles): FileStat | undefined {
  try {
    return files.stat(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Takes a file away from everybody but its owner (0600); nothing happens to a missing one.
 *
 * @returns Whether the file is private now. False where it belongs to somebody else.
 */
export function repairMode(path: string, files: FileSystem = systemFiles): boolean {
  if (files.platform === "win32") return true;
  try {
    const stat = statIfExists(path, files);
    if (stat && (stat.mode & 0o077) !== 0) files.chmod(path, stat.mode & 0o700);
    return true;
  } catch {
    return false;
  }
}

/** The result, or undefined where it throws. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
