import { type Environment, set } from "../platform/paths.ts";

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
  "CODEX_SOFT_STORE_PASSPHRASE_COMMAND",
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
 */
export function keptEnvironment(env: Environment): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env).sort(([a], [b]) => a < b ? -1 : 1)) {
    const ours = name.startsWith(PREFIX) && !/PASSPHRASE|TOKEN/.test(name);
    const text = set(value);
    if (text !== undefined && (ours || (NAMES as readonly string[]).includes(name))) {
      kept[name] = text;
    }
  }
  return kept;
}

/** Whether the environment has a passphrase that {@linkcode keptEnvironment} leaves behind. */
export function leavesPassphrase(env: Environment): boolean {
  return set(env["CODEX_SOFT_STORE_PASSPHRASE"]) !== undefined &&
    set(env["CODEX_SOFT_STORE_PASSPHRASE_COMMAND"]) === undefined;
}
