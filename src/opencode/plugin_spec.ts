import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Failure } from "../platform/failure.ts";
import { isThrowAway } from "../platform/installation.ts";
import { PACKAGE, VERSION } from "../platform/version.ts";
import type { Disk } from "./disk.ts";
import { isPathSpec } from "./older_packages.ts";

/**
 * The plugin entry that `install` writes.
 *
 * A command line that lies beside its `plugin.js` means that very file, in a package manager's folder
 * as in a checkout: OpenCode then runs the version that the command line is, needs no registry, and
 * keeps no copy that goes stale. What is not there to stay is named by its version instead, so that
 * OpenCode fetches a copy of its own: a package runner's, OpenCode's, a binary, and a `cli.js` run by
 * its address.
 *
 * @param options.program The running command line, as a path or an address; undefined when unknown.
 * @param options.asked What the person named instead, with `--plugin`.
 * @param options.folder The folder that a relative path counts from.
 * @throws {Failure} (usage) when what was asked for is blank or is a path where nothing is.
 */
export function choosePluginSpec(
  options: {
    program: string | undefined;
    asked?: string | undefined;
    folder: string;
    disk: Disk;
  },
): string {
  const { program, asked, folder, disk } = options;
  if (asked !== undefined) return askedSpec(asked.trim(), folder, disk);
  const named = `${PACKAGE}@${VERSION}`;
  const local = program === undefined ? undefined : localPath(program);
  if (local === undefined) return named;
  // A package manager's command is a link into its folder.
  const path = lasting(disk.follow(local), disk);
  if (isThrowAway(path) || /[\\/]opencode[\\/]packages[\\/]/.test(path)) return named;
  const place = dirname(path);
  const beside = join(place, "plugin.js");
  if (packageNameAt(beside, disk) === PACKAGE && disk.exists(beside)) {
    return pathToFileURL(beside).href;
  }
  // In a checkout the package is built into `npm/`; the command line is `cli.ts` or `dist/cli.js`.
  for (const root of [place, dirname(place), dirname(dirname(place))]) {
    const built = join(root, "npm", "plugin.js");
    if (disk.exists(join(root, "deno.json")) && disk.exists(built)) {
      return pathToFileURL(built).href;
    }
  }
  return named;
}

/**
 * The entry for OpenCode's terminal interface that belongs to a plugin entry.
 *
 * @param spec The plugin entry.
 * @returns undefined when what the entry names has none.
 */
export function chooseTuiSpec(spec: string, disk: Disk): string | undefined {
  if (!isPathSpec(spec)) {
    return spec === PACKAGE || spec.startsWith(`${PACKAGE}@`) ? spec : undefined;
  }
  const path = localPath(spec);
  if (path === undefined || basename(path) !== "plugin.js") return undefined;
  const beside = join(dirname(path), "tui.js");
  return disk.exists(beside) ? pathToFileURL(beside).href : undefined;
}

/**
 * The `name` in the nearest `package.json` at or above a path.
 *
 * @param path Absolute.
 * @returns undefined when the path does not exist or nothing names it.
 */
export function packageNameAt(path: string, disk: Disk): string | undefined {
  if (!disk.exists(path)) return undefined;
  // Deeper than `<package>/dist/esm/index.js` no package keeps its entry.
  for (let at = path, depth = 0; depth < 4; at = dirname(at), depth++) {
    const name = nameIn(join(at, "package.json"), disk);
    if (name !== undefined) return name;
    if (dirname(at) === at) return undefined;
  }
  return undefined;
}

/** A package.json's `name`, or undefined. */
export function nameIn(path: string, disk: Disk): string | undefined {
  const name = manifestAt(path, disk)["name"];
  return typeof name === "string" ? name : undefined;
}

/** A package.json's content; empty when there is none that can be read. */
export function manifestAt(path: string, disk: Disk): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(disk.read(path)?.text ?? "{}");
    return typeof json === "object" && json !== null ? json as Record<string, unknown> : {};
  } catch {
    return {};
  }
}

function askedSpec(asked: string, folder: string, disk: Disk): string {
  if (asked === "") {
    throw new Failure(
      "--plugin names nothing.",
      `Give a package such as ${PACKAGE}, or a path to plugin.js.`,
      2,
    );
  }
  if (!isPathSpec(asked)) return asked;
  const path = asked.startsWith("file://") ? localPath(asked) : resolve(
    folder,
    asked.replace(/^file:/, ""),
  );
  if (path === undefined || !disk.exists(path)) {
    throw new Failure(`There is nothing at ${path ?? asked}.`, "Name a plugin.js that exists.", 2);
  }
  return pathToFileURL(path).href;
}

/** pnpm keeps a package under its version and links to it by its name, which an upgrade leaves in place. */
function lasting(path: string, disk: Disk): string {
  const linked = path.replace(
    /([\\/]node_modules[\\/])\.pnpm[\\/][^\\/]+[\\/]node_modules[\\/]/,
    "$1",
  );
  return disk.exists(linked) ? linked : path;
}

/** The path of a file on this machine; undefined for an address elsewhere. */
function localPath(place: string): string | undefined {
  if (isAbsolute(place)) return place;
  try {
    return fileURLToPath(place);
  } catch {
    return undefined;
  }
}
