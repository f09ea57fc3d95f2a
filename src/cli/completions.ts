import { existsSync } from "node:fs";
import { homeFolder, resolvePaths } from "../platform/paths.ts";
import { settingNames } from "../platform/settings.ts";
import { Failure } from "../platform/failure.ts";
import { asObject } from "../platform/json.ts";
import { PROGRAM } from "../platform/version.ts";
import { readTextIfExists } from "../platform/files.ts";
import { printable } from "../account/alias.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { JSON_ABOUT, report } from "./output.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = typeof SHELLS[number];

/** `completions`: a script that completes this command line in a shell. */
export function registerCompletions(program: CommandLine, context: Context): void {
  const command = program.command("completions")
    .summary("Print a completion script for bash, zsh or fish")
    .description(
      "Prints a script by which your shell completes commands, options, and the names\n" +
        "of your accounts.",
    )
    .argument("[shell]", "bash, zsh or fish (default: that of SHELL)")
    .option("--json", JSON_ABOUT)
    .option("--aliases", "print the names of the accounts, as the scripts ask for them")
    .action(async (name, options) => {
      if (options.aliases) {
        const aliases = readableAliases(context);
        const text = aliases.map((alias) => `${alias}\n`).join("");
        return report(context, options, { aliases }, text);
      }
      const shell = shellOf(name ?? context.env["SHELL"]?.split("/").at(-1));
      const script = await scriptFor(shell, program);
      report(context, options, { shell, script }, script);
    });
  addExamples(
    command,
    `eval "$(${PROGRAM} completions bash)"   # in ~/.bashrc`,
    `eval "$(${PROGRAM} completions zsh)"    # in ~/.zshrc, at its end`,
    `${PROGRAM} completions fish | source    # in config.fish`,
  );
}

function shellOf(name: string | undefined): Shell {
  const shell = SHELLS.find((one) => one === name);
  if (shell !== undefined) return shell;
  throw new Failure(
    name === undefined
      ? "No shell was given."
      : `"${printable(name)}" is not a shell that is known.`,
    `Name one of: ${SHELLS.join(", ")}.`,
    2,
  );
}

async function scriptFor(shell: Shell, program: CommandLine): Promise<string> {
  const { completionTree } = await import("./completion_tree.ts");
  const nodes = completionTree(program, { settings: settingNames(), shells: SHELLS });
  switch (shell) {
    case "bash":
      return (await import("./completion_bash.ts")).bashCompletion(PROGRAM, nodes);
    case "zsh":
      return (await import("./completion_zsh.ts")).zshCompletion(PROGRAM, nodes);
    case "fish":
      return (await import("./completion_fish.ts")).fishCompletion(PROGRAM, nodes);
  }
}

/**
 * The aliases in the accounts file, as far as they can stand in a command line as they are. A sealed
 * store has none to show: a passphrase is not asked for at a press of Tab. Nothing fails here.
 */
function readableAliases(context: Context): string[] {
  const { accounts } = resolvePaths(context.env, homeFolder(context.env));
  try {
    if (!existsSync(accounts)) return [];
    const json = asObject(JSON.parse(readTextIfExists(accounts) ?? ""));
    return Object.keys(asObject(json?.["accounts"]) ?? {})
      .filter((alias) => /^[\p{L}\p{N}][\p{L}\p{N}._@+-]*$/u.test(alias));
  } catch {
    return [];
  }
}
