/**
 * Where things lie in this repository, for the scripts and the tests that build on them.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import manifest from "../deno.json" with { type: "json" };

/** The repository's folder, without a slash at the end. */
export const ROOT: string = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

/** The version that every built thing carries. */
export const VERSION: string = manifest.version;

/** A path inside the repository. */
export function inRepository(...parts: string[]): string {
  return join(ROOT, ...parts);
}

/** Whether a file or folder is there. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
