/**
 * The commands that show what is there, in their plain forms, and nothing that anything else needs. In
 * the npm package it is a file of its own: reading the whole command line takes a runtime longer than
 * these commands run, and prompts and status bars call them again and again.
 *
 * @module
 */
import { VERSION } from "../platform/version.ts";
import type { Context } from "./context.ts";
import { exitStatus } from "./exit_status.ts";
import { showList } from "./list.ts";
import { main } from "./main.ts";
import { showPath } from "./path.ts";
import { NOBODY } from "./person.ts";
import { showStatus } from "./status.ts";

/**
 * Does what words ask for of which `isQuick` says that they are ours.
 *
 * @returns The exit status. Never rejects.
 */
export function runQuick(context: Context): Promise<number> {
  const [word, option] = context.argv;
  const options = option === "--json" ? { json: true } as const : {};
  return exitStatus(context, async () => {
    if (word === "status") await showStatus(context, options);
    else if (word === "list" || word === "ls") await showList(context, options);
    else if (word === "path") showPath(context, options);
    else context.write(`${VERSION}\n`);
  });
}

/**
 * Runs it.
 *
 * @param programFile Address of the file that runs as the program.
 */
export const start = (programFile: string): Promise<void> =>
  main(programFile, runQuick, () => NOBODY);
