import { messageOf } from "../platform/failure.ts";
import type { OnWrongValue } from "../platform/settings.ts";
import type { Context } from "./context.ts";

/** Says a setting's value that cannot be, which then costs that setting only. */
export function sayWrong(context: Context): OnWrongValue {
  return (failure) => context.warn(`Note: ${messageOf(failure)}\n`);
}
