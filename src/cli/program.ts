import { PROGRAM, VERSION } from "../platform/version.ts";
import { registerAdd } from "./add.ts";
import { registerCodex } from "./codex.ts";
import { type CommandLine, commandLine } from "./command_line.ts";
import { completeExamples } from "./command_examples.ts";
import { registerCompletions } from "./completions.ts";
import { registerConfig } from "./config.ts";
import type { Context } from "./context.ts";
import { registerDevice } from "./device.ts";
import { registerDisable } from "./disable.ts";
import { registerDoctor } from "./doctor.ts";
import { registerEnable } from "./enable.ts";
import { registerExplain } from "./explain.ts";
import { registerExport } from "./export.ts";
import { overview, registerHelp } from "./help.ts";
import { registerImport } from "./import.ts";
import { registerInstall } from "./install.ts";
import { registerLimits } from "./limits.ts";
import { registerList } from "./list.ts";
import { registerLogs } from "./logs.ts";
import { registerMigrate } from "./migrate.ts";
import { registerModels } from "./models.ts";
import { registerNotify } from "./notify.ts";
import { registerPassphrase } from "./passphrase.ts";
import { registerPath } from "./path.ts";
import { registerPin } from "./pin.ts";
import { registerRemove } from "./remove.ts";
import { registerRestore } from "./restore.ts";
import { registerSeal } from "./seal.ts";
import { registerService } from "./service.ts";
import { registerStatus } from "./status.ts";
import { registerSwitch } from "./switch.ts";
import { registerSync } from "./sync.ts";
import { registerUninstall } from "./uninstall.ts";
import { registerUnpin } from "./unpin.ts";
import { registerUnseal } from "./unseal.ts";
import { registerUpgrade } from "./upgrade.ts";
import { registerUsage } from "./usage.ts";
import { registerVersion } from "./version.ts";
import { registerWeb } from "./web.ts";

/** All commands by the names they go by, in the order in which help shows them. */
export const COMMANDS: readonly (readonly [
  names: readonly string[],
  register: (program: CommandLine, context: Context) => void,
])[] = [
  [["add", "login"], registerAdd],
  [["remove", "rm"], registerRemove],
  [["list", "ls"], registerList],
  [["status"], registerStatus],
  [["limits"], registerLimits],
  [["usage"], registerUsage],
  [["explain"], registerExplain],
  [["models"], registerModels],
  [["path"], registerPath],
  [["web"], registerWeb],
  [["service"], registerService],
  [["install"], registerInstall],
  [["migrate"], registerMigrate],
  [["uninstall"], registerUninstall],
  [["doctor"], registerDoctor],
  [["enable"], registerEnable],
  [["disable"], registerDisable],
  [["pin"], registerPin],
  [["unpin"], registerUnpin],
  [["restore"], registerRestore],
  [["device"], registerDevice],
  [["switch"], registerSwitch],
  [["sync"], registerSync],
  [["codex"], registerCodex],
  [["config"], registerConfig],
  [["notify"], registerNotify],
  [["seal"], registerSeal],
  [["unseal"], registerUnseal],
  [["passphrase"], registerPassphrase],
  [["export"], registerExport],
  [["import"], registerImport],
  [["logs"], registerLogs],
  [["completions"], registerCompletions],
  [["upgrade"], registerUpgrade],
  [["version"], registerVersion],
  [["help"], registerHelp],
];

/** Commands that speak of the others. */
const NEEDS_ALL: readonly string[] = ["help", "completions"];

/**
 * The command line. It throws where commander would end the process.
 *
 * Making all commands takes longer than most of them run, so where the first word names one, that one
 * is made and no other.
 */
export function createProgram(context: Context): CommandLine {
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
  const asked = COMMANDS.filter(([names]) => names.includes(word) && !NEEDS_ALL.includes(word));
  for (const [, register] of asked.length > 0 ? asked : COMMANDS) register(program, context);
  completeExamples(program);
  return program;
}

/** A text without the line breaks of its source, so that help breaks it once; paragraphs and lists stay. */
function unfolded(text: string): string {
  return text.replace(/(?<=\S)\n(?=\S)/g, " ");
}
