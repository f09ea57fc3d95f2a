/**
 * Gathers what a release consists of into `dist/release/`: the binaries, `cli.js`, the npm package, and
 * `SHA256SUMS` over all of them. Run it after `npm`, `bundle` and `compile --all`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { PACKAGE, PROGRAM } from "../src/platform/version.ts";
import { TARGETS } from "./compile.ts";
import { exists, inRepository, VERSION } from "./repository.ts";
import { script, size } from "./program.ts";

/** The files of a release, relative to the repository. */
export function releaseFiles(): string[] {
  const binaries = Object.keys(TARGETS).map((target) =>
    join("dist", `${PROGRAM}-${target}${target.includes("windows") ? ".exe" : ""}`)
  );
  return [...binaries, join("dist", "cli.js"), join("npm", `${PACKAGE}-${VERSION}.tgz`)];
}

/**
 * Holds that a tag names this version.
 *
 * @throws {Error} when it names another.
 */
export function checkTag(tag: string): void {
  if (tag !== `v${VERSION}`) {
    throw new Error(
      `The tag ${tag} is not v${VERSION}, the version in deno.json. Move one of them.`,
    );
  }
}

/**
 * Copies files into a folder and writes their checksums beside them.
 *
 * @param files Absolute paths.
 * @returns The lines of `SHA256SUMS`, as `sha256sum --check` reads them.
 * @throws {Error} that names the files that are missing.
 */
export function gather(files: readonly string[], folder: string): string[] {
  const missing = files.filter((file) => !exists(file));
  if (missing.length > 0) throw new Error(`Not built: ${missing.join(", ")}.`);
  if (exists(folder)) Deno.removeSync(folder, { recursive: true });
  Deno.mkdirSync(folder, { recursive: true });
  const lines = files.map((file) => {
    const bytes = Deno.readFileSync(file);
    Deno.copyFileSync(file, join(folder, basename(file)));
    return `${createHash("sha256").update(bytes).digest("hex")}  ${basename(file)}`;
  });
  Deno.writeTextFileSync(join(folder, "SHA256SUMS"), `${lines.join("\n")}\n`);
  return lines;
}

if (import.meta.main) {
  await script(() => {
    const [tag] = Deno.args;
    if (tag === undefined) throw new Error("Name the tag that is released, such as v1.2.3.");
    checkTag(tag);
    const folder = inRepository("dist", "release");
    const files = releaseFiles().map((file) => inRepository(file));
    gather(files, folder);
    for (const file of files) {
      console.log(`${size(Deno.statSync(file).size).padStart(10)}  ${basename(file)}`);
    }
    console.log(folder);
    return Promise.resolve();
  });
}
