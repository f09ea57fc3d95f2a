import { printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";

/**
 * That a command was given no action, or one that it does not have.
 *
 * @param actions Those that it has, separated by commas.
 */
export function noAction(command: string, action: string | undefined, actions: string): Failure {
  return new Failure(
    action === undefined
      ? `No ${command} action was given.`
      : `There is no ${command} action "${printable(action)}".`,
    `Actions: ${actions}.`,
    2,
  );
}
