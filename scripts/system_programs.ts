/**
 * Programs that some tests need and npm does not have. A test file says by its name that it needs
 * one; where the program is missing, the file is left out, and the report says so.
 *
 * @module
 */
import { delimiter, join } from "node:path";
import { exists } from "./repository.ts";
import { testFiles } from "./test_files.ts";

/** A program of the operating system. */
export interface SystemProgram {
  /** What the report calls it. */
  readonly name: string;
  /** Its possible file names on the search path. */
  readonly commands: readonly string[];
  /** The end of the names of the test files that need it. */
  readonly suffix: string;
  /** The package that Debian has it in. */
  readonly package: string;
}

/** All of them. */
export const SYSTEM_PROGRAMS: readonly SystemProgram[] = [
  {
    name: "Chromium",
    commands: ["chromium", "chromium-browser", "google-chrome"],
    suffix: "_browser_test.ts",
    package: "chromium",
  },
  {
    name: "fish",
    commands: ["fish"],
    suffix: "_fish_test.ts",
    package: "fish",
  },
  {
    name: "Redis",
    commands: ["redis-server"],
    suffix: "_redis_test.ts",
    package: "redis-server",
  },
  {
    name: "systemd",
    commands: ["systemd-analyze"],
    suffix: "_systemd_test.ts",
    package: "systemd",
  },
  {
    name: "tmux",
    commands: ["tmux"],
    suffix: "_tmux_test.ts",
    package: "tmux",
  },
  {
    name: "zsh",
    commands: ["zsh"],
    suffix: "_zsh_test.ts",
    package: "zsh",
  },
];

/**
 * Finds a program on the search path.
 *
 * @returns Its path, or undefined where it is missing.
 */
export function findProgram(program: SystemProgram): string | undefined {
  return findCommand(...program.commands);
}

/** Finds the first of these commands that is on the search path. */
export function findCommand(...commands: readonly string[]): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.flatMap((folder) => commands.map((command) => join(folder, command)))
    .find(exists);
}

/** A program that is missing, and the test files that wait for it. */
export interface Missing {
  readonly program: SystemProgram;
  readonly files: readonly string[];
}

/**
 * Which of these test files cannot run here.
 *
 * @param files Test files.
 * @param has Whether a program is there (default: looks on the search path).
 */
export function missingPrograms(
  files: readonly string[],
  has: (program: SystemProgram) => boolean = (program) => findProgram(program) !== undefined,
): Missing[] {
  return SYSTEM_PROGRAMS
    .map((program) => ({ program, files: files.filter((file) => file.endsWith(program.suffix)) }))
    .filter(({ program, files }) => files.length > 0 && !has(program));
}

// For .ci/run: the Debian packages that this machine lacks, on one line.
if (import.meta.main) {
  console.log(missingPrograms(testFiles()).map(({ program }) => program.package).join(" "));
}
