/**
 * The commands that show what is there, and nothing that the others need. In the npm package it is a
 * file of its own: reading the whole command line takes a runtime longer than these commands run, and
 * prompts and status bars call them again and again.
 *
 * @module
 */
import { registerList } from "./list.ts";
import { main } from "./main.ts";
import { registerPath } from "./path.ts";
import { NOBODY } from "./person.ts";
import type { Commands } from "./program.ts";
import { registerStatus } from "./status.ts";

/** In the order in which help shows them. */
export const QUICK: Commands = [
  [["list", "ls"], registerList],
  [["status"], registerStatus],
  [["path"], registerPath],
];

/**
 * Runs it.
 *
 * @param programFile Address of the file that runs as the program.
 */
export const start = (programFile: string): Promise<void> => main(programFile, QUICK, () => NOBODY);
