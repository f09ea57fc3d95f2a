/**
 * The npm package's `cli.js`: starts the part of the command line that has the command.
 *
 * @module
 */
import { runtime } from "../platform/runtime.ts";
import { isQuick } from "./quick_words.ts";

const { start } = isQuick(runtime.argv.slice(2))
  ? await import("./quick.ts")
  : await import("./whole.ts");
await start(import.meta.url);
