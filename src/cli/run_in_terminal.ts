import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Environment } from "../platform/paths.ts";

/**
 * Runs a program that talks to the person itself: it has this process's terminal.
 *
 * @param stdout Where its standard output goes: this process's, or its standard error.
 * @param signal Ends it. On a terminal Ctrl-C reaches it anyway.
 * @returns Its exit status, as a shell counts it.
 */
export function runInTerminal(
  command: string,
  args: readonly string[],
  env: Environment,
  stdout: "output" | "error",
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      env: { ...env },
      stdio: ["inherit", stdout === "output" ? "inherit" : 2, "inherit"],
    });
    const stop = () => void child.kill("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    child.on("error", reject);
    child.on("close", (code, ended) => {
      signal.removeEventListener("abort", stop);
      resolve(code ?? 128 + (ended === null ? 0 : constants.signals[ended]));
    });
  });
}
