/**
 * A failure that the person can mend: one sentence that names the thing, and
 * the fix. The command line prints it as one line; everything else is a bug.
 */
export class Failure extends Error {
  /** Tells it from other errors. */
  override readonly name = "Failure";

  /**
   * Says what is wrong and how it is mended.
   *
   * @param message What is wrong, naming the thing. Never contains a token.
   * @param fix What to do about it, as an instruction.
   * @param exitCode Exit status of the command line: 1, or 2 for wrong usage.
   */
  constructor(message: string, readonly fix?: string, readonly exitCode: 1 | 2 = 1) {
    super(fix === undefined ? message : `${message} ${fix}`);
  }
}

/** The message of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, " ").trim();
}

/** Whether Deno refused something for want of a permission; it asks nobody and has no error code. */
export function notPermitted(error: unknown): boolean {
  return error instanceof Error && (error.name === "NotCapable" || notPermitted(error.cause));
}

/** The system's error code (`ENOENT`, `EACCES`, …), also when it hides behind `cause`; else undefined. */
export function errorCode(error: unknown): string | undefined {
  for (
    let at: unknown = error, depth = 0;
    at instanceof Error && depth < 5;
    at = at.cause, depth++
  ) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === "string") return code;
  }
  return undefined;
}
