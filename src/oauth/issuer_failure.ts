import { printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";
import { redact } from "../platform/redaction.ts";
import { errorCodeOf, jsonObject } from "./error_code.ts";
import type { Sent } from "./request.ts";

const AGAIN = "Start the login again.";

/** The person, or the program around it, has ended a login. */
export function cancelled(): Failure {
  return new Failure("The login was cancelled.", "Nothing was changed.");
}

/** The request got no answer at all. */
export function unanswered(
  issuer: string,
  sent: Exclude<Sent, { kind: "answered" }>,
): Failure {
  if (sent.cause === "aborted") return cancelled();
  return sent.kind === "not sent"
    ? new Failure(
      `${issuer} cannot be reached (${sent.cause}).`,
      `Check the network, the proxy and OPENCODE_MULTI_AUTH_ISSUER_URL if you set it. ${AGAIN}`,
    )
    : new Failure(`${issuer} did not answer (${sent.cause}).`, AGAIN);
}

/**
 * The issuer answered, but not with what was asked for.
 *
 * @param what What we wanted, to follow "does not".
 */
export function refused(
  issuer: string,
  what: string,
  answer: Extract<Sent, { kind: "answered" }>,
): Failure {
  const code = errorCodeOf(jsonObject(answer.body));
  const reason = code === undefined
    ? `status ${answer.status}`
    : `status ${answer.status}, ${code}`;
  if (answer.status >= 500 || answer.status === 429) {
    return new Failure(
      `${issuer} does not ${what} right now (${reason}).`,
      "Try again in a minute.",
    );
  }
  return new Failure(`${issuer} does not ${what} (${reason}).`, AGAIN);
}

/** The authorization code cannot be exchanged any more. */
export function codeExpired(): Failure {
  return new Failure("The sign-in code has expired or was used before.", AGAIN);
}

/**
 * The login page sent the browser back with an error.
 *
 * @param error OAuth's error code.
 * @param description The issuer's own words, if it gave some. They come through the browser, so they may be anything.
 */
export function deniedLogin(error: string, description: string | undefined): Failure {
  const words = printable(redact((description ?? "").replace(/\s+/g, " ").trim()));
  const code = /^[a-z0-9_.-]{1,64}$/i.test(error) ? redact(error) : "error";
  const said = words === "" ? code : `${code}: ${words}`;
  return error === "access_denied"
    ? new Failure(
      `The sign-in was refused (${said}).`,
      "Start the login again and allow access, or ask the owner of the workspace to.",
    )
    : new Failure(`The sign-in failed (${said}).`, AGAIN);
}
