import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { Failure } from "../platform/failure.ts";
import { type Environment, set } from "../platform/paths.ts";
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
  if (platform !== "win32" && onPath("systemctl", env)) return systemd(env, runner);
  throw new Failure(
    platform === "win32"
      ? "Windows has neither systemd nor launchd, and other service managers are not known here."
      : "This machine has neither systemd nor launchd.",
    `Let your own means start "${PROGRAM} web"${
      platform === "win32" ? ", such as Task Scheduler at log on" : ""
    }.`,
  );
}

function onPath(program: string, env: Environment): boolean {
  const folders = (set(env["PATH"]) ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
