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
    if (size !== undefined && size > MAX_BYTES) keepAside(path, clock.now());
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

/** After so long, in milliseconds, whoever was keeping a file aside has died over it. */
const STALE_MS = 10_000;

/**
 * Keeps a full file as `<name>.1`. One process at a time, which looks once more when it is its turn:
 * else a slower one would move the new file over the old one. Never throws: lines go on into a file
 * that cannot be moved.
 *
 * @param now Epoch milliseconds.
 */
function keepAside(path: string, now: number): void {
  const { mkdirSync, renameSync, rmdirSync, statSync } = builtin("node:fs");
  const lock = `${path}.lock`;
  try {
    mkdirSync(lock, { mode: 0o700 });
  } catch {
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? now;
    if (now - since > STALE_MS) attempt(() => rmdirSync(lock));
    return;
  }
  attempt(() => {
    if (statSync(path).size > MAX_BYTES) renameSync(path, `${path}.1`);
  });
  attempt(() => rmdirSync(lock));
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The next one who finds the file full tries again.
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
