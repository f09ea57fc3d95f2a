import { join } from "node:path";
import { Failure } from "./failure.ts";
import { builtin } from "./runtime.ts";

/** Environment variables by name; `process.env` has this form. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where everything of ours lies. All values are absolute paths. */
export interface Paths {
  /** The store folder, 0700. */
  readonly folder: string;
  /** Credentials. */
  readonly accounts: string;
  /** The last good copy of the credentials. */
  readonly accountsBackup: string;
  /** Everything that moves: uses, blocks, quota figures, affinity, leases. */
  readonly state: string;
  /** What the person has set. */
  readonly settings: string;
  /** The log file. */
  readonly log: string;
}

/**
 * Finds the store folder: `OPENCODE_MULTI_AUTH_STORE_DIR`, else
 * `$XDG_CONFIG_HOME/opencode-multi-auth`, else `~/.config/opencode-multi-auth`.
 *
 * @param env The process's environment.
 * @param home The home folder (default: found when it is needed).
 * @throws {Failure} when it is needed and there is none.
 */
export function resolvePaths(env: Environment, home?: string): Paths {
  const folder = set(env["OPENCODE_MULTI_AUTH_STORE_DIR"]) ??
    join(configHome(env, home), "opencode-multi-auth");
  return {
    folder,
    accounts: join(folder, "accounts.json"),
    accountsBackup: join(folder, "accounts.json.bak"),
    state: join(folder, "state.db"),
    settings: join(folder, "settings.json"),
    log: set(env["CODEX_SOFT_LOG_PATH"]) ?? join(folder, "logs", "codex-soft.log"),
  };
}

/**
 * The person's home folder: `HOME`, else what the system has for the user, also where an empty `HOME`
 * makes a runtime name none.
 *
 * @param system Asks the system, in this order; one may throw, as for a container's user without an entry.
 * @throws {Failure} when nobody knows one.
 */
export function homeFolder(
  env: Environment,
  system: readonly (() => string)[] = [
    () => builtin("node:os").homedir(),
    () => builtin("node:os").userInfo().homedir,
  ],
): string {
  for (const ask of [() => env["HOME"], ...system]) {
    try {
      const home = set(ask());
      if (home !== undefined) return home;
    } catch {
      // The next one may know.
    }
  }
  throw new Failure(
    "This user has no home folder.",
    "Set HOME, or OPENCODE_MULTI_AUTH_STORE_DIR to the folder that is to hold the accounts.",
  );
}

/** The XDG folder for configuration. */
export function configHome(env: Environment, home?: string): string {
  return set(env["XDG_CONFIG_HOME"]) ?? join(home ?? homeFolder(env), ".config");
}

/** The XDG folder for data. */
export function dataHome(env: Environment, home?: string): string {
  return set(env["XDG_DATA_HOME"]) ?? join(home ?? homeFolder(env), ".local", "share");
}

/** The XDG folder for caches. */
export function cacheHome(env: Environment, home?: string): string {
  return set(env["XDG_CACHE_HOME"]) ?? join(home ?? homeFolder(env), ".cache");
}

/** A variable's value; undefined when it is unset or blank. */
export function set(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === "" ? undefined : value;
}
