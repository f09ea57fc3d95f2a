import { type FileSystem, readTextIfExists, statIfExists, systemFiles } from "./files.ts";
import type { Level } from "./log.ts";

/** A line of the log file. */
export interface LogEntry {
  /** As the line has it, in ISO form; undefined for a line in no known form. */
  readonly at: string | undefined;
  readonly level: Level;
  readonly message: string;
}

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
  #read = 0;
  /** Bytes of a line whose end was not there yet. */
  #rest: Uint8Array = new Uint8Array();

  /** Begins at the end of what is there now. */
  constructor(private readonly path: string, private readonly files: FileSystem = systemFiles) {
    const stat = statIfExists(path, files);
    this.#ino = stat?.ino;
    this.#read = stat?.size ?? 0;
  }

  /** The whole lines that have come since the last call. */
  next(): LogEntry[] {
    const stat = statIfExists(this.path, this.files);
    if (!stat) return [];
    const added: Uint8Array[] = [];
    if (stat.ino !== this.#ino) {
      // The file was put aside and a new one begun: first the rest of the old one.
      const old = statIfExists(`${this.path}.1`, this.files);
      if (old && old.ino === this.#ino) added.push(this.#after(`${this.path}.1`));
      this.#ino = stat.ino;
      this.#read = 0;
    } else if (stat.size < this.#read) {
      // Somebody has emptied it.
      this.#read = 0;
    } else if (stat.size === this.#read) {
      return [];
    }
    const fresh = this.#after(this.path);
    this.#read += fresh.length;
    return this.#lines([...added, fresh]);
  }

  #after(path: string): Uint8Array {
    const bytes = this.files.read(path);
    return bytes.subarray(Math.min(this.#read, bytes.length));
  }

  #lines(parts: readonly Uint8Array[]): LogEntry[] {
    const all = new Uint8Array(
      [this.#rest, ...parts].flatMap((part) => [...part]),
    );
    const end = all.lastIndexOf(0x0a) + 1;
    this.#rest = all.slice(end);
    return new TextDecoder().decode(all.subarray(0, end)).split("\n")
      .filter((line) => line !== "").map(readLogLine);
  }
}
