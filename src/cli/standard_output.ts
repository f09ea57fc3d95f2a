import process from "node:process";

let waiting = 0;
let failure: Error | undefined;
let onEnd: ((failure: Error | undefined) => void) | undefined;

/** Writes to standard output. A failure becomes an event of the stream, in Deno too, which throws it. */
export function writeOut(text: string): void {
  waiting++;
  const written = (error?: Error | null) => {
    waiting--;
    failure ??= error ?? undefined;
    if (waiting === 0) onEnd?.(failure);
  };
  try {
    process.stdout.write(text, written);
  } catch (error) {
    written(error as Error);
    process.stdout.emit("error", error);
  }
}

/**
 * Waits until all that `writeOut` was given is written. Bun tells of an empty write at once, whatever is
 * still on its way before it, so each write is counted.
 *
 * @param end Is told, once, what the first write failed for, if one did.
 */
export function whenWritten(end: (failure: Error | undefined) => void): void {
  if (waiting === 0) end(failure);
  else onEnd = end;
}
