/** First words that the command line's quick part understands, see `quick.ts`: commands, and options of the program. */
export const QUICK_COMMANDS: readonly string[] = ["list", "ls", "status", "path"];
export const QUICK_OPTIONS: readonly string[] = ["--version", "-v"];
