import { Failure } from "../platform/failure.ts";

/** The rule for new aliases, in words. */
export const ALIAS_RULE =
  "An alias has 1 to 64 characters: letters, digits and . _ - @ +, beginning with a letter or digit.";

const PATTERN = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/;

/** Whether a new account may have this alias. Aliases of older stores are kept as they are. */
export function isAlias(text: string): boolean {
  return PATTERN.test(text);
}

/**
 * @returns The alias itself.
 * @throws {Failure} (usage) when it breaks {@linkcode ALIAS_RULE}.
 */
export function checkAlias(text: string): string {
  if (isAlias(text)) return text;
  throw new Failure(`"${printable(text)}" cannot be an alias.`, ALIAS_RULE);
}

/** An alias for display: control characters replaced, so that no terminal sequence gets through; cut at `most`. */
export function printable(text: string, most = 80): string {
  const clean = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, "\uFFFD");
  return clean.length > most ? `${clean.slice(0, most - 1)}…` : clean;
}

/**
 * An alias for an account that nobody has named: the local part of its email,
 * with a number where that is taken.
 *
 * @param taken Aliases in use.
 */
export function freeAlias(email: string | undefined, taken: ReadonlySet<string>): string {
  const local = (email?.split("@")[0] ?? "").replace(/[^A-Za-z0-9._+-]+/g, "-").slice(0, 50);
  const base = isAlias(local) ? local : "opencode";
  let alias = base;
  for (let number = 2; taken.has(alias); number++) alias = `${base}-${number}`;
  return alias;
}
