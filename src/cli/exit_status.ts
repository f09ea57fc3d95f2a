import { Failure, messageOf } from "../platform/failure.ts";
import { fileLog } from "../platform/log.ts";
import { resolvePaths } from "../platform/paths.ts";
import { redact } from "../platform/redaction.ts";
import { builtin, runtime } from "../platform/runtime.ts";
import { PROGRAM } from "../platform/version.ts";
import type { Context } from "./context.ts";

/** What a shell reports for a program ended by Ctrl-C: 128 + SIGINT. */
const INTERRUPTED = 130;

/** How a command line ends that cannot be understood. */
export interface Verdict {
  /** The exit status. */
  readonly code: number;
  /** What is said of it, on one line. */
  readonly text?: string;
}

/**
 * Does what a command line asks for, and says on one line what went wrong.
 *
 * @param judge Knows the errors that are about the words themselves; undefined for every other one.
 * @returns The exit status: 0, 1 for a failure, 2 for wrong usage, 130 for Ctrl-C. Never rejects.
 */
export async function exitStatus(
  context: Context,
  work: () => Promise<void>,
  judge: (error: unknown) => Verdict | undefined = () => undefined,
): Promise<number> {
  try {
    checkRuntime(runtime.versions.node);
    await work();
    return 0;
  } catch (error) {
    const { code, text } = judge(error) ?? verdictOn(context, error);
    if (text !== undefined) context.warn(`${steerless(text)}\n`);
    return code;
  }
}

/**
 * Refuses a Node without SQLite before anything else fails in a way that nobody understands. Deno and
 * Bun report the Node version that they stand in for.
 *
 * @throws {Failure} when it is older than 22.13.
 */
export function checkRuntime(version: string | undefined): void {
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) return;
  throw new Failure(
    `${PROGRAM} needs Node 22.13 or newer; this is ${version}.`,
    "Update Node, or run it with Deno or Bun.",
  );
}

function verdictOn(context: Context, error: unknown): Verdict {
  // Whatever broke under Ctrl-C broke because of it.
  if (context.signal.aborted) {
    return { code: INTERRUPTED, text: "Cancelled; nothing was changed." };
  }
  if (error instanceof Failure) return { code: error.exitCode, text: `Error: ${messageOf(error)}` };
  const details = record(context, error);
  return { code: 1, text: `Error: ${redact(messageOf(error))} Details: ${details}` };
}

/** Text without anything that could steer a terminal; it may hold what was typed or read from a file. */
function steerless(text: string): string {
  return builtin("node:util").stripVTControlCharacters(text).replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu,
    "\uFFFD",
  );
}

/** Keeps the stack trace for whoever looks into it. Gives the log file's path. */
function record(context: Context, error: unknown): string {
  const { log: path } = resolvePaths(context.env);
  const log = fileLog({ path, clock: context.clock });
  log.error(
    `${PROGRAM} ${context.argv[0] ?? ""}: ${
      (error instanceof Error && error.stack) || String(error)
    }`,
  );
  log.flushSync();
  return path;
}
