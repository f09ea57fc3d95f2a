import type { Context } from "./context.ts";

/** What `--json` is, in the help of every command. */
export const JSON_ABOUT = "print one JSON object";

/** Options that every command has. */
export interface OutputOptions {
  readonly json?: true | undefined;
}

/** Prints what a command found or did: with `--json` one object, else text for people. */
export function report(
  context: Context,
  options: OutputOptions,
  outcome: Readonly<Record<string, unknown>>,
  text: string,
): void {
  context.write(options.json ? `${JSON.stringify(outcome, null, 2)}\n` : text);
}

/**
 * Says something on the way to the result: on standard output, but on standard
 * error with `--json`, where standard output belongs to the object.
 */
export function narrate(context: Context, options: OutputOptions, text: string): void {
  if (options.json) context.warn(text);
  else context.write(text);
}
