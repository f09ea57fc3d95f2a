/**
 * The npm package's `cli.js`: starts the part of the command line that has the command.
 *
 * @module
 */
import { runtime } from "../platform/runtime.ts";

/** First words that `quick.ts` understands. */
const QUICK: readonly string[] = ["status", "list", "ls", "path", "--version", "-v"];

const { start } = QUICK.includes(runtime.argv[2] ?? "")
  ? await import("./quick.ts")
  : await import("./whole.ts");
await start(import.meta.url);
