import { type ChildEnd, startChild } from "../codex_cli/child.ts";
import type { Clock } from "../platform/clock.ts";
import { notPermitted } from "../platform/failure.ts";
import type { FileSystem } from "../platform/files.ts";

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

/** Runs a program to its end, with an empty standard input. Rejects only when that is not permitted. */
export type RunProgram = (
  program: string,
  args: readonly string[],
  options: RunOptions,
) => Promise<ProgramEnd>;

/** Most bytes that a program may write: a configuration with many agents has some 100 KB. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Programs of this machine; each ends with everything that it has started. */
export function systemPrograms(clock: Clock): RunProgram {
  return async (program, args, { env, folder, limitMs, signal }) => {
    const given = Object.entries(env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const]
    );
    const { end, stdout, stderr } = await startChild(program, args, {
      env: Object.fromEntries(given),
      folder,
      input: "closed",
      limitMs,
      maxBytes: MAX_BYTES,
      clock,
      signal,
    }).outcome;
    if (end.kind === "not started" && notPermitted(end.error)) throw end.error;
    const why = whyOf(end, limitMs);
    const code = end.kind === "exit" ? end.code ?? undefined : undefined;
    return { code, ...(why === undefined ? {} : { why }), stdout, stderr };
  };
}

/**
 * Finds a program by looking at files.
 *
 * @throws what refused a look, where nothing was found: it may lie there.
 */
export function findPermitted(
  files: FileSystem,
  find: (files: FileSystem) => string | undefined,
): string | undefined {
  let refusal: unknown;
  const stat: FileSystem["stat"] = (path) => {
    try {
      return files.stat(path);
    } catch (error) {
      if (notPermitted(error)) refusal = error;
      throw error;
    }
  };
  const found = find({ ...files, stat });
  if (found === undefined && refusal !== undefined) throw refusal;
  return found;
}

function whyOf(end: ChildEnd, limitMs: number): string | undefined {
  switch (end.kind) {
    case "exit":
      return end.code === null ? "it was ended by a signal" : undefined;
    case "time limit":
      return `it did not end within ${limitMs / 1_000} s`;
    case "too much output":
      return "it wrote without end";
    case "stopped":
      return "it was ended";
    case "not started":
      return `it could not be started: ${end.cause}`;
  }
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
