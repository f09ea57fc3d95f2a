import {
  ensurePrivateFolder,
  type FileSystem,
  repairMode,
  standStill,
  statIfExists,
} from "../platform/files.ts";
import { dirname } from "node:path";
import type { Database, OpenDatabase, Row, Statement, Value } from "./sqlite.ts";
import { asFailure, BUSY_MS, isBusy, isDamaged, isSqlite } from "./state_failure.ts";
import { migrate } from "./state_schema.ts";

/** Pause between two attempts to open, in milliseconds. */
const BUSY_PAUSE_MS = 25;

/**
 * File systems over which SQLite's shared memory does not reach other
 * machines, by the number that `statfs(2)` gives: a WAL there gives wrong
 * answers without an error. NFS, SMB (three numbers), AFS, Ceph, 9P (the
 * Windows disks in WSL), FUSE (sshfs and its like).
 */
const NO_SHARED_MEMORY = [
  0x6969,
  0x517b,
  0xff534d42,
  0xfe534d42,
  0x5346414f,
  0x00c36400,
  0x01021997,
  0x65735546,
];

/** An open `state.db`. */
export interface StateDb {
  readonly path: string;
  /** The file that is open, to notice when another one lies in its place. */
  readonly ino: number;
  /** What a person should know about it; empty when all is well. */
  readonly warnings: readonly string[];
  prepare(sql: string): Statement;
  /**
   * Runs `work` while no other process can write. It must not wait for anything.
   *
   * @param durable Whether a power cut right after it may not undo it.
   */
  transaction<T>(work: () => T, durable: boolean): T;
  /** Runs `work` on one consistent state. */
  reading<T>(work: () => T): T;
  /** Changes whenever another connection has committed something. About a microsecond. */
  dataVersion(): number;
  close(): void;
}

/**
 * Opens `state.db`, making it (and its folder) if it is missing. A damaged file
 * is set aside and a new one made: it holds figures, never an account.
 *
 * @throws {Failure} when it cannot be opened, or a newer program has written it.
 */
export function openStateDb(
  path: string,
  open: OpenDatabase,
  files: FileSystem,
  now: () => number,
): StateDb {
  const warnings: string[] = [];
  for (let attempt = 0, busy = 0;;) {
    let db: Database | undefined;
    let ino: number | undefined;
    try {
      makeIfMissing(path, files);
      ino = statIfExists(path, files)?.ino;
      db = open(path);
      const wal = prepareConnection(db, path, files, warnings);
      migrate(db, path);
      for (const end of ["", "-wal", "-shm"]) repairMode(path + end, files);
      db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
      return stateDb(db, path, files, ino ?? 0, wal, warnings);
    } catch (error) {
      closeQuietly(db);
      // Changing the journal's mode fails at once while another process opens
      // the same new file: SQLite's own time-out does not reach that.
      if (isBusy(error) && busy++ < BUSY_MS / BUSY_PAUSE_MS) {
        standStill(BUSY_PAUSE_MS);
        continue;
      }
      if (!isDamaged(error) || attempt++ > 0) throw asFailure(error, path, files);
      // Another process may have put a whole one in its place meanwhile.
      if (statIfExists(path, files)?.ino !== ino) continue;
      try {
        warnings.push(setAsideDamaged(path, files, now()));
      } catch (reason) {
        throw asFailure(reason, path, files);
      }
    }
  }
}

/** SQLite gives `-wal` and `-shm` the mode of the database, so making the file first keeps all three private. */
function makeIfMissing(path: string, files: FileSystem): void {
  if (statIfExists(path, files)) return;
  ensurePrivateFolder(dirname(path), files);
  try {
    files.close(files.open(path, "wx", 0o600));
  } catch (error) {
    if (!statIfExists(path, files)) throw error;
  }
}

