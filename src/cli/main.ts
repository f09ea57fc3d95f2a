import process from "node:process";
import { type Person, systemContext } from "./context.ts";
import type { Commands } from "./program.ts";
import { run } from "./run.ts";
import { whenWritten } from "./standard_output.ts";

/**
 * The program as a process: its signals, its output and its end.
 *
 * @param programFile Address of the file that runs as the program.
 * @param commands Those that there are.
 * @param person Who is asked, given what aborts at Ctrl-C.
 */
export async function main(
  programFile: string,
  commands: Commands,
  person: (signal: AbortSignal) => Person,
): Promise<void> {
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    const onSignal = () => {
      interrupt.abort();
      // The next one ends the program at once. Only after all who listen have heard this one: whoever
      // finds himself alone would end it now.
      setTimeout(() => process.off(name, onSignal));
    };
    process.on(name, onSignal);
  }
  process.stdout.on("error", (error: Error & { code?: string }) => {
    // The reader of a pipe may leave early, as `head` does.
    if (error.code === "EPIPE") process.exit(0);
    process.stderr.write(`Error: The output could not be written (${error.message}).\n`);
    process.exit(1);
  });

  process.exitCode = await run(
    systemContext(programFile, interrupt.signal, person(interrupt.signal)),
    commands,
  );
  // What was printed must be out before the end; a browser or an idle connection must not delay it.
  // Where it could not be written, what listens for that says so and ends.
  whenWritten((failure) => {
    if (!failure) process.exit();
    setTimeout(() => process.exit(1));
  });
}
