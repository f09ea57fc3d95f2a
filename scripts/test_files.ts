import { join, relative } from "node:path";
import { inRepository, ROOT } from "./repository.ts";

/**
 * All test files of the repository, or those under the given paths.
 *
 * @param under Files or folders, relative to the repository (default: `tests`).
 * @returns Paths relative to the repository, sorted.
 */
export function testFiles(under: readonly string[] = ["tests"]): string[] {
  const found: string[] = [];
  const visit = (path: string) => {
    if (Deno.statSync(path).isFile) return void found.push(relative(ROOT, path));
    for (const entry of Deno.readDirSync(path)) {
      const child = join(path, entry.name);
      if (entry.isDirectory) visit(child);
      else if (/_test\.tsx?$/.test(entry.name)) found.push(relative(ROOT, child));
    }
  };
  for (const path of under) visit(inRepository(path));
  return [...new Set(found)].sort();
}

/**
 * Whether a file must not run beside others: the tests with real programs use the fixed callback
 * ports of the login, have time limits that a busy machine would cross, and load both cores.
 */
export function runsAlone(file: string): boolean {
  return /^tests\/(?:e2e|chaos)\//.test(file.replaceAll("\\", "/"));
}
