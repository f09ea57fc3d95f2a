/**
 * Builds `dist/cli.js`: the command line as one file for `deno run`, `node` and `bun`.
 *
 * @module
 */
import { dirname } from "node:path";
import { inRepository, ROOT, VERSION } from "./repository.ts";
import { run, script, size } from "./program.ts";

/**
 * Node, because npm's `bin` starts it by this line; Deno and Bun skip it, they are named on the
 * command line. No `env -S` with options: older BusyBox does not know it.
 */
const SHEBANG = "#!/usr/bin/env node\n";

/**
 * Bundles one entry of the repository with all it imports.
 *
 * @param entry A file at the repository's top level.
 * @param output Where the bundle goes.
 * @param apart Imports, as the source spells them, that stay imports of other files.
 * @returns The bundle's text.
 * @throws {Error} when the bundle names the folder it was built in.
 */
export async function bundle(
  entry: string,
  output: string,
  apart: readonly string[] = [],
): Promise<string> {
  Deno.mkdirSync(dirname(output), { recursive: true });
  await run(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--minify",
    "--platform",
    "deno",
    // Only Bun has it; `node:` modules are external by themselves.
    "--external",
    "bun:sqlite",
    ...apart.flatMap((specifier) => ["--external", specifier]),
    "--output",
    output,
    entry,
  ], { cwd: ROOT });
  const text = asAscii(Deno.readTextFileSync(output));
  refuseBuildPaths(text, output);
  Deno.writeTextFileSync(output, text);
  return text;
}

/**
 * Writes every character beyond ASCII as an escape. One such character makes V8 keep the whole source
 * with two bytes for each character, and read it slower: 8 of 170 ms that `status` took where this was
 * measured. The minifier leaves them in texts and patterns only, where an escape means the same.
 */
function asAscii(text: string): string {
  return text.replace(
    /[^\0-\x7f]/gu,
    (character) => {
      const code = character.codePointAt(0) ?? 0;
      const units = code > 0xffff ? character.split("") : [character];
      return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
    },
  );
}

/**
 * Holds that a built file says nothing about the machine that built it.
 *
 * @throws {Error} when the text names the repository's folder.
 */
export function refuseBuildPaths(text: string, file: string): void {
  if (text.includes(ROOT)) {
    throw new Error(
      `${file} contains the path of this repository. Remove what carries it (import.meta.url?).`,
    );
  }
}

/**
 * Builds `dist/cli.js`.
 *
 * @returns Its path.
 */
export async function bundleCommandLine(): Promise<string> {
  const file = inRepository("dist", "cli.js");
  const text = await bundleProgram("cli.ts", file);
  if (!text.includes(VERSION)) {
    throw new Error(
      `${file} does not carry the version ${VERSION}. Let cli.ts reach src/platform/version.ts.`,
    );
  }
  return file;
}

/** Bundles an entry to a file that can be started by itself. Otherwise as {@linkcode bundle}. */
export async function bundleProgram(
  entry: string,
  output: string,
  apart: readonly string[] = [],
): Promise<string> {
  const text = SHEBANG + (await bundle(entry, output, apart)).replace(/^#!.*\n/, "");
  Deno.writeTextFileSync(output, text);
  if (Deno.build.os !== "windows") Deno.chmodSync(output, 0o755);
  return text;
}

if (import.meta.main) {
  await script(async () => {
    const file = await bundleCommandLine();
    console.log(`${file} (${size(Deno.statSync(file).size)}, version ${VERSION})`);
  });
}
