import type { CommandLine } from "./command_line.ts";

/** What stands for a command's arguments. */
export type ArgumentKind = "alias" | "file" | "none" | readonly string[];

/** One command, as a shell has to know it. */
export interface CompletionNode {
  /** The words that lead to it, each by its first name: `["config", "set"]`; none for the program. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly names: readonly string[]; readonly about: string }[];
  readonly options: readonly CompletionOption[];
  readonly argument: ArgumentKind;
}

/** One option. */
export interface CompletionOption {
  /** `-y`, `--yes`. */
  readonly names: readonly string[];
  readonly about: string;
  /** What its value is; undefined for a switch. */
  readonly value: ArgumentKind | undefined;
}

type Registered = CommandLine["commands"][number];

/** Values that cannot be told from an argument's name alone. */
export interface KnownValues {
  readonly settings: readonly string[];
  readonly shells: readonly string[];
}

/** All commands of a program, the program itself first. */
export function completionTree(program: CommandLine, known: KnownValues): CompletionNode[] {
  const nodes: CompletionNode[] = [];
  const visit = (command: Registered | CommandLine, path: readonly string[]) => {
    const { visibleOptions, visibleCommands } = visibleParts(command);
    nodes.push({
      path,
      commands: visibleCommands.map((one) => ({
        names: [one.name(), ...one.aliases()],
        about: one.summary() || one.description().split("\n")[0] || "",
      })),
      options: visibleOptions.map((option) => ({
        names: [option.short, option.long].filter((name) => name !== undefined),
        about: option.description,
        value: option.required || option.optional
          ? option.argChoices ?? valueKind(option.long ?? "")
          : undefined,
      })),
      argument: argumentKind(command, path, known, program),
    });
    for (const one of visibleCommands) visit(one, [...path, one.name()]);
  };
  visit(program, []);
  return nodes;
}

function visibleParts(command: Registered | CommandLine) {
  const help = command.createHelp();
  return {
    visibleOptions: help.visibleOptions(command),
    visibleCommands: command.commands.filter((one) => help.visibleCommands(command).includes(one)),
  };
}

function argumentKind(
  command: Registered | CommandLine,
  path: readonly string[],
  known: KnownValues,
  program: CommandLine,
): ArgumentKind {
  const first = command.registeredArguments[0];
  if (first === undefined) return "none";
  if (first.argChoices !== undefined) return first.argChoices;
  switch (first.name()) {
    case "alias":
      // A new account's name is the person's to invent, but signing in again takes an old one.
      return "alias";
    case "file":
      return "file";
    case "shell":
      return known.shells;
    case "command":
      return program.commands.map((one) => one.name());
    case "name":
      return path[0] === "config" ? known.settings : "none";
    default:
      return "none";
  }
}

function valueKind(name: string): ArgumentKind {
  return name === "--plugin" ? "file" : "none";
}
