const COMMANDS: readonly string[] = ["list", "ls", "status", "path"];
const OPTIONS: readonly string[] = ["--version", "-v"];

/**
 * Whether the command line's quick part can do what these words ask for (`quick.ts`). Help, and every
 * word that it does not know, is for the whole command line.
 */
export function isQuick([word = "", ...rest]: readonly string[]): boolean {
  const plain = rest.length === 0;
  if (OPTIONS.includes(word)) return plain;
  return COMMANDS.includes(word) && (plain || (rest.length === 1 && rest[0] === "--json"));
}
