import { type FileSystem, readTextIfExists, statIfExists, systemFiles } from "./files.ts";
import type { Level } from "./log.ts";

/** A line of the log file. */
export interface LogEntry {
  /** As the line has it, in ISO form; undefined for a line in no known form. */
  readonly at: string | undefined;
  readonly level: Level;
  readonly message: string;
}

/** Read at most so many bytes at once: some thousand lines. */
const MAX_BYTES = 256 * 1024;
const NEWLINE = 10;

const ORDER: readonly Level[] = ["debug", "info", "warn", "error"];
/** All levels, the least severe first. */
export const LEVELS: readonly Level[] = ORDER;

/** Reads one line; one in no known form counts as information. */
export function readLogLine(line: string): LogEntry {
  const found = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) \[(debug|info|warn|error)\] (.*)$/.exec(line);
  return found
    ? { at: found[1], level: found[2] as Level, message: found[3] ?? "" }
    : { at: undefined, level: "info", message: line };
}

/** Whether an entry is as severe as asked for, or more. */
export function atLeast(level: Level, { level: own }: LogEntry): boolean {
  return ORDER.indexOf(own) >= ORDER.indexOf(level);
}

/**
 * The last entries of a log; where the file was begun anew a short while ago, those of the one before
 * too.
 *
 * @param path The log file.
 * @param count How many entries.
 * @param level The least severe level that counts.
 */
export function lastEntries(
  path: string,
  count: number,
  level: Level,
  files: FileSystem = systemFiles,
): LogEntry[] {
  const entries = (name: string) =>
    (readTextIfExists(name, files) ?? "").split("\n").filter((line) => line !== "")
      .map(readLogLine).filter((entry) => atLeast(level, entry));
  if (count <= 0) return [];
  const now = entries(path);
  const before = now.length < count ? entries(`${path}.1`) : [];
  return [...before, ...now].slice(-count);
}

/** Tells what is added to a log file, also when the file is begun anew. */
export class LogTail {
  #ino: number | undefined;
  /** Up to where whole lines were read. */
  #offset: number;

  /**
   * @param path The log file.
   * @param past Whether what is there now counts as added.
   */
  constructor(
    private readonly path: string,
    past = false,
    private readonly files: FileSystem = systemFiles,
  ) {
    const stat = past ? undefined : statIfExists(path, files);
    this.#ino = stat?.ino;
    this.#offset = stat?.size ?? 0;
  }

  /**
   * The whole lines that have come since the last call; of very many the last.
   *
   * @throws The system's error.
   */
  next(): LogEntry[] {
    const stat = statIfExists(this.path, this.files);
    if (!stat) return [];
    const entries: LogEntry[] = [];
    if (stat.ino !== this.#ino) {
      // The file was put aside and a new one begun: first the rest of the old one.
      const old = statIfExists(`${this.path}.1`, this.files);
      if (old && old.ino === this.#ino) entries.push(...this.#read(`${this.path}.1`, old.size));
      this.#ino = stat.ino;
      this.#offset = 0;
    } else if (stat.size < this.#offset) {
      // Somebody has emptied it.
      this.#offset = 0;
    }
    entries.push(...this.#read(this.path, stat.size));
    return entries;
  }

  #read(path: string, size: number): LogEntry[] {
    if (size <= this.#offset) return [];
    const from = Math.max(this.#offset, size - MAX_BYTES);
    const bytes = this.files.readFrom(path, from);
    // A line that is not finished yet is read when it is, and half a first one never.
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    const start = from > this.#offset ? bytes.indexOf(NEWLINE) + 1 : 0;
    this.#offset = from + end;
    return new TextDecoder().decode(bytes.subarray(start, end)).split("\n")
      .filter((line) => line !== "").map(readLogLine);
  }
}
