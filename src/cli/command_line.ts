import { Command } from "@commander-js/extra-typings";

/** The program that commands are registered in. */
export type CommandLine = Command;

/** Makes the empty program. */
export function commandLine(name: string): CommandLine {
  return new Command(name);
}
