import { join } from "node:path";

/** The servers a sandbox talks to; a simulator has these. */
export interface Servers {
  readonly issuerUrl: string;
  readonly backendUrl: string;
}

/** A home folder of its own, with everything that OpenCode and we keep in one. */
export interface Sandbox extends AsyncDisposable {
  /** Everything below lies here. */
  readonly folder: string;
  /** The person's home. */
  readonly home: string;
  /** The folder that OpenCode works in. */
  readonly project: string;
  /** OpenCode's configuration. */
  readonly openCodeConfig: string;
  /** OpenCode's credentials. */
  readonly openCodeAuth: string;
  /** Our store folder. */
  readonly store: string;
  /** The whole environment of a program in here. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Makes an empty home, cut off from the network but for the loopback address.
 *
 * @param servers The simulated issuer and backend.
 */
export function makeSandbox(servers: Servers): Sandbox {
  const folder = Deno.makeTempDirSync({ prefix: "opencode-multi-auth-" });
  const home = join(folder, "home");
  const xdg = {
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local", "share"),
    XDG_STATE_HOME: join(home, ".local", "state"),
    XDG_CACHE_HOME: join(home, ".cache"),
  };
  const project = join(folder, "project");
  for (const path of [project, ...Object.values(xdg)]) Deno.mkdirSync(path, { recursive: true });
  return {
    folder,
    home,
    project,
    openCodeConfig: join(xdg.XDG_CONFIG_HOME, "opencode", "opencode.json"),
    openCodeAuth: join(xdg.XDG_DATA_HOME, "opencode", "auth.json"),
    store: join(xdg.XDG_CONFIG_HOME, "opencode-multi-auth"),
    env: {
      ...xdg,
      HOME: home,
      // A screen, a browser or a running agent of the person at this machine must not be found.
      PATH: "/usr/local/bin:/usr/bin:/bin",
      TMPDIR: folder,
      TZ: "UTC",
      NO_COLOR: "1",
      OPENCODE_MULTI_AUTH_ISSUER_URL: servers.issuerUrl,
      OPENCODE_MULTI_AUTH_BACKEND_URL: servers.backendUrl,
      OPENCODE_MULTI_AUTH_NOTIFY: "0",
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      // OpenCode installs its own package into the configuration folder at the first start: without a
      // second try it gives up at once and goes on; with npm's usual tries that takes 70 s.
      npm_config_fetch_retries: "0",
      HTTP_PROXY: "http://127.0.0.1:9",
      HTTPS_PROXY: "http://127.0.0.1:9",
      NO_PROXY: "127.0.0.1,localhost,::1",
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Every file below a folder. */
export function filesUnder(folder: string): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) found.push(...filesUnder(path));
    else if (entry.isFile) found.push(path);
  }
  return found;
}
