/**
 * Which Codex CLIs run: they keep the account they began with until they are started anew.
 *
 * @module
 */
import { basename, resolve } from "node:path";
import { type FileSystem, systemFiles } from "../platform/files.ts";
import { type Environment, set } from "../platform/paths.ts";
import { builtin, runtime } from "../platform/runtime.ts";
import { codexHome } from "./codex_home.ts";

/** Finds the processes of running Codex CLIs; undefined when this machine does not let us look. */
export type FindCodex = () => Promise<readonly number[] | undefined>;

/** A process as far as it interests us. */
interface Running {
  readonly pid: number;
  /** The program's path, then its arguments. */
  readonly command: readonly string[];
}

/** Subcommands that end by themselves and keep no account. */
const SHORT: readonly string[] = ["login", "logout", "completion", "help", "--version", "--help"];

/** Looks among the processes of this machine, through `/proc` where there is one, else with `ps`. */
export function findCodex(env: Environment, files: FileSystem = systemFiles): FindCodex {
  return async () => {
    const processes = fromProc(env, files) ?? await fromPs(env);
    return processes?.filter((one) => one.pid !== runtime.pid && isCodex(one.command))
      .map(({ pid }) => pid);
  };
}

/** Whether a command line is that of a Codex CLI that works with an account. */
export function isCodex([program = "", ...args]: readonly string[]): boolean {
  const named = (path: string) => /^codex(\.js|\.exe)?$/.test(basename(path));
  const rest = named(program)
    ? args
    // Installed from npm it is a script; the runtime's own name comes first.
    : /^(node|bun|deno)(\.exe)?$/.test(basename(program)) && named(args[0] ?? "")
    ? args.slice(1)
    : undefined;
  return rest !== undefined && !SHORT.includes(rest[0] ?? "");
}

/** Undefined where there is no `/proc`, or this runtime may not read it. */
function fromProc(env: Environment, files: FileSystem): Running[] | undefined {
  if (files.platform !== "linux") return undefined;
  const found: Running[] = [];
  try {
    // Without its own process in it, what is mounted there is no use.
    files.read(`/proc/${runtime.pid}/cmdline`);
    for (const name of files.list("/proc").filter((name) => /^\d+$/.test(name))) {
      const command = words(`/proc/${name}/cmdline`, files);
      if (isCodex(command) && usesHome(name, env, files)) {
        found.push({ pid: Number(name), command });
      }
    }
    return found;
  } catch {
    return undefined;
  }
}

/** Whether a process is of this person and keeps its login where we look. */
function usesHome(pid: string, env: Environment, files: FileSystem): boolean {
  const variables = words(`/proc/${pid}/environ`, files);
  // Another person's process does not show its environment, nor does one that has just ended.
  if (variables.length === 0) return false;
  const value = (name: string) =>
    set(variables.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1));
  const theirs = codexHome({ CODEX_HOME: value("CODEX_HOME"), HOME: value("HOME") });
  return resolve(theirs) === resolve(codexHome(env));
}

function words(path: string, files: FileSystem): string[] {
  try {
    return new TextDecoder().decode(files.read(path)).split("\0").filter((word) => word !== "");
  } catch {
    return [];
  }
}

/** One line for each process of this person: its number and its command line. */
function fromPs(env: Environment): Promise<Running[] | undefined> {
  const path = set(env["PATH"]) ?? set(runtime.env["PATH"]);
  const uid = runtime.getuid?.();
  if (uid === undefined) return Promise.resolve(undefined);
  return new Promise((done) => {
    builtin("node:child_process").execFile(
      "ps",
      ["-U", String(uid), "-o", "pid=,args="],
      {
        env: path === undefined ? {} : { PATH: path },
        timeout: 5_000,
        maxBuffer: 16 * 1024 * 1024,
      },
      (error, stdout) => done(error ? undefined : String(stdout).split("\n").flatMap(lineOf)),
    );
  });
}

function lineOf(line: string): Running[] {
  const [, pid, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
  return pid === undefined || command === undefined
    ? []
    : [{ pid: Number(pid), command: command.split(" ") }];
}
