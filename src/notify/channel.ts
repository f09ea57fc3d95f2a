import type { Clock } from "../platform/clock.ts";
import type { Environment } from "../platform/paths.ts";
import type { Notification } from "./notification.ts";

/** How a program ended. */
export interface Ended {
  /** Exit status; null where a signal ended it. */
  readonly code: number | null;
  /** The first of what it wrote to standard error. */
  readonly said: string;
}

/** What channels need of the machine. */
export interface Machine {
  /** As `process.platform` names it. */
  readonly platform: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Aborts when nothing may be under way any more. */
  readonly signal?: AbortSignal;
  /** Aborts when no pause fits in any more. */
  readonly hurry?: AbortSignal;
  /** Path of a program that can be started, undefined when there is none. */
  find(program: string): string | undefined;
  /**
   * Starts a program that may outlive us, without a shell.
   *
   * @param input What it gets on standard input.
   * @throws when it cannot be started.
   */
  run(program: string, args: readonly string[], input?: string): Promise<Ended>;
}

/** Whether a channel can be used here; if not, why. */
export type Availability =
  | { readonly there: true; readonly how: string }
  | { readonly there: false; readonly why: string };

/** One way to tell a person something. */
export interface Channel {
  readonly name: string;
  availability(): Availability;
  /**
   * Tells it.
   *
   * @param link Where a click leads; undefined for nowhere.
   * @returns What it was told without, if anything, in words.
   * @throws with a sentence for the log when that fails; it holds no token and no topic.
   */
  send(notification: Notification, link: string | undefined): Promise<string | void>;
}

/** Runs a program to its end. */
export async function runWell(
  machine: Machine,
  program: string,
  args: readonly string[],
  input?: string,
): Promise<void> {
  const { code, said } = await machine.run(program, args, input);
  if (code !== 0) {
    const name = program.split(/[\\/]/).at(-1);
    throw new Error(`${name} ended with ${code ?? "a signal"}${said === "" ? "" : `: ${said}`}`);
  }
}
