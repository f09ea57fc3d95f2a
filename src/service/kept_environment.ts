import { type Environment, set } from "../platform/paths.ts";

/** Fetches a sealed store's passphrase. */
const COMMAND = "CODEX_SOFT_STORE_PASSPHRASE_COMMAND";

/**
 * Variables that say where files and programs lie, and how the network is reached. Those whose name
 * begins with {@linkcode PREFIX} are kept as well.
 */
const NAMES = [
  "PATH",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "XDG_STATE_HOME",
  "XDG_CACHE_HOME",
  "CODEX_HOME",
  "CODEX_CLI_BIN",
  "CODEX_SOFT_LOG_PATH",
  COMMAND,
  "DENO_DIR",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "NODE_EXTRA_CA_CERTS",
  "DENO_CERT",
  "DENO_TLS_CA_STORE",
] as const;

const PREFIX = "OPENCODE_MULTI_AUTH_";

/**
 * What a service takes along of the environment it is installed from: a service manager starts it
 * with hardly any.
 *
 * A passphrase itself is never among it: written beside the sealed store it would open the store for
 * whoever finds the two. The command that fetches it is kept.
 * Nor is a token of a notification server: the dashboard sends no notifications.
 *
 * @param before What the service was given so far. A shell without the passphrase command leaves it
 *   as it is, else the service could never open a sealed store again; an empty one ends it.
 */
export function keptEnvironment(
  env: Environment,
  before: Environment = {},
): Readonly<Record<string, string>> {
  const all = { ...env, [COMMAND]: env[COMMAND] ?? before[COMMAND] };
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(all).sort(([a], [b]) => a < b ? -1 : 1)) {
    const ours = name.startsWith(PREFIX) && !/PASSPHRASE|TOKEN/.test(name);
    const text = set(value);
    if (text !== undefined && (ours || (NAMES as readonly string[]).includes(name))) {
      kept[name] = text;
    }
  }
  return kept;
}

/** Whether the environment has a passphrase, and the service nothing that stands for it. */
export function leavesPassphrase(env: Environment, kept: Environment): boolean {
  return set(env["CODEX_SOFT_STORE_PASSPHRASE"]) !== undefined && kept[COMMAND] === undefined;
}
