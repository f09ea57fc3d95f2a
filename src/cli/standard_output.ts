import { errorCode } from "../platform/failure.ts";
import { standStill } from "../platform/files.ts";
import { builtin, runtime } from "../platform/runtime.ts";

/** Number of standard output among a process's open files. */
const STDOUT = 1;

let waiting = 0;
let failure: Error | undefined;
let onEnd: ((failure: Error | undefined) => void) | undefined;
let stream: typeof runtime.stdout | undefined;

/**
 * Writes to standard output; where that cannot be, the program ends.
 *
 * A file or a pipe is written to without its stream, which takes Bun 7 ms to make. A terminal has its
 * stream, which knows its encoding.
 */
export function writeOut(text: string): void {
  if (!isDevice(STDOUT)) return writeBytes(new TextEncoder().encode(text));
  waiting++;
  const done = (error?: Error | null) => {
    waiting--;
    failure ??= error ?? undefined;
    if (waiting === 0) onEnd?.(failure);
  };
  try {
    outputStream().write(text, done);
  } catch (error) {
    // Deno throws what is an event elsewhere.
    done(error as Error);
    outputFailed(error as Error);
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

/** Whether an open file is a device, as every terminal is. To ask its stream would mean to make it. */
export function isDevice(file: number): boolean {
  try {
    return builtin("node:fs").fstatSync(file).isCharacterDevice();
  } catch {
    // The stream knows what has become of it.
    return true;
  }
}

/** The stream, whose failures end the program from now on. */
export function outputStream(): typeof runtime.stdout {
  return stream ??= runtime.stdout.on("error", outputFailed);
}

/** Bytes that a pipe takes whole or not at all, on every system (POSIX): Deno does not say how many of more it took. */
const PIECE = 512;
/** Pause before a pipe that is full is tried again, in milliseconds. */
const FULL_MS = 5;

function writeBytes(bytes: Uint8Array): void {
  const { writeSync } = builtin("node:fs");
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(STDOUT, bytes.subarray(0, PIECE)));
    } catch (error) {
      // Another program has set the pipe not to wait for its reader.
      if (errorCode(error) === "EAGAIN") standStill(FULL_MS);
      else return outputFailed(error as Error);
    }
  }
}

function outputFailed(error: Error): void {
  // The reader of a pipe may leave early, as `head` does.
  if (errorCode(error) === "EPIPE") runtime.exit(0);
  runtime.stderr.write(`Error: The output could not be written (${error.message}).\n`);
  runtime.exit(1);
}
