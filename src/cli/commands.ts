import { registerAdd } from "./add.ts";
import { registerCodex } from "./codex.ts";
import { registerCompletions } from "./completions.ts";
import { registerConfig } from "./config.ts";
import { registerDevice } from "./device.ts";
import { registerDisable } from "./disable.ts";
import { registerDoctor } from "./doctor.ts";
import { registerEnable } from "./enable.ts";
import { registerExplain } from "./explain.ts";
import { registerExport } from "./export.ts";
import { registerHelp } from "./help.ts";
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
import type { Commands } from "./program.ts";
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
export const COMMANDS: Commands = [
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
