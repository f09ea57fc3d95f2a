import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import { CommanderError } from "commander";
import { Failure, messageOf } from "../platform/failure.ts";
import { fileLog } from "../platform/log.ts";
import { resolvePaths } from "../platform/paths.ts";
import { redact } from "../platform/redaction.ts";
import { PROGRAM } from "../platform/version.ts";
import type { Context } from "./context.ts";
import { helpFor } from "./help.ts";
import { type Commands, createProgram } from "./program.ts";

/** What a shell reports for a program ended by Ctrl-C: 128 + SIGINT. */
const INTERRUPTED = 130;
/** Commands whose missing alias ends with 1, as it did in the projects before us. */
const WITH_ALIAS = ["add", "login", "remove", "rm"];

/**
 * Runs one command line.
 *
 * @param commands Those that there are.
 * @returns The exit status: 0, 1 for a failure, 2 for wrong usage, 130 for Ctrl-C. Never rejects.
 */
export async function run(context: Context, commands: Commands): Promise<number> {
  try {
    checkRuntime(process.versions.node);
    const argv = context.argv.length === 0 ? ["help"] : context.argv;
    await createProgram(context, commands).parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    return explain(context, commands, error);
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

/** Says on one line what went wrong. */
function explain(context: Context, commands: Commands, error: unknown): number {
  const say = (text: string) => context.warn(`${steerless(text)}\n`);
  if (error instanceof CommanderError) {
    // Help and version arrive here too.
    if (error.exitCode === 0) return 0;
    const help = helpFor(createProgram(context, commands), context.argv);
    say(`Error: ${usageText(error)} See: ${help}`);
    return exitCodeOf(error, context.argv[0]);
  }
  // Whatever broke under Ctrl-C broke because of it.
  if (context.signal.aborted) {
    say("Cancelled; nothing was changed.");
    return INTERRUPTED;
  }
  if (error instanceof Failure) {
    say(`Error: ${messageOf(error)}`);
    return error.exitCode;
  }
  say(`Error: ${redact(messageOf(error))} Details: ${record(context, error)}`);
  return 1;
}

/** Text without anything that could steer a terminal; it may hold what was typed or read from a file. */
function steerless(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu, "\uFFFD");
}

function exitCodeOf(error: CommanderError, command: string | undefined): number {
  const missingAlias = error.code === "commander.missingArgument" &&
    command !== undefined && WITH_ALIAS.includes(command);
  return missingAlias ? 1 : 2;
}

/** `error: unknown command 'stats'\n(Did you mean status?)` -> `Unknown command 'stats'. Did you mean status?` */
function usageText(error: CommanderError): string {
  const [first = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1).replace(/\.$/, "")}.`;
  const hint = suggestion?.match(/^\((.*)\)$/)?.[1];
  return hint === undefined ? sentence : `${sentence} ${hint}`;
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
