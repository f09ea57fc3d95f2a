import { join } from "node:path";
import { cacheHome, type Environment, homeFolder } from "../platform/paths.ts";
import { PACKAGE } from "../platform/version.ts";
import type { Disk } from "./disk.ts";
import { manifestAt } from "./plugin_spec.ts";

/** A copy of our package that OpenCode fetched and will use for ever. */
export interface CachedCopy {
  /** The folder that OpenCode made for one plugin entry. */
  readonly folder: string;
  /** Its version, or undefined when it does not say. */
  readonly version: string | undefined;
}

/** A spec such as `name@git+https://host/a/b` makes folders in folders; deeper ones are not ours. */
const MAX_DEPTH = 8;

/**
 * Finds our package among the plugins that OpenCode has fetched into
 * `$XDG_CACHE_HOME/opencode/packages/<spec>`.
 *
 * Only folders count that really hold it (`node_modules/<our name>/package.json` with our name);
 * links are not followed.
 */
export function cachedCopies(
  env: Environment,
  disk: Disk,
  home: string = homeFolder(env),
): readonly CachedCopy[] {
  const found: CachedCopy[] = [];
  const search = (folder: string, depth: number) => {
    const manifest = manifestAt(join(folder, "node_modules", PACKAGE, "package.json"), disk);
    if (manifest["name"] === PACKAGE) {
      const version = manifest["version"];
      found.push({ folder, version: typeof version === "string" ? version : undefined });
      return;
    }
    if (depth === MAX_DEPTH) return;
    for (const name of disk.folders(folder)) {
      if (name !== "node_modules") search(join(folder, name), depth + 1);
    }
  };
  for (const name of disk.folders(packagesFolder(env, home))) {
    search(join(packagesFolder(env, home), name), 1);
  }
  return found;
}

/**
 * Whether a copy may stay: it belongs to the entry that will be loaded, and that entry names the
 * exact version it has. Everything else keeps people on old versions without a word.
 */
export function isCurrent(
  copy: CachedCopy,
  spec: string,
  env: Environment,
  home: string = homeFolder(env),
): boolean {
  return copy.version !== undefined && spec === `${PACKAGE}@${copy.version}` &&
    copy.folder === join(packagesFolder(env, home), spec);
}

function packagesFolder(env: Environment, home: string): string {
  return join(cacheHome(env, home), "opencode", "packages");
}
