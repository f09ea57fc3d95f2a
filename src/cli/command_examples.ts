import { PROGRAM } from "../platform/version.ts";
import type { CommandLine } from "./command_line.ts";
import { addExamples } from "./examples.ts";

/** Examples of the commands that do not bring their own, by the words that lead to them. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  "add": ["add personal", "add work --device", "add work --no-browser"],
  "remove": ["remove work", "rm work --yes"],
  "list": ["list", "list --json"],
  "status": ["status", "status --json"],
  "usage": ["usage", "usage --days 30", "usage --json"],
  "limits": ["limits", "limits work --fresh", "limits --source app-server"],
  "models": ["models", "models --refresh"],
  "explain": ["explain", "explain ses_4f --last 5"],
  "path": ["path", "path --json"],
  "install": [
    "install",
    "install --dry-run",
    "install --yes --plugin opencode-multi-auth-codex@latest",
  ],
  "uninstall": ["uninstall", "uninstall --dry-run"],
  "enable": ["enable work"],
  "disable": ["disable work"],
  "pin": ["pin work", "pin work --for 2h"],
  "unpin": ["unpin"],
  "restore": ["restore work"],
  "config": ["config", "config set strategy quota", "config unset strategy"],
  "config list": ["config list", "config list --json"],
  "config get": ["config get strategy"],
  "config set": ["config set strategy drain", "config set weights '{\"work\": 2}'"],
  "config unset": ["config unset strategy"],
  "notify status": ["notify status"],
  "notify test": ["notify test"],
  "help": ["help", "help config set"],
};

type Registered = CommandLine["commands"][number];

/** Gives every command that has no examples those that are known for it. */
export function completeExamples(program: CommandLine): void {
  const visit = (command: Registered, path: readonly string[]) => {
    const name = [...path, command.name()];
    const lines = EXAMPLES[name.join(" ")];
    if (lines !== undefined) {
      addExamples(command, ...lines.map((line) => `${PROGRAM} ${line}`));
    }
    for (const one of command.commands) visit(one, name);
  };
  for (const command of program.commands) visit(command, []);
}
