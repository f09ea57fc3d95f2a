/**
 * Our command line as it is released, in a sandbox: the one-file binary, and the npm package's `cli.js`
 * under each runtime.
 *
 * @module
 */
import { join } from "node:path";
import { inRepository } from "../../scripts/repository.ts";
import { toolPaths } from "../../scripts/tools.ts";
import { PERMISSIONS } from "../../src/platform/permissions.ts";
import { type Child, type Outcome, start } from "./child.ts";
import type { Sandbox } from "./sandbox.ts";

/** In which form the command line runs. */
export type Form = "binary" | "node" | "deno" | "bun";

/** Options of a command. */
export interface CommandOptions {
  /** Variables on top of the sandbox's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds it may take (default 30,000). */
  readonly limitMs?: number;
  /** Its form (default `binary`). */
  readonly form?: Form;
}

function commandLine(form: Form): [command: string, args: string[]] {
  const file = inRepository("npm", "cli.js");
  switch (form) {
    case "binary":
      return [inRepository(".tools", "bun-binary", "opencode-multi-auth"), []];
    case "node":
      return [toolPaths().node, [file]];
    case "bun":
      return [toolPaths().bun, [file]];
    case "deno":
      // With the permissions of the compiled binary, so that one it lacks is noticed here.
      return [Deno.execPath(), ["run", "--no-lock", "--no-config", ...PERMISSIONS, file]];
  }
}

/** Starts a command. */
export function startCli(
  sandbox: Sandbox,
  args: readonly string[],
  options: CommandOptions = {},
): Child {
  const [command, before] = commandLine(options.form ?? "binary");
  return start(command, [...before, ...args], {
    env: { ...sandbox.env, ...options.env },
    cwd: sandbox.project,
    limitMs: options.limitMs ?? 30_000,
  });
}

/** Runs a command to its end. */
export function cli(
  sandbox: Sandbox,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Outcome> {
  return startCli(sandbox, args, options).outcome;
}

/**
 * Adds an account through the real `add` command: opens the address it prints as a browser would, but
 * follows the redirect to the callback by hand.
 *
 * The login's two ports belong to the whole machine, so only one login runs at a time, over all test
 * processes: a lock on a file in the temporary folder sees to that.
 */
export async function add(
  sandbox: Sandbox,
  alias: string,
  options: CommandOptions = {},
): Promise<Outcome> {
  return await withCallbackPorts(async () => {
    await using child = startCli(sandbox, ["add", alias], options);
    await callbackOf(child);
    return await child.outcome;
  });
}

/** Runs something that listens on the login's two ports. */
export async function withCallbackPorts<T>(work: () => Promise<T>): Promise<T> {
  using lock = await Deno.open(lockFile(), { create: true, write: true });
  await lock.lock(true);
  return await work();
}

/** Opens the address that an `add` prints as a browser would, the redirect to the callback included. */
export async function callbackOf(child: Child): Promise<void> {
  const [address] = await child.said(/https?:\/\/\S+\/oauth\/authorize\?\S+/);
  const approved = await fetch(address, { redirect: "manual" });
  await approved.body?.cancel();
  const callback = approved.headers.get("location");
  if (callback === null) {
    throw new Error(`The issuer answered ${approved.status} without a redirect.`);
  }
  const page = await fetch(callback, { redirect: "manual" });
  await page.body?.cancel();
}

function lockFile(): string {
  return join(Deno.env.get("TMPDIR") ?? "/tmp", "opencode-multi-auth-callback.lock");
}

/** An account in `status --json`. */
export interface StatusAccount {
  readonly alias: string;
  readonly email: string | null;
  readonly uses: number;
  readonly expiresAt: number | null;
  readonly blockedUntil: number | null;
  readonly blockReason: string | null;
  readonly quota: {
    readonly windows: readonly {
      readonly minutes: number;
      readonly usedPercent: number;
      readonly resetsAt: number | null;
    }[];
  };
}

/** What `status --json` prints. */
export interface Status {
  readonly strategy: string;
  readonly active: string | null;
  readonly accounts: readonly StatusAccount[];
}

/** Asks `status --json`. */
export async function status(sandbox: Sandbox, options: CommandOptions = {}): Promise<Status> {
  const { code, stdout, stderr } = await cli(sandbox, ["status", "--json"], options);
  if (code !== 0) throw new Error(`status --json ended with code ${code}: ${stderr}`);
  return JSON.parse(stdout) as Status;
}
