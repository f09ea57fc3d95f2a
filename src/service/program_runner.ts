import { spawn } from "node:child_process";
import { errorCode, Failure, messageOf } from "../platform/failure.ts";

/** What a program left behind. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts other programs; tests put a recorder in its place. */
export interface ProgramRunner {
  /**
   * Runs a program to its end, without standard input.
   *
   * @throws {Failure} when it cannot be started or takes too long.
   */
  run(program: string, args: readonly string[]): Promise<Ended>;
  /**
   * Runs a program on the person's terminal.
   *
   * @returns Its exit status.
   * @throws {Failure} when it cannot be started.
   */
  show(program: string, args: readonly string[]): Promise<number>;
}

/** How long a service manager may take, in milliseconds: starting waits for the one before to end. */
const LIMIT_MS = 30_000;

/**
 * Starts programs of this machine.
 *
 * @param env Their environment.
 * @param signal Ends a shown program when the person interrupts ours.
 */
export function systemRunner(
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): ProgramRunner {
  const cannot = (program: string, error: unknown) =>
    new Failure(
      `${program} could not be started (${errorCode(error) ?? messageOf(error)}).`,
      "See whether it is there and may be run.",
    );
  return {
    run: (program, args) =>
      new Promise((resolve, reject) => {
        const child = spawn(program, [...args], {
          env: { ...env },
          stdio: ["ignore", "pipe", "pipe"],
          timeout: LIMIT_MS,
        });
        let stdout = "";
        let stderr = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
        child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
        child.once("error", (error) => reject(cannot(program, error)));
        child.once("close", (code) => {
          if (code !== null) return resolve({ code, stdout, stderr });
          reject(
            new Failure(
              `${program} ${args.join(" ")} did not end within ${LIMIT_MS / 1000} s.`,
              "Run it by hand to see what it waits for.",
            ),
          );
        });
      }),
    show: (program, args) =>
      new Promise((resolve, reject) => {
        const child = spawn(program, [...args], {
          env: { ...env },
          stdio: ["ignore", "inherit", "inherit"],
        });
        const stop = () => void child.kill("SIGTERM");
        signal.addEventListener("abort", stop);
        child.once("error", (error) => reject(cannot(program, error)));
        child.once("close", (code) => {
          signal.removeEventListener("abort", stop);
          resolve(signal.aborted ? 0 : code ?? 1);
        });
      }),
  };
}
