import { dirname } from "node:path";
import type { Clock } from "./clock.ts";
import { redact } from "./redaction.ts";
import { builtin } from "./runtime.ts";

/** Severity, in the words of the log file. */
export type Level = "debug" | "info" | "warn" | "error";

/** The log. Writing a line never waits, never throws and never prints. */
export interface Log {
  /** Kept only where that is asked for. */
  debug(message: string): void;
  /** Something that happened as it should. */
  info(message: string): void;
  /** Something that the person may want to look at. */
  warn(message: string): void;
  /** Something that went wrong. */
  error(message: string): void;
  /** Writes out what is still in memory. */
  flush(): Promise<void>;
  /** The same, for the moment in which a process ends. */
  flushSync(): void;
}

/** How long a line may stay in memory, in milliseconds. */
const DELAY_MS = 250;
/** Above this size, in bytes, the file is kept as `<name>.1` and a new one begun. */
const MAX_BYTES = 2 * 1024 * 1024;
/** Lines kept while the disk refuses them; the oldest go first. */
const MAX_PENDING = 2_000;

/**
 * A log file: `<ISO time> [info] <message>`, one line each, 0600, redacted.
 *
 * Several processes append to one file; each write is a whole number of lines.
 *
 * @param options.debug Whether debug lines are kept (default false).
 */
export function fileLog(options: { path: string; clock: Clock; debug?: boolean }): Log {
  const { path, clock } = options;
  let pending: string[] = [];
  let cancel: (() => void) | undefined;
  let prepared = false;
  let writing = Promise.resolve();

  const write = (level: Level, message: string) => {
    const text = redact(message).replace(/\s*\n\s*/g, " ");
    pending.push(`${new Date(clock.now()).toISOString()} [${level}] ${text}\n`);
    if (pending.length > MAX_PENDING) pending = pending.slice(-MAX_PENDING);
    cancel ??= clock.after(DELAY_MS, () => void flush(), { background: true });
  };

  /** Takes what is pending and makes the file ready for it. */
  const take = (): string => {
    cancel?.();
    cancel = undefined;
    const { appendFileSync, chmodSync, mkdirSync, renameSync, statSync } = builtin("node:fs");
    const text = pending.join("");
    pending = [];
    if (text !== "" && !prepared) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      appendFileSync(path, "", { mode: 0o600 });
      chmodSync(path, 0o600);
      prepared = true;
    }
    if (text !== "" && statSync(path).size > MAX_BYTES) {
      renameSync(path, `${path}.1`);
    }
    return text;
  };

  const flush = (): Promise<void> => {
    writing = writing.then(async () => {
      try {
        const text = take();
        if (text !== "") await builtin("node:fs/promises").appendFile(path, text, { mode: 0o600 });
      } catch {
        // A log that cannot be written must not disturb what it reports on.
        prepared = false;
      }
    });
    return writing;
  };

  return {
    debug: options.debug ? (message) => write("debug", message) : () => {},
    info: (message) => write("info", message),
    warn: (message) => write("warn", message),
    error: (message) => write("error", message),
    flush,
    flushSync() {
      try {
        const text = take();
        if (text !== "") builtin("node:fs").appendFileSync(path, text, { mode: 0o600 });
      } catch {
        prepared = false;
      }
    },
  };
}

/** A log that forgets everything; for the library and for tests. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  flush: () => Promise.resolve(),
  flushSync() {},
};
