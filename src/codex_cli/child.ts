import type { Readable } from "node:stream";
import type { Clock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import { systemFiles } from "../platform/files.ts";
import { builtin, runtime } from "../platform/runtime.ts";
import { removeQuietly } from "../store/accounts_copies.ts";

/** How a child came to its end. */
export type ChildEnd =
  | { readonly kind: "exit"; readonly code: number | null }
  /** It took longer than it may. */
  | { readonly kind: "time limit" }
  /** It wrote more than it may. */
  | { readonly kind: "too much output" }
  /** Somebody wanted it to stop. */
  | { readonly kind: "stopped" }
  | { readonly kind: "not started"; readonly cause: string; readonly error: unknown };

/** What a child has written, each stream at most as long as it may be. */
export interface ChildOutcome {
  readonly end: ChildEnd;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program of somebody else's that runs for us. */
export interface Child {
  /** Writes to its standard input, where that is open. */
  write(text: string): void;
  /** Closes its standard input: nothing more comes. */
  close(): void;
  /** Ends it and everything it has started, at once. */
  kill(): void;
  /** Resolves when it and everything it has started have ended. Never rejects. */
  readonly outcome: Promise<ChildOutcome>;
}

/** How a child is started. */
export interface ChildOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Whether it is written to; a closed one reads as empty. */
  readonly input: "open" | "closed";
  /** Milliseconds after which it is ended. */
  readonly limitMs: number;
  /** Most bytes it may write, both streams together. */
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** A file that goes when this process can no longer see to it, as after a sudden death. */
  readonly forget?: string | undefined;
  /** Is given each whole line of its standard output. */
  readonly onLine?: (line: string) => void;
}

/**
 * Runs "$@", and ends the whole group when our end of a pipe closes: so not even our own sudden death
 * leaves a child that tries for ever, or the file $1. Whoever waits for it ends the guard.
 */
const GUARD = `exec 4<&0
forget=$1
shift
"$@" <&4 3<&- 4<&- &
child=$!
( PATH=$PATH:/usr/bin:/bin
  read -r _ <&3; rm -f -- "$forget"; kill -9 -$$ ) </dev/null >/dev/null 2>&1 4<&- &
exec </dev/null 3<&- 4<&-
wait $child`;

/** Starts a program in a process group of its own, which ends as a whole. */
export function startChild(
  program: string,
  args: readonly string[],
  options: ChildOptions,
): Child {
  const { clock, signal } = options;
  const windows = runtime.platform === "win32";
  let end: ChildEnd | undefined;
  let stdout = "";
  let stderr = "";
  let bytes = 0;
  let unread = "";
  let process: ReturnType<typeof spawn> | undefined;
  let finish: (outcome: ChildOutcome) => void = () => {};
  const outcome = new Promise<ChildOutcome>((resolve) => finish = resolve);

  function spawn() {
    const { spawn } = builtin("node:child_process");
    const [command, argv] = windows
      ? [program, args] as const
      : ["/bin/sh", ["-c", GUARD, "sh", options.forget ?? "", program, ...args]] as const;
    // A program behind npm's shim is a script on Windows, which only the shell can run.
    const shell = windows && /\.(cmd|bat)$/i.test(program);
    const quoted = (text: string) => shell ? `"${text.replaceAll('"', '\\"')}"` : text;
    return spawn(quoted(command), argv.map(quoted), {
      cwd: options.folder,
      env: { ...options.env },
      detached: !windows,
      shell,
      windowsHide: true,
      // The last one tells the guard that we live.
      stdio: [options.input === "open" ? "pipe" : "ignore", "pipe", "pipe", "pipe"],
    });
  }

  const sweep = () => {
    const pid = process?.pid;
    if (pid === undefined) return;
    try {
      if (!windows) runtime.kill(-pid, "SIGKILL");
      else builtin("node:child_process").spawn("taskkill", ["/pid", `${pid}`, "/t", "/f"]);
    } catch {
      // Nobody of the group is left.
    }
  };
  const stop = (reason: ChildEnd) => {
    end ??= reason;
    sweep();
    // One that has left the group may still hold them, and nobody waits for it.
    process?.stdout?.destroy();
    process?.stderr?.destroy();
  };
  const onExit = () => {
    // Together with the guard, which would have done it.
    if (options.forget !== undefined) removeQuietly(options.forget, systemFiles);
    sweep();
  };
  const onAbort = () => stop({ kind: "stopped" });
  const cancel = clock.after(options.limitMs, () => stop({ kind: "time limit" }));
  const done = (reason: ChildEnd) => {
    cancel();
    signal?.removeEventListener("abort", onAbort);
    runtime.off("exit", onExit);
    end ??= reason;
    finish({ end, stdout, stderr });
  };
  const take = (stream: Readable | null | undefined, onText: (text: string) => void) => {
    const decoder = new TextDecoder();
    stream?.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes > options.maxBytes) stop({ kind: "too much output" });
      else onText(decoder.decode(chunk, { stream: true }));
    });
  };

  if (signal?.aborted) {
    done({ kind: "stopped" });
    return { write() {}, close() {}, kill() {}, outcome };
  }
  try {
    process = spawn();
  } catch (error) {
    done({ kind: "not started", cause: messageOf(error), error });
    return { write() {}, close() {}, kill() {}, outcome };
  }
  signal?.addEventListener("abort", onAbort, { once: true });
  runtime.once("exit", onExit);
  // A child that has ended does not read any more; its end says why.
  process.stdin?.on("error", () => {});
  take(process.stdout, (text) => {
    stdout += text;
    if (!options.onLine) return;
    const lines = (unread + text).split("\n");
    unread = lines.pop() ?? "";
    for (const line of lines) options.onLine(line);
  });
  take(process.stderr, (text) => void (stderr += text));
  process.on("error", (error: Error) => {
    done({ kind: "not started", cause: messageOf(error), error });
  });
  let ended: ChildEnd | undefined;
  process.on("exit", (code: number | null) => {
    ended = { kind: "exit", code };
    // What it has started would hold its output open, and outlive it.
    sweep();
  });
  process.on("close", (code: number | null) => done(ended ?? { kind: "exit", code }));

  return {
    write(text) {
      process?.stdin?.write(text);
    },
    close() {
      process?.stdin?.end();
    },
    kill: () => stop({ kind: "stopped" }),
    outcome,
  };
}
