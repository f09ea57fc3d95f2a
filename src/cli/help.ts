import { printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";
import { PROGRAM } from "../platform/version.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { JSON_ABOUT, report } from "./output.ts";

/** `help`: the overview, or the help of one command. */
export function registerHelp(program: CommandLine, context: Context): void {
  program.command("help")
    .summary("Show this help message")
    .description("Shows all commands, or the help of one.")
    .argument("[command...]", "the command to explain, such as add or config set")
    .option("--json", JSON_ABOUT)
    .action((names, options) => {
      if (names.length === 0) {
        report(context, options, overviewObject(program), overview(program));
        return;
      }
      const help = commandNamed(program, names).helpInformation();
      report(context, options, { command: names.join(" "), help }, help);
    });
}

function commandNamed(program: CommandLine, names: readonly string[]): Registered {
  let at: Registered = program;
  for (const name of names) {
    const next = at.commands.find((one) => one.name() === name || one.aliases().includes(name));
    if (!next) {
      throw new Failure(
        `There is no command "${printable(names.join(" "))}".`,
        `See all with: ${PROGRAM} help`,
        2,
      );
    }
    at = next;
  }
  return at;
}

/** How to get help with what was typed: `opencode-multi-auth help config set` for a `config set` without a value. */
export function helpFor(program: CommandLine, typed: readonly string[]): string {
  let at: Registered = program;
  const names: string[] = [];
  for (const word of typed) {
    const next = at.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (!next) break;
    names.push(next.name());
    at = next;
  }
  return [PROGRAM, "help", ...names].join(" ");
}

/** Width of the column that holds the commands, as it always was. */
const COLUMN = 17;

/** The help page, in the layout of the projects before us. */
export function overview(program: CommandLine): string {
  const commands = program.commands.map((command) =>
    `  ${inColumn(command).padEnd(COLUMN)}${command.summary()}\n`
  );
  return `
${PROGRAM} - Multi-account OAuth rotation for OpenAI Codex

Commands:
${commands.join("")}
Examples:
  ${PROGRAM} add personal
  ${PROGRAM} add work
  ${PROGRAM} add backup
  ${PROGRAM} status
  ${PROGRAM} web --port 3434 --host 127.0.0.1
  ${PROGRAM} service install --port 3434 --host 127.0.0.1
  ${PROGRAM} install
  ${PROGRAM} pin work --for 2h
  ${PROGRAM} help add

After adding accounts, the plugin auto-rotates between them.

`;
}

type Registered = CommandLine["commands"][number];

/** A command with what it needs; what may be left out stands in its own help. */
function usage(command: Registered): string {
  const args = command.registeredArguments.filter((argument) => argument.required)
    .map((argument) => `<${argument.name()}>`);
  if (command.commands.length > 0) args.push("<action>");
  return [command.name(), ...args].join(" ");
}

/** Its usage, or its name alone where the column is too narrow for more, or always was. */
function inColumn(command: Registered): string {
  const text = usage(command);
  return text.length < COLUMN && command.name() !== "service" ? text : command.name();
}

function overviewObject(program: CommandLine): Record<string, unknown> {
  return {
    commands: program.commands.map((command) => ({
      name: command.name(),
      aliases: command.aliases(),
      usage: usage(command),
      summary: command.summary(),
    })),
  };
}
