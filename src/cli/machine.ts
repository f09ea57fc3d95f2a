import { existsSync, realpathSync } from "node:fs";
import process from "node:process";
import { findInstallation, type Installation } from "../platform/installation.ts";
import type { ProgramRunner } from "../service/program_runner.ts";
import type { Context } from "./context.ts";

/** What the commands about the program itself take from the machine. */
export interface Machine {
  /** As `process.platform` names it. */
  readonly platform: string;
  /** The person's user id, where there are any. */
  readonly uid: number | undefined;
  /** The program that runs us: a runtime, or ourselves. */
  readonly execPath: string;
  /** Versions of the runtime, as `process.versions` has them. */
  readonly versions: Readonly<Record<string, string | undefined>>;
  /** Starts other programs. */
  readonly runner: ProgramRunner;
}

/** The machine of a context. */
export async function machineOf(context: Context): Promise<Machine> {
  const given = context.machine ?? {};
  const runner = given.runner ??
    (await import("../service/program_runner.ts")).systemRunner(context.env, context.signal);
  return {
    platform: given.platform ?? process.platform,
    uid: "uid" in given ? given.uid : process.getuid?.(),
    execPath: given.execPath ?? process.execPath,
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
