/**
 * A process that asks through a Codex CLI which does not answer, with a sealed store.
 *
 * Arguments: the source, how many seconds the Codex CLI sleeps.
 *
 * @module
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { withCodex } from "./fake_codex.ts";

const [source, seconds] = process.argv.slice(2);
await withCodex(`touch "$HOME/began"; sleep ${seconds}`, async ({ ask, home }) => {
  writeSync(1, `pid ${process.pid} home ${home}\n`);
  await ask(source === "exec" ? "exec" : "app-server", { sealed: true });
});
