/**
 * A process whose child it is that matters: starts one, says so, and waits for whatever ends it.
 *
 * Arguments: how the child's standard input is (`open`, `closed`), a file to forget, the child and its arguments.
 *
 * @module
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { startChild } from "../../src/codex_cli/child.ts";
import { systemClock } from "../../src/platform/clock.ts";

const [input, forget, program = "", ...args] = process.argv.slice(2);
const child = startChild(program, args, {
  env: { PATH: "/usr/bin:/bin" },
  folder: "/",
  input: input === "open" ? "open" : "closed",
  limitMs: 60_000,
  maxBytes: 1_000,
  clock: systemClock,
  onLine: (line) => void writeSync(1, `pid ${process.pid} ${line}\n`),
  forget,
});
process.on("SIGUSR1", () => process.exit());
if (input === "open") child.write("a line\n");
await child.outcome;
