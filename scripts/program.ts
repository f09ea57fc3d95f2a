/** How {@linkcode run} starts a program. */
export interface RunOptions {
  /** The folder it starts in (default: this process's). */
  cwd?: string;
  /** Variables added to this process's environment. */
  env?: Record<string, string>;
  /** Whether what it wrote to standard error is given as well, behind the rest (default: not). */
  errors?: boolean;
}

/**
 * Runs a program to its end without a terminal and gives what it wrote to standard output.
 *
 * @param command The program's name or path.
 * @param args Its arguments.
 * @throws {Error} when it ends with a code other than 0; the message holds the end of what it wrote.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const out = new TextDecoder().decode(stdout);
  const errors = new TextDecoder().decode(stderr);
  if (code !== 0) {
    const said = `${out}\n${errors}`.trim().split("\n").slice(-20);
    throw new Error(`${command} ${args[0] ?? ""} ended with code ${code}.\n${said.join("\n")}`);
  }
  return options.errors ? out + errors : out;
}

/** A size for people, in KiB or MiB. */
export function size(bytes: number): string {
  return bytes < 1024 * 1024
    ? `${(bytes / 1024).toFixed(1)} KiB`
    : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Seconds since a moment of `performance.now()`, for people. */
export function since(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/**
 * Runs a script's work; a failure is printed without a stack trace and ends the process with code 1.
 *
 * @param work What the script does.
 */
export async function script(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