/** @returns Whether it has a write-ahead log. */
function prepareConnection(
  db: Database,
  path: string,
  files: FileSystem,
  warnings: string[],
): boolean {
  // Short while it is opened: what is busy then is tried again from the start.
  db.exec(`PRAGMA busy_timeout = ${BUSY_PAUSE_MS}`);
  if (hasSharedMemory(path, files) && writeAheadLog(db)) return true;
  db.prepare("PRAGMA journal_mode = DELETE").get();
  warnings.push(
    `${path} lies where SQLite's write-ahead log does not work; it uses a rollback journal, which is slower.`,
  );
  return false;
}

function hasSharedMemory(path: string, files: FileSystem): boolean {
  try {
    // Some numbers arrive as negative 32-bit integers.
    return !NO_SHARED_MEMORY.includes(files.kind(dirname(path)) >>> 0);
  } catch {
    return true;
  }
}

function writeAheadLog(db: Database): boolean {
  try {
    const mode = db.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
    if (mode !== "wal") return false;
    // Only a read shows whether the shared memory can be had.
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
    return true;
  } catch (error) {
    if (isDamaged(error) || isBusy(error)) throw error;
    return false;
  }
}

/** Moves a damaged database away. Returns what the person should know. */
export function setAsideDamaged(path: string, files: FileSystem, now: number): string {
  const stamp = new Date(now).toISOString().replaceAll(":", "-");
  const kept = `${path}.corrupt-${stamp}`;
  files.rename(path, kept);
  for (const end of ["-wal", "-shm", "-journal"]) {
    try {
      files.rename(path + end, kept + end);
    } catch {
      // There was none.
    }
  }
  return `${path} was damaged and is now ${kept}; counts and quota figures begin anew, no account is lost.`;
}

function stateDb(
  db: Database,
  path: string,
  files: FileSystem,
  ino: number,
  wal: boolean,
  warnings: string[],
): StateDb {
  const dataVersion = db.prepare("PRAGMA data_version");
  let durableNow: boolean | undefined;

  const explained = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw isSqlite(error) ? asFailure(error, path, files) : error;
    }
  };
  const within = <T>(begin: string, work: () => T): T => {
    db.exec(begin);
    try {
      const result = work();
      db.exec("COMMIT");
      return result;
    } catch (error) {
      // SQLite may have rolled back by itself, on a full disk for one.
      try {
        db.exec("ROLLBACK");
      } catch {
        // Then there is nothing left to roll back.
      }
      throw error;
    }
  };

  return {
    path,
    ino,
    warnings,
    prepare: (sql) => db.prepare(sql),
    transaction: (work, durable) =>
      explained(() => {
        if (durableNow !== durable) {
          // In WAL mode NORMAL never damages the file and survives every crash of
          // the process, but a power cut may undo the last commits. Uses, figures
          // and affinity are worth less than an fsync each second; a refresh
          // intent that is undone would let a consumed token be sent again, and a
          // block or pin that is undone was already acknowledged: FULL for those.
          // With a rollback journal NORMAL could damage the file.
          db.exec(`PRAGMA synchronous = ${durable || !wal ? "FULL" : "NORMAL"}`);
          durableNow = durable;
        }
        return within("BEGIN IMMEDIATE", work);
      }),
    reading: (work) => explained(() => within("BEGIN", work)),
    dataVersion: () => explained(() => Number(dataVersion.get()?.["data_version"])),
    close: () => db.close(),
  };
}

function closeQuietly(db: Database | undefined): void {
  try {
    db?.close();
  } catch {
    // It never was really open.
  }
}

/** A column that must hold a number. */
export function numberIn(row: Row | undefined, column: string): number {
  return Number(row?.[column] ?? 0);
}

/** A column that must hold text. */
export function textIn(row: Row | undefined, column: string): string {
  return String(row?.[column] ?? "");
}

/** A column that may hold a number or nothing. */
export function numberOrNull(row: Row, column: string): number | null {
  const value: Value | undefined = row[column];
  return value === null || value === undefined ? null : Number(value);
}
