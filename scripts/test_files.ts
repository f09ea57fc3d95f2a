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

/** In which company a test file runs. */
export type Company = "all at once" | "two at a time" | "alone";

/**
 * How a file may run beside others. Tests with real programs mostly wait for those, but each of these
 * loads a core now and then and has limits of time that a busy machine would cross: two at a time.
 * Tests of many processes and sudden deaths use all cores themselves.
 */
export function companyOf(file: string): Company {
  const [, kind] = /^tests\/(e2e|chaos)\//.exec(file.replaceAll("\\", "/")) ?? [];
  return kind === "chaos" ? "alone" : kind === "e2e" ? "two at a time" : "all at once";
}
