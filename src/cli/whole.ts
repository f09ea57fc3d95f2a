/**
 * The whole command line.
 *
 * @module
 */
import { COMMANDS } from "./commands.ts";
import { main } from "./main.ts";
import { systemPerson } from "./person.ts";
import { run } from "./run.ts";

/**
 * Runs it.
 *
 * @param programFile Address of the file that runs as the program.
 */
export const start = (programFile: string): Promise<void> =>
  main(programFile, (context) => run(context, COMMANDS), systemPerson);
