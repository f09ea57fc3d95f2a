import type { Level } from "../platform/log.ts";
import { type LogEntry, LogTail } from "../platform/log_reader.ts";
import { redact } from "../platform/redaction.ts";

/** One line of the log file. */
export interface LogLine {
  /** Epoch milliseconds; null for a line that is not in our form. */
  readonly at: number | null;
  readonly level: Level;
  readonly text: string;
}

/** Lines kept, as many as the projects before us showed. */
export const MAX_LINES = 400;
/** Longest line that is shown whole, in characters. */
const MAX_LINE = 2_000;

/** The newest lines of a log file that others write to. */
export class LogLines {
  #lines: readonly LogLine[] = [];
  readonly #tail: LogTail;

  constructor(path: string) {
    this.#tail = new LogTail(path, true);
  }

  /** Oldest first, as of the last look. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /**
   * Looks for lines written since the last look. Never throws: a log that cannot be read brings nothing.
   *
   * @returns The new lines.
   */
  look(): readonly LogLine[] {
    try {
      const lines = this.#tail.next().slice(-MAX_LINES).map(lineOf);
      this.#lines = [...this.#lines, ...lines].slice(-MAX_LINES);
      return lines;
    } catch {
      return [];
    }
  }
}

/** Redacted once more: an older project, or a person, may have written it. */
function lineOf({ at, level, message }: LogEntry): LogLine {
  const clean = redact(message);
  return {
    at: at === undefined ? null : Date.parse(at),
    level,
    text: clean.length > MAX_LINE ? `${clean.slice(0, MAX_LINE)}…` : clean,
  };
}
