import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { cacheHome, configHome, type Environment, set } from "../platform/paths.ts";
import { readGlobalConfig } from "../opencode/config_file.ts";
import { identifyPlugin, isPathSpec } from "../opencode/older_packages.ts";
import type { Surroundings } from "./surroundings.ts";

/** A throw-away home in which OpenCode finds the person's configuration and can change none of it. */
export interface ScratchHome {
  /** The environment of a program that lives in it. */
  readonly env: Environment;
  /** An empty project. */
  readonly project: string;
  /** Where the plugin writes its log in there. */
  readonly log: string;
  /** Whether OpenCode would have to fetch the plugin, which it cannot do from in there. */
  readonly fetches: boolean;
  /** What OpenCode has written into its own log. */
  openCodeLog(): string;
  /** Throws it away. */
  remove(): void;
}

/** What OpenCode brings into a configuration folder by itself, and writes anew when it likes. */
const OPENCODES_OWN = new Set([
  "node_modules",
  "package.json",
  "package-lock.json",
  "bun.lock",
  ".gitignore",
]);

/** Makes it. Configuration is copied, what it may refer to is linked. */
export function makeScratchHome(surroundings: Surroundings): ScratchHome {
  const { env, home, temporary } = surroundings;
  const folder = mkdtempSync(join(temporary, "opencode-multi-auth-doctor-"));
  const at = (...parts: string[]) => join(folder, ...parts);
  const scratchHome = at("home");
  const project = at("project");
  for (const path of [project, at("data"), at("state"), at("store")]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
  link(home, scratchHome, new Set([".opencode"]));
  mirror(join(home, ".opencode"), join(scratchHome, ".opencode"));
  mirror(join(configHome(env, home), "opencode"), at("config", "opencode"));
  const own = set(env["OPENCODE_CONFIG_DIR"]);
  if (own !== undefined) mirror(own, at("config-dir"));
  // OpenCode leaves an empty folder where it cannot fetch a plugin, and then never tries again.
  const packages = join(cacheHome(env, home), "opencode", "packages");
  link(packages, at("cache", "opencode", "packages"), new Set());
  const log = at("plugin.log");
  return {
    env: {
      ...env,
      HOME: scratchHome,
      XDG_CONFIG_HOME: at("config"),
      XDG_DATA_HOME: at("data"),
      XDG_STATE_HOME: at("state"),
      XDG_CACHE_HOME: at("cache"),
      ...(own === undefined ? {} : { OPENCODE_CONFIG_DIR: at("config-dir") }),
      OPENCODE_MULTI_AUTH_STORE_DIR: at("store"),
      OPENCODE_MULTI_AUTH_NOTIFY: "0",
      CODEX_SOFT_LOG_PATH: log,
      CODEX_HOME: at("codex"),
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      // Without a network OpenCode would wait 70 s for its own package, which plugins do not need.
      npm_config_offline: "true",
      npm_config_fetch_retries: "0",
    },
    project,
    log,
    fetches: mustFetch(surroundings, packages),
    openCodeLog: () => logsIn(at("data", "opencode", "log")),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** A folder of configuration: its files are copied, its folders linked. */
function mirror(from: string, to: string): void {
  link(from, to, OPENCODES_OWN, (name) => /\.jsonc?$/.test(name));
}

/** A folder with a link for everything in another one. */
function link(
  from: string,
  to: string,
  without: ReadonlySet<string>,
  copied: (name: string) => boolean = () => false,
): void {
  let names: string[];
  try {
    names = readdirSync(from);
  } catch {
    // There is no such folder; for its own folders OpenCode sees to that.
    names = [];
    if (!statSafely(from)) return;
  }
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const name of names) {
    if (without.has(name)) continue;
    const source = join(from, name);
    try {
      if (copied(name) && statSync(source).isFile()) copyFileSync(source, join(to, name));
      else symlinkSync(source, join(to, name), statSafely(source) ? "junction" : "file");
    } catch {
      // What cannot be linked is missing there; OpenCode says so if it needs it.
    }
  }
}

function statSafely(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Whether the plugin's entry is one that OpenCode fetches, and it has not yet, or does at every start. */
function mustFetch({ env, home, disk }: Surroundings, packages: string): boolean {
  try {
    const specs = readGlobalConfig(env, disk, home).files.flatMap(({ plugins }) => plugins ?? [])
      .map(({ spec }) => spec)
      .filter((spec) => !isPathSpec(spec) && identifyPlugin(spec, () => undefined).kind === "ours");
    return specs.some((spec) => {
      const folder = join(packages, spec.includes("@") ? spec : `${spec}@latest`);
      return /[:/]/.test(spec) || !disk.exists(folder);
    });
  } catch {
    return false;
  }
}

function logsIn(folder: string): string {
  try {
    return readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
  } catch {
    return "";
  }
}
