import { delimiter, isAbsolute, join } from "node:path";
import { type FileSystem, systemFiles } from "./files.ts";
import { type Environment, set } from "./paths.ts";

/** What a program's file may end with on Windows; one without an ending is a script that only other shells run. */
const WINDOWS = [".exe", ".cmd", ".bat", ".com", ""];

/**
 * Looks a program up on the search path.
 *
 * Empty and relative entries are left out: they would mean whatever folder we are started in, and a
 * project must not bring programs that run with our rights.
 *
 * @param platform As `process.platform` names it.
 * @returns An absolute path, undefined when it is nowhere.
 */
export function findProgram(
  name: string,
  env: Environment,
  platform: string,
  files: FileSystem = systemFiles,
): string | undefined {
  for (const folder of (set(env["PATH"]) ?? env["Path"] ?? "").split(delimiter)) {
    const found = isAbsolute(folder) ? programAt(join(folder, name), platform, files) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The file of a program whose path is known but for Windows' ending; undefined when it cannot be run. */
export function programAt(
  path: string,
  platform: string,
  files: FileSystem = systemFiles,
): string | undefined {
  const whole = platform !== "win32" || /\.(exe|cmd|bat|com)$/i.test(path);
  return (whole ? [""] : WINDOWS).map((ending) => path + ending)
    .find((file) => isProgram(file, platform, files));
}

function isProgram(path: string, platform: string, files: FileSystem): boolean {
  try {
    const stat = files.stat(path);
    return !stat.isDirectory() && (platform === "win32" || (stat.mode & 0o111) !== 0);
  } catch {
    return false;
  }
}
