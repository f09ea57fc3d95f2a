/**
 * The licences of what the bundles carry. Their authors ask that the notice goes with every copy.
 *
 * @module
 */
import { join } from "node:path";
import { run } from "./program.ts";
import { exists, inRepository } from "./repository.ts";

/** Used by tests alone; in no bundle. */
const TESTS_ONLY: readonly string[] = ["eventsource-parser", "fast-check", "pure-rand", "yaml"];

const FILES = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license", "license.md", "LICENCE"];

/**
 * All notices as one text.
 *
 * @throws {Error} when a package has none, so that nothing is bundled whose licence nobody has seen.
 */
export async function thirdPartyLicenses(): Promise<string> {
  const { npmCache } = JSON.parse(await run(Deno.execPath(), ["info", "--json"])) as {
    npmCache: string;
  };
  const lock = JSON.parse(Deno.readTextFileSync(inRepository("deno.lock"))) as {
    npm: Record<string, unknown>;
  };
  const registries = [...Deno.readDirSync(npmCache)].filter((entry) => entry.isDirectory)
    .map((entry) => join(npmCache, entry.name));
  const parts = Object.keys(lock.npm).map(packageOf)
    .filter(({ name }) => !TESTS_ONLY.includes(name))
    .map(({ name, version }) => {
      const notice = registries.map((folder) => join(folder, name, version)).flatMap((folder) =>
        FILES.map((file) => join(folder, file))
      ).find(exists);
      if (notice === undefined) throw new Error(`${name}@${version} brings no licence file.`);
      return `${name} ${version}\n\n${Deno.readTextFileSync(notice).trim()}\n`;
    });
  return [
    "The bundled files hold code of these packages, under these licences.\n",
    ...parts,
  ].join(`\n${"-".repeat(78)}\n\n`);
}

/** `@scope/name@1.0.0_peer@2.0.0` -> name and version. */
function packageOf(key: string): { name: string; version: string } {
  const at = key.indexOf("@", 1);
  return { name: key.slice(0, at), version: key.slice(at + 1).split("_")[0] ?? "" };
}
