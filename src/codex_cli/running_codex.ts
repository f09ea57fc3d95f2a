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

/** Subcommands that keep no account. */
const WITHOUT_ACCOUNT: readonly string[] = [
  ...["login", "logout", "mcp", "plugin", "completion", "update", "doctor", "sandbox", "debug"],
  ...["apply", "a", "archive", "unarchive", "delete", "migrate-rollouts", "migrate-nfs-db"],
  ...["features", "help", "--help", "-h", "--version", "-V"],
];
/** Options before a subcommand that take the next word. */
const WITH_VALUE: readonly string[] = [
  ...["-c", "--config", "--enable", "--disable", "--remote", "--remote-auth-token-env", "-m"],
  ...["--model", "--local-provider", "-p", "--profile", "-s", "--sandbox", "-C", "--cd"],
  ...["--add-dir", "-a", "--ask-for-approval"],
];
/** The one that takes all words up to the next option. */
const WITH_VALUES: readonly string[] = ["-i", "--image"];

/** Looks among the processes of this machine, through `/proc` where there is one, else with `ps`. */
export function findCodex(env: Environment, files: FileSystem = systemFiles): FindCodex {
  return async () => {
    const processes = fromProc(env, files) ?? await fromPs(env);
    return processes?.filter((one) => one.pid !== runtime.pid && isCodex(one.command))
      .map(({ pid }) => pid);
  };
}

/**
 * Whether a command line is that of a Codex CLI that works with an account. What npm installs is a script
 * that starts it, and is not counted itself.
 */
export function isCodex([program = "", ...args]: readonly string[]): boolean {
  return /^codex(\.exe)?$/.test(basename(program)) && !WITHOUT_ACCOUNT.includes(subcommand(args));
}

/** The first word that is no option before the subcommand, and no value of one; "" where a session begins. */
function subcommand(args: readonly string[]): string {
  let values = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--") return "";
    if (!word.startsWith("-")) {
      if (!values) return word;
    } else if (WITHOUT_ACCOUNT.includes(word)) return word;
    else {
      values = WITH_VALUES.includes(word);
      if (WITH_VALUE.includes(word)) at++;
    }
  }
  return "";
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
      if (isCodex(command) && isItself(name, files) && usesHome(name, env, files)) {
        found.push({ pid: Number(name), command });
      }
    }
    return found;
  } catch {
    return undefined;
  }
}

/** Whether the program that runs is called so too: any other one can be given that name. */
function isItself(pid: string, files: FileSystem): boolean {
  try {
    // Packages may put a script around it, and it may have been replaced since.
    return basename(files.readlink(`/proc/${pid}/exe`)).includes("codex");
  } catch {
    return false;
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
