import { spawn } from "node:child_process";
import type { Clock } from "../platform/clock.ts";
import { errorCode, messageOf } from "../platform/failure.ts";
import { runtime } from "../platform/runtime.ts";

/** How a program of somebody else's came to its end. */
export interface ProgramEnd {
  /** Its exit status; undefined when it was ended, or never began. */
  readonly code: number | undefined;
  /** Why there is no status, in a few words. */
  readonly why?: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is run. */
export interface RunOptions {
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Its working folder. */
  readonly folder: string;
  /** Milliseconds after which it is ended. */
  readonly limitMs: number;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/** Runs a program to its end, with an empty standard input. Never rejects. */
export type RunProgram = (
  program: string,
  args: readonly string[],
  options: RunOptions,
) => Promise<ProgramEnd>;

/** Most characters that are kept of each stream. */
const MAX_TEXT = 200_000;

/**
 * Programs of this machine. Each runs in a process group of its own, which ends as a whole, and none
 * outlives ours.
 */
export function systemPrograms(clock: Clock): RunProgram {
  return (program, args, { env, folder, limitMs, signal }) =>
    new Promise((resolve) => {
      const windows = runtime.platform === "win32";
      let stdout = "";
      let stderr = "";
      let why: string | undefined;
      const take = (text: string, more: string) => (text + more).slice(0, MAX_TEXT);
      let child: ReturnType<typeof start>;
      const start = () =>
        spawn(program, [...args], {
          env: { ...env },
          cwd: folder,
          stdio: ["ignore", "pipe", "pipe"],
          detached: !windows,
          // What npm installs is a script on Windows, which only the shell can run.
          shell: windows && /\.(cmd|bat)$/i.test(program),
          windowsHide: true,
        });
      const kill = () => {
        try {
          if (child.pid === undefined) return;
          if (windows) child.kill();
          else runtime.kill(-child.pid, "SIGKILL");
        } catch {
          // It has ended meanwhile.
        }
      };
      const stop = (reason: string) => {
        why ??= reason;
        kill();
        // What it has started may have left its group and hold its output open.
        done(undefined);
      };
      const onAbort = () => stop("it was ended");
      const cancel = clock.after(limitMs, () => stop(`it did not end within ${limitMs / 1_000} s`));
      const done = (code: number | undefined) => {
        cancel();
        signal?.removeEventListener("abort", onAbort);
        runtime.off("exit", kill);
        resolve({ code, ...(why === undefined ? {} : { why }), stdout, stderr });
      };
      try {
        child = start();
      } catch (error) {
        why = errorCode(error) ?? messageOf(error);
        return done(undefined);
      }
      runtime.once("exit", kill);
      signal?.addEventListener("abort", onAbort, { once: true });
      child.stdout.setEncoding("utf8").on("data", (text: string) => stdout = take(stdout, text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => stderr = take(stderr, text));
      child.once("error", (error) => {
        why ??= `it could not be started (${errorCode(error) ?? messageOf(error)})`;
        done(undefined);
      });
      child.once("close", (code) => {
        if (code === null) why ??= "it was ended by a signal";
        done(code ?? undefined);
      });
    });
}

/** The first version number in a text: `codex-cli 0.169.0` gives `0.169.0`. */
export function versionIn(text: string): string | undefined {
  return /\d+\.\d+(?:\.\d+)?(?:-[\w.]+)?/.exec(text)?.[0];
}

/** Whether a version is older than another, by its first three numbers. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((one) => one.split(/[.-]/).slice(0, 3).map(Number));
  for (let at = 0; at < 3; at++) {
    const difference = (a?.[at] || 0) - (b?.[at] || 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
