import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../src/cli/context.ts";
import type { Ended, ProgramRunner } from "../../src/service/program_runner.ts";
import type { Session } from "./session.ts";

/** A service manager that does nothing and remembers what it was asked. */
export interface Recorder extends ProgramRunner {
  readonly calls: string[];
}

/** @param answer What a program answers that is called with these words. */
export function recorder(answer: (call: string) => Partial<Ended> = () => ({})): Recorder {
  const calls: string[] = [];
  const ended = (program: string, args: readonly string[]): Ended => {
    const call = [program, ...args].join(" ");
    calls.push(call);
    return { code: 0, stdout: "", stderr: "", ...answer(call) };
  };
  return {
    calls,
    run: (program, args) => Promise.resolve(ended(program, args)),
    show: (program, args) => Promise.resolve(ended(program, args).code),
  };
}

/** A person's machine on which our binary lies in a folder with a space. */
export function machine(
  session: Session,
  platform: string,
  runner: ProgramRunner,
  env: Record<string, string> = {},
): Partial<Context> {
  const bin = join(session.home, "bin");
  mkdirSync(bin, { recursive: true });
  if (platform === "linux") writeFileSync(join(bin, "systemctl"), "", { mode: 0o755 });
  return {
    env: { HOME: session.home, PATH: bin, ...env },
    programFile: "file:///tmp/deno-compile-x/cli.js",
    machine: {
      platform,
      uid: 501,
      execPath: join(session.home, "my tools", "opencode-multi-auth"),
      versions: { deno: "2.9.6" },
      runner,
    },
  };
}

/** The unit, from the home folder on. */
export const UNIT = ".config/systemd/user/codex-soft.service";
