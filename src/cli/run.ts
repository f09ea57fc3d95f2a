import { CommanderError } from "commander";
import type { Context } from "./context.ts";
import { exitStatus } from "./exit_status.ts";
import { helpFor } from "./help.ts";
import { type Commands, createProgram } from "./program.ts";

/** Commands whose missing alias ends with 1, as it did in the projects before us. */
const WITH_ALIAS = ["add", "login", "remove", "rm"];

/**
 * Runs one command line.
 *
 * @param commands Those that there are.
 * @returns The exit status: 0, 1 for a failure, 2 for wrong usage, 130 for Ctrl-C. Never rejects.
 */
export function run(context: Context, commands: Commands): Promise<number> {
  const argv = context.argv.length === 0 ? ["help"] : context.argv;
  return exitStatus(
    context,
    async () => void await createProgram(context, commands).parseAsync([...argv], { from: "user" }),
    (error) => usageVerdict(context, commands, error),
  );
}

/** What an error about the command line itself says; undefined for every other error. */
function usageVerdict(context: Context, commands: Commands, error: unknown) {
  if (!(error instanceof CommanderError)) return undefined;
  // Help and version arrive here too.
  if (error.exitCode === 0) return { code: 0 };
  const help = helpFor(createProgram(context, commands), context.argv);
  return {
    code: exitCodeOf(error, context.argv[0]),
    text: `Error: ${usageText(error)} See: ${help}`,
  };
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
