import { isAlias } from "../account/alias.ts";
import { PROGRAM } from "../platform/version.ts";
import type { LoginMethod, LoginResult } from "./host.ts";
import { PLACEHOLDER_ENTRY } from "./placeholder.ts";

/**
 * The logins that `opencode auth login` offers for the provider `openai`. Both
 * leave the placeholder in OpenCode's auth.json; tokens go into our store only.
 *
 * @param authorize Starts a login for an alias.
 * @param now The time, epoch milliseconds.
 */
export function loginMethods(
  authorize: (alias: string) => ReturnType<LoginMethod["authorize"]>,
  now: () => number,
): LoginMethod[] {
  return [
    {
      type: "oauth",
      label: "ChatGPT OAuth (Multi-Account)",
      prompts: [{
        type: "text",
        key: "alias",
        message: "Alias for this account",
        placeholder: "personal",
        // An empty answer is named for the person.
        validate: (value) =>
          value === "" || isAlias(value) ? undefined : "Letters, digits and . _ - @ +, at most 64",
      }],
      authorize: (inputs) => authorize(inputs?.["alias"] || `account-${now()}`),
    },
    {
      type: "oauth",
      label: "Skip (use existing accounts)",
      authorize: () =>
        Promise.resolve({
          url: "",
          instructions: `Uses the accounts that are stored: ${PROGRAM} list`,
          method: "auto",
          callback: (): Promise<LoginResult> =>
            Promise.resolve({ ...PLACEHOLDER_ENTRY, type: "success" }),
        }),
    },
  ];
}
