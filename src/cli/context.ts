import type { RunInTerminal } from "../codex_cli/login_home.ts";
import type { FindCodex } from "../codex_cli/running_codex.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { type Environment, set } from "../platform/paths.ts";
import { runtime } from "../platform/runtime.ts";
import type { ProgramRunner } from "../service/program_runner.ts";
import type { Prompts } from "./prompts.ts";
import { isDevice, writeOut } from "./standard_output.ts";

/** Everything that a command takes from outside. */
export interface Context {
  /** What stands on the command line after the program's name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** Writes to standard output. */
  write(text: string): void;
  /** Writes to standard error. */
  warn(text: string): void;
  /** Which ends are a terminal with a person behind it. */
  readonly terminal: { readonly input: boolean; readonly output: boolean };
  /** Width of the terminal in characters; 80 where there is none. */
  readonly columns: number;
  /** Whether standard output may hold colours. */
  readonly colour: boolean;
  /** How times are written; undefined means the system's locale and time zone. */
  readonly locale?: string;
  readonly timeZone?: string;
  readonly clock: Clock;
  /** Uniform in [0, 1); not for secrets. */
  readonly random: () => number;
  readonly fetch: typeof globalThis.fetch;
  /** Ports for the login's callback, tried in this order; undefined means the registered ones. */
  readonly callbackPorts?: readonly number[];
  /** Questions to the person; loaded only when one is asked. */
  prompts(): Promise<Prompts>;
  /** The next line of standard input, or undefined at its end. For input without a terminal. */
  readLine(): Promise<string | undefined>;
  /** Opens an address in the person's browser; false when that is not possible. */
  openBrowser(url: string): Promise<boolean>;
  /** Runs a program on the person's terminal (default: really). */
  readonly runInTerminal?: RunInTerminal;
  /** Finds running Codex CLIs (default: among the machine's processes). */
  readonly findCodex?: FindCodex;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
  /** The folder from which relative paths count. */
  readonly folder: string;
  /** Address or path of the file that runs as the program; undefined when it is not known. */
  readonly programFile?: string;
  /** Stands in for parts of the machine; undefined means the real one. For tests. */
  readonly machine?: Partial<Machine>;
}

/** How the person in front of the program is asked and shown something. */
export type Person = Pick<Context, "prompts" | "readLine" | "openBrowser">;

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

/**
 * The context of the real process.
 *
 * @param programFile Address of the file that runs as the program.
 * @param signal Aborts at Ctrl-C.
 * @param person Who is asked.
 */
export function systemContext(programFile: string, signal: AbortSignal, person: Person): Context {
  const { env } = runtime;
  // Made when they are asked for: their streams cost time.
  const terminal = {
    get input() {
      return isDevice(0) && runtime.stdin.isTTY === true;
    },
    get output() {
      return isDevice(1) && runtime.stdout.isTTY === true;
    },
  };
  return {
    argv: runtime.argv.slice(2),
    env,
    write: writeOut,
    warn: (text) => void runtime.stderr.write(text),
    terminal,
    columns: terminal.output && runtime.stdout.columns || 80,
    colour: terminal.output && set(env["NO_COLOR"]) === undefined && env["TERM"] !== "dumb",
    clock: systemClock,
    random: Math.random,
    fetch: globalThis.fetch,
    ...person,
    signal,
    folder: currentFolder(env),
    programFile,
  };
}

/** The folder we were started in; of one that was removed meanwhile, the path that the shell still has. */
function currentFolder(env: Environment): string {
  try {
    return runtime.cwd();
  } catch {
    return set(env["PWD"]) ?? "/";
  }
}
