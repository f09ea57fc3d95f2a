import type { Level } from "./log.ts";
import { readLogLine } from "./log_reader.ts";
import { redact } from "./redaction.ts";
import { builtin } from "./runtime.ts";

/** One line of the log file. */
export interface LogLine {
  /** Epoch milliseconds; null for a line that is not in our form. */
  readonly at: number | null;
  readonly level: Level;
  readonly text: string;
}

/** Lines kept, as many as the projects before us showed. */
export const MAX_LINES = 400;
/** Read at most so many bytes from the end at once. */
const MAX_BYTES = 256 * 1024;
/** Longest line that is shown whole, in characters. */
const MAX_LINE = 2_000;

const NEWLINE = 10;

/** The end of a log file that others write to. */
export class LogTail {
  #lines: readonly LogLine[] = [];
  #ino: number | undefined;
  /** Up to where the file was read. */
  #offset = 0;

  constructor(readonly path: string) {}

  /** The newest lines, oldest first, as of the last look. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /**
   * Looks for lines written since the last look; of a file that was put in the other's place all are
   * new. Never throws: a log that cannot be read brings nothing.
   *
   * @returns The new lines.
   */
  look(): readonly LogLine[] {
    const { closeSync, fstatSync, openSync, readSync } = builtin("node:fs");
    let file: number | undefined;
    try {
      file = openSync(this.path, "r");
      const { ino, size } = fstatSync(file);
      const known = ino === this.#ino && size >= this.#offset ? this.#offset : 0;
      if (size === known && ino === this.#ino) return [];
      const from = Math.max(known, size - MAX_BYTES);
      const bytes = new Uint8Array(size - from);
      const read = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from));
      // A line that is not finished yet is read when it is, and half a first one never.
      const end = read.lastIndexOf(NEWLINE) + 1;
      const start = from > known ? read.indexOf(NEWLINE) + 1 : 0;
      this.#ino = ino;
      this.#offset = from + end;
      const lines = new TextDecoder().decode(read.subarray(start, end)).split("\n")
        .filter((line) => line.trim() !== "").slice(-MAX_LINES).map(lineOf);
      this.#lines = [...this.#lines, ...lines].slice(-MAX_LINES);
      return lines;
    } catch {
      this.#ino = undefined;
      this.#offset = 0;
      return [];
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }
}

/** Redacted once more: an older project, or a person, may have written it. */
function lineOf(line: string): LogLine {
  const { at, level, message } = readLogLine(line);
  const clean = redact(message);
  return {
    at: at === undefined ? null : Date.parse(at),
    level,
    text: clean.length > MAX_LINE ? `${clean.slice(0, MAX_LINE)}…` : clean,
  };
}
