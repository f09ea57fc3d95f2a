import { existsSync, realpathSync } from "node:fs";
import process from "node:process";
import { findInstallation, type Installation } from "../platform/installation.ts";
import type { Context, Machine } from "./context.ts";

/** The machine of a context. */
export async function machineOf(context: Context): Promise<Machine> {
  const given = context.machine ?? {};
  const runner = given.runner ??
    (await import("../service/program_runner.ts")).systemRunner(context.env, context.signal);
  return {
    platform: given.platform ?? process.platform,
    // Asked for only by whom it concerns: under Deno both take a permission.
    get uid() {
      return "uid" in given ? given.uid : process.getuid?.();
    },
    get execPath() {
      return given.execPath ?? process.execPath;
    },
    versions: given.versions ?? process.versions,
    runner,
  };
}

/** How the running program was installed. */
export function installationOf(context: Context, machine: Machine): Installation {
  return findInstallation({
    program: context.programFile,
    execPath: machine.execPath,
    versions: machine.versions,
    env: context.env,
    follow: (path) => {
      try {
        return realpathSync(path);
      } catch {
        return path;
      }
    },
    exists: existsSync,
  });
}
