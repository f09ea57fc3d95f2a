import { doesNotMatch, match, ok, rejects } from "node:assert/strict";
import { Failure } from "../../src/platform/failure.ts";

/** That a login ends with a failure in words, which has a fix and repeats no secret. */
export async function failsWith(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  await rejects(promise, (error) => {
    ok(error instanceof Failure, String(error));
    match(error.message, pattern);
    doesNotMatch(error.message, /\n|eyJ|rt_|ac_/);
    ok(error.fix, "a fix");
    return true;
  });
}
