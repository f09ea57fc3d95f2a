import type { Clock } from "../platform/clock.ts";
import { findProgram } from "../platform/find_program.ts";
import { type Environment, set } from "../platform/paths.ts";
import { builtin, runtime } from "../platform/runtime.ts";
import type { Ended, Machine } from "./channel.ts";
import { oneLine } from "./notification.ts";

/** A program that shows a notification gets this long, in milliseconds. */
const LIMIT_MS = 20_000;
/** Most that is kept of what a program writes to standard error, in characters. */
const SAID_LIMIT = 200;

/**
 * This machine, for channels.
 *
 * @param options.platform As `process.platform` names it (default: this one).
 * @param options.background Whether our own process may end while a program still runs (default false).
 */
export function thisMachine(options: {
  env: Environment;
  clock: Clock;
  fetch: typeof fetch;
  platform?: string;
  background?: boolean;
}): Machine {
  const { env, clock, platform = runtime.platform, background = false } = options;
  return {
    platform,
    env,
    clock,
    fetch: options.fetch,
    find: (program) => findProgram(program, env, platform),
    run: (program, args, input) => run(program, args, input, env, clock, background),
  };
}

/** Starts a program in a session of its own: OpenCode's end, or Ctrl-C, does not take it along. */
function run(
  program: string,
  args: readonly string[],
  input: string | undefined,
  env: Environment,
  clock: Clock,
  background: boolean,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = builtin("node:child_process").spawn(program, [...args], {
      // What shows notifications has no use for our secrets.
      env: withoutSecrets(env),
      stdio: [input === undefined ? "ignore" : "pipe", "ignore", "pipe"],
      detached: runtime.platform !== "win32",
      windowsHide: true,
    });
    const cancel = clock.after(LIMIT_MS, () => child.kill(), { background: true });
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (said.length < SAID_LIMIT) said += text;
    });
    child.once("error", (error) => {
      cancel();
      reject(error);
    });
    // `exit` and not `close`: a sound that a program leaves behind may hold its standard error open.
    child.once("exit", (code) => {
      cancel();
      resolve({ code, said: oneLine(said, SAID_LIMIT) });
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
    if (!background) return;
    child.unref();
    for (const stream of [child.stderr, child.stdin]) {
      (stream as { unref?: () => void } | null)?.unref?.();
    }
  });
}

function withoutSecrets(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] =>
      entry[1] !== undefined && !/TOKEN|PASSPHRASE|PASSWORD|SECRET|API_KEY/i.test(entry[0])
    ),
  );
}

/** A variable that says that we run in Linux on Windows. */
export function isWsl(env: Environment): boolean {
  return set(env["WSL_DISTRO_NAME"]) !== undefined;
}
