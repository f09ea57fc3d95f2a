import { Failure } from "../platform/failure.ts";
import { findProgram } from "../platform/find_program.ts";
import type { Environment } from "../platform/paths.ts";
import { PROGRAM } from "../platform/version.ts";
import { launchd } from "./launchd.ts";
import type { ProgramRunner } from "./program_runner.ts";
import type { ServiceManager } from "./service.ts";
import { systemd } from "./systemd.ts";

/** Where a service manager is looked for. */
export interface Machine {
  readonly env: Environment;
  /** As `process.platform` names it. */
  readonly platform: string;
  /** The person's user id, where there are any. */
  readonly uid: number | undefined;
  readonly runner: ProgramRunner;
}

/**
 * The service manager of this machine.
 *
 * @throws {Failure} where there is none that we know.
 */
export function findManager({ env, platform, uid, runner }: Machine): ServiceManager {
  if (platform === "darwin" && uid !== undefined) return launchd(env, runner, uid);
  if (platform !== "win32" && findProgram("systemctl", env, platform) !== undefined) {
    return systemd(env, runner);
  }
  throw new Failure(
    platform === "win32"
      ? "Windows has neither systemd nor launchd, and other service managers are not known here."
      : "This machine has neither systemd nor launchd.",
    `Let your own means start "${PROGRAM} web"${
      platform === "win32" ? ", such as Task Scheduler at log on" : ""
    }.`,
  );
}
