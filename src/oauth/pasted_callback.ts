import { Failure } from "../platform/failure.ts";
import { readCallback } from "./callback.ts";

const WHOLE_ADDRESS =
  "Copy the whole address from the browser's address bar; it begins with http://localhost and has code= and state= in it.";

/** What was pasted is not the end of this login; the right text may still come. */
export class WrongPaste extends Failure {}

/**
 * Reads what a person copied from the browser after signing in: the full
 * address, its query (`?code=…&state=…`), or `code#state`.
 *
 * @param text As pasted; white space is ignored, since terminals break long lines.
 * @param state The state that was sent.
 * @returns The authorization code.
 * @throws {WrongPaste} when there is no code in it, or the state is missing or another login's.
 * @throws {Failure} when the sign-in was refused.
 */
export function readPastedCallback(text: string, state: string): string {
  const callback = readCallback(parametersOf(text), state);
  switch (callback.kind) {
    case "code":
      return callback.code;
    case "denied":
      throw callback.failure;
    case "empty":
      throw new WrongPaste("There is no sign-in code in what was pasted.", WHOLE_ADDRESS);
    case "foreign":
      throw callback.state === "missing"
        ? new WrongPaste("The state is missing from what was pasted.", WHOLE_ADDRESS)
        : new WrongPaste(
          "What was pasted belongs to another login (its state differs).",
          "Use the page that this login opened, and paste the address it ends at.",
        );
  }
}

function parametersOf(text: string): URLSearchParams {
  // The words of an error keep their spaces; in a code there are none.
  const whole = text.includes("error=")
    ? text.replace(/\s*[\r\n]+\s*/g, "").trim()
    : text.replace(/\s+/g, "");
  const line = whole.replace(/^["'<]+|["'>]+$/g, "");
  const question = line.indexOf("?");
  if (question >= 0) return new URLSearchParams(line.slice(question + 1).replace(/#.*$/, ""));
  if (/(^|&)(code|state|error)=/.test(line)) return new URLSearchParams(line);
  const [code = "", state = "", ...rest] = line.split("#");
  return new URLSearchParams(rest.length > 0 ? {} : { code, state });
}
