import { dirname } from "node:path";
import type { Clock } from "./clock.ts";
import { errorCode } from "./failure.ts";
import { redact } from "./redaction.ts";
import { builtin, runtime } from "./runtime.ts";

/** Severity, in the words of the log file. */
export type Level = "debug" | "info" | "warn" | "error";

/** The log. Writing a line never waits, never throws and never prints. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
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
  const take = (): string[] => {
    cancel?.();
    cancel = undefined;
    const { appendFileSync, chmodSync, mkdirSync, statSync } = builtin("node:fs");
    if (pending.length > 0 && !prepared) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      appendFileSync(path, "", { mode: 0o600 });
      chmodSync(path, 0o600);
      prepared = true;
    }
    // Another process may have begun a new one, so that there is none at this moment.
    const size = pending.length > 0 ? statSync(path, { throwIfNoEntry: false })?.size : undefined;
    if (size !== undefined && size > MAX_BYTES) keepAside(path);
    return pending.splice(0);
  };

  /** What could not be written is tried again with the next line. */
  const giveBack = (lines: readonly string[]) => {
    pending = [...lines, ...pending].slice(-MAX_PENDING);
    prepared = false;
  };

  const flush = (): Promise<void> => {
    writing = writing.then(async () => {
      let lines: string[] = [];
      try {
        lines = take();
        if (lines.length === 0) return;
        await builtin("node:fs/promises").appendFile(path, lines.join(""), { mode: 0o600 });
      } catch {
        // A log that cannot be written must not disturb what it reports on.
        giveBack(lines);
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
      let lines: string[] = [];
      try {
        lines = take();
        if (lines.length === 0) return;
        builtin("node:fs").appendFileSync(path, lines.join(""), { mode: 0o600 });
      } catch {
        giveBack(lines);
      }
    },
  };
}

/**
 * Keeps a full file as `<name>.1`. Another process may do the same at the same moment: whoever then
 * holds the new file in its hands puts its lines back, so that nothing is lost.
 */
function keepAside(path: string): void {
  const { appendFileSync, readFileSync, renameSync, statSync, unlinkSync } = builtin("node:fs");
  const mine = `${path}.${runtime.pid}`;
  try {
    renameSync(path, mine);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    return;
  }
  if (statSync(mine).size > MAX_BYTES) {
    renameSync(mine, `${path}.1`);
  } else {
    appendFileSync(path, readFileSync(mine), { mode: 0o600 });
    unlinkSync(mine);
  }
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
