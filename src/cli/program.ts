import { PROGRAM, VERSION } from "../platform/version.ts";
import { registerAdd } from "./add.ts";
import { registerCodex } from "./codex.ts";
import { type CommandLine, commandLine } from "./command_line.ts";
import { registerConfig } from "./config.ts";
import type { Context } from "./context.ts";
import { registerDevice } from "./device.ts";
import { registerDisable } from "./disable.ts";
import { registerEnable } from "./enable.ts";
import { registerExplain } from "./explain.ts";
import { registerExport } from "./export.ts";
import { overview, registerHelp } from "./help.ts";
import { registerImport } from "./import.ts";
import { registerInstall } from "./install.ts";
import { registerLimits } from "./limits.ts";
import { registerList } from "./list.ts";
import { registerPassphrase } from "./passphrase.ts";
import { registerPath } from "./path.ts";
import { registerPin } from "./pin.ts";
import { registerRemove } from "./remove.ts";
import { registerRestore } from "./restore.ts";
import { registerSeal } from "./seal.ts";
import { registerStatus } from "./status.ts";
import { registerSwitch } from "./switch.ts";
import { registerSync } from "./sync.ts";
import { registerUninstall } from "./uninstall.ts";
import { registerUnpin } from "./unpin.ts";
import { registerUnseal } from "./unseal.ts";
import { registerUsage } from "./usage.ts";
import { registerWeb } from "./web.ts";

/** All commands, in the order in which help shows them. */
const COMMANDS = [
  registerAdd,
  registerRemove,
  registerList,
  registerStatus,
  registerLimits,
  registerUsage,
  registerExplain,
  registerPath,
  registerWeb,
  registerInstall,
  registerUninstall,
  registerEnable,
  registerDisable,
  registerPin,
  registerUnpin,
  registerRestore,
  registerDevice,
  registerSwitch,
  registerSync,
  registerCodex,
  registerConfig,
  registerSeal,
  registerUnseal,
  registerPassphrase,
  registerExport,
  registerImport,
  registerHelp,
];

/** The whole command line. It throws where commander would end the process. */
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
    });
  program.helpInformation = () => overview(program);
  for (const register of COMMANDS) register(program, context);
  return program;
}
