import { runtime } from "../platform/runtime.ts";
import { type Context, type Person, systemContext } from "./context.ts";
import { isDevice, outputStream, whenWritten } from "./standard_output.ts";

/**
 * The program as a process: its signals, its output and its end.
 *
 * @param programFile Address of the file that runs as the program.
 * @param run Does what the command line asks for, and gives the exit status.
 * @param person Who is asked, given what aborts at Ctrl-C.
 */
export async function main(
  programFile: string,
  run: (context: Context) => Promise<number>,
  person: (signal: AbortSignal) => Person,
): Promise<void> {
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    const onSignal = () => {
      interrupt.abort();
      // The next one ends the program at once. Only after all who listen have heard this one: whoever
      // finds himself alone would end it now.
      setTimeout(() => runtime.off(name, onSignal));
    };
    runtime.on(name, onSignal);
  }
  // Questions are written to a terminal past us.
  if (isDevice(1)) outputStream();

  runtime.exitCode = await run(
    systemContext(programFile, interrupt.signal, person(interrupt.signal)),
  );
  // What was printed must be out before the end; a browser or an idle connection must not delay it.
  // Where it could not be written, what listens for that says so and ends.
  whenWritten((failure) => {
    if (!failure) runtime.exit();
    setTimeout(() => runtime.exit(1));
  });
}
