/**
 * The command line: `opencode-multi-auth`.
 *
 * @module
 */
import { start } from "./src/cli/whole.ts";

await start(import.meta.url);
