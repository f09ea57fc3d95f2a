import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheHome, type Environment } from "./paths.ts";
import { PERMISSIONS } from "./permissions.ts";
import { PACKAGE } from "./version.ts";

/** The way in which the running program came onto this machine. */
export type InstallationKind =
  /** One file that starts by itself. */
  | "binary"
  /** A package manager's global folder. */
  | "package"
  /** A dependency of some project. */
  | "project"
  /** A throw-away copy of `npx`, `bunx` or `pnpm dlx`. */
  | "npx"
  /** The copy that OpenCode fetched for itself. */
  | "opencode"
  /** A checkout of the repository. */
  | "source"
  /** `deno run https://…`. */
  | "url"
  /** A downloaded `cli.js` or an unpacked package. */
  | "file";

/** Package managers that have a global folder. */
export type PackageManager = "npm" | "pnpm" | "yarn" | "bun";

/** Where the running program comes from. */
export interface Installation {
  readonly kind: InstallationKind;
  /** The binary, the started file, or the address; of a checkout its folder. */
  readonly place: string;
  /** Whose folder it lies in, for `package`. */
  readonly manager?: PackageManager;
  /** The runtime, as `process.versions` names it. */
  readonly runtime: "deno" | "bun" | "node";
  /** The runtime's own program; for a binary the binary itself. */
  readonly execPath: string;
}

/** What an installation is told by. */
export interface Traces {
  /** Address or path of the file that runs as the program. */
  readonly program: string | undefined;
  /** `process.execPath`. */
  readonly execPath: string;
  /** `process.versions`. */
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly env: Environment;
  /** Where a path leads when links are followed; the path itself when it leads nowhere. */
  readonly follow: (path: string) => string;
  readonly exists: (path: string) => boolean;
}

/** Programs that run others; everything else that runs us is us. */
const RUNTIME_NAME = /^(?:deno|node|nodejs|bun|bunx)(?:[-_.\d]\S*)?$/i;
/** Folders in which a compiled program finds its own source: Deno's and Bun's. */
const EMBEDDED = /[\\/](?:deno-compile-[^\\/]+|\$bunfs|~BUN)[\\/]/;

/** Finds out how the running program was installed. */
export function findInstallation(traces: Traces): Installation {
  const { program, execPath, versions, env, follow, exists } = traces;
  const runtime = versions["deno"] ? "deno" : versions["bun"] ? "bun" : "node";
  const at = { runtime, execPath } as const;
  const local = localPath(program);
  const embedded = EMBEDDED.test(program ?? "");
  if (embedded || !RUNTIME_NAME.test(basename(execPath).replace(/\.exe$/i, ""))) {
    return { ...at, kind: "binary", place: execPath };
  }
  if (local === undefined) return { ...at, kind: "url", place: program ?? "" };
  // A package manager's command is a link into its folder.
  const path = follow(local);
  if (path.startsWith(join(cacheHome(env), "opencode", "packages"))) {
    return { ...at, kind: "opencode", place: path };
  }
  if (/[\\/]node_modules[\\/]/.test(path)) return { ...at, ...packaged(path) };
  for (const root of [dirname(path), dirname(dirname(path))]) {
    if (exists(join(root, "deno.json")) && exists(join(root, "cli.ts"))) {
      return { ...at, kind: "source", place: root };
    }
  }
  return { ...at, kind: "file", place: path };
}

/** Whether a path lies where a package runner keeps what it may throw away: `npx`, `bunx`, `pnpm dlx`. */
export function isThrowAway(path: string): boolean {
  return /\/_npx\/|\/bunx-[^/]*\/|\/dlx[-/]/.test(path.replaceAll("\\", "/"));
}

function localPath(program: string | undefined): string | undefined {
  if (program === undefined || /^https?:/.test(program)) return undefined;
  return program.startsWith("file:") ? fileURLToPath(program) : program;
}

/** Which folder of packages a path lies in. */
function packaged(path: string): Pick<Installation, "kind" | "place" | "manager"> {
  const has = (pattern: RegExp) => pattern.test(path.replaceAll("\\", "/"));
  if (isThrowAway(path)) return { kind: "npx", place: path };
  if (has(/\/\.bun\/install\/global\//)) return { kind: "package", place: path, manager: "bun" };
  if (has(/\/pnpm\/(?:global|[^/]+\/global)\/|\/pnpm-global\//)) {
    return { kind: "package", place: path, manager: "pnpm" };
  }
  if (has(/\/yarn\/(?:[^/]+\/)?global\//)) return { kind: "package", place: path, manager: "yarn" };
  // npm's global folder is `<prefix>/lib/node_modules`, on Windows `<prefix>\npm\node_modules`.
  if (has(new RegExp(`/(?:lib|npm|nodejs)/node_modules/${PACKAGE}/`, "i"))) {
    return { kind: "package", place: path, manager: "npm" };
  }
  return { kind: "project", place: path };
}

/**
 * The words that start this program again, its arguments left out.
 *
 * @returns The program's path and the arguments before ours.
 */
export function startWords(installation: Installation): readonly string[] {
  const { kind, place, runtime, execPath } = installation;
  if (kind === "binary") return [place];
  const entry = kind === "source" && runtime === "deno" ? join(place, "cli.ts") : place;
  const file = kind === "source" && runtime !== "deno" ? join(place, "npm", "cli.js") : entry;
  return runtime === "deno" ? [execPath, "run", ...PERMISSIONS, file] : [execPath, file];
}
