import { PROGRAM, VERSION } from "../platform/version.ts";
import { type CommandLine, commandLine } from "./command_line.ts";
import { completeExamples } from "./command_examples.ts";
import type { Context } from "./context.ts";
import { overview } from "./help.ts";

/** Commands by the names they go by, each with what makes it. */
export type Commands = readonly (readonly [
  names: readonly string[],
  register: (program: CommandLine, context: Context) => void,
])[];

/** Commands that speak of the others. */
const NEEDS_ALL: readonly string[] = ["help", "completions"];

/**
 * The command line. It throws where commander would end the process.
 *
 * Making all commands takes longer than most of them run, so where the first word names one, that one
 * is made and no other.
 */
export function createProgram(context: Context, commands: Commands): CommandLine {
  const program = commandLine(PROGRAM)
    .version(VERSION, "-v, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand(false)
    // An option belongs to the command that it follows.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.write(text),
      // Errors are printed in one place, by the one who catches them.
      writeErr: () => {},
      outputError: () => {},
      getOutHelpWidth: () => context.columns,
    })
    .configureHelp({ commandDescription: (command) => unfolded(command.description()) });
  program.helpInformation = () => overview(program);
  const [word = ""] = context.argv;
  const asked = commands.filter(([names]) => names.includes(word) && !NEEDS_ALL.includes(word));
  for (const [, register] of asked.length > 0 ? asked : commands) register(program, context);
  completeExamples(program);
  return program;
}

/** A text without the line breaks of its source, so that help breaks it once; paragraphs and lists stay. */
function unfolded(text: string): string {
  return text.replace(/(?<=\S)\n(?=\S)/g, " ");
}
