import { createInterface } from "node:readline";

/**
 * Reads one line, for input that comes through a pipe.
 *
 * @param input Where from.
 * @param signal Ends the wait.
 * @returns The line without its end, or undefined when the input ends before one came.
 * @throws The signal's reason when it aborts.
 */
export function readLine(
  input: NodeJS.ReadableStream,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const lines = createInterface({ input });
    const onAbort = () => {
      reject(signal.reason);
      lines.close();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    lines.once("line", (line) => {
      resolve(line);
      lines.close();
    });
    lines.once("close", () => {
      signal.removeEventListener("abort", onAbort);
      resolve(undefined);
    });
  });
}
