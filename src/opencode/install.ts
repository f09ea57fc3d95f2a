/**
 * Setting OpenCode up and taking that back, in two halves: a plan that changes nothing and can be
 * shown, and its application (`apply_install.ts`).
 *
 * @module
 */
import { type Environment, homeFolder, set } from "../platform/paths.ts";
import { PROGRAM } from "../platform/version.ts";
import { type AuthFile, readAuthFile } from "./auth_file.ts";
import { readGlobalConfig, readTuiConfig } from "./config_file.ts";
import { configNotices, environmentNotices } from "./config_notices.ts";
import { type Disk, systemDisk } from "./disk.ts";
import { type InstallPlan, makeStep, quoted, type Step } from "./install_step.ts";
import { cachedCopies, isCurrent } from "./plugin_cache.ts";
import { pluginSteps, removalSteps } from "./plugin_steps.ts";

export { type Applied, applyInstall, type ApplyOptions, applyUninstall } from "./apply_install.ts";
export { formatPlan, type InstallPlan, type Step } from "./install_step.ts";
export { choosePluginSpec, chooseTuiSpec } from "./plugin_spec.ts";

/** Where OpenCode is looked for. */
export interface Surroundings {
  /** The process's environment. */
  readonly env: Environment;
  /** The person's home folder (default: as the environment says). */
  readonly home?: string;
  /** The file system (default: this machine's). */
  readonly disk?: Disk;
}

/**
 * Plans what makes OpenCode load the plugin and ask it: the `plugin` entry, older packages of this
 * family out of the way, the `openai` entry in auth.json, no stale copy of the plugin.
 *
 * @param options.spec The plugin entry, see `choosePluginSpec`.
 * @param options.exact Whether the person named the entry: then it replaces `latest` too.
 * @param options.movingIn Whether the person comes from another project: then its entry goes by standard.
 * @param options.tui The entry for the terminal interface, see `chooseTuiSpec`; without one that is left as it is.
 * @throws {Failure} in one line when a file of OpenCode's is broken.
 */
export function planInstall(
  options: Surroundings & {
    readonly spec: string;
    readonly exact?: boolean;
    readonly movingIn?: boolean;
    readonly tui?: string | undefined;
  },
): InstallPlan {
  const { env, spec, exact = false, movingIn = false, tui, disk = systemDisk } = options;
  const home = options.home ?? homeFolder(env);
  const config = readGlobalConfig(env, disk, home);
  const auth = readAuthFile(env, disk, home);
  return {
    kind: "install",
    steps: [
      ...pluginSteps(config, spec, { exact, movingIn }, disk),
      ...(tui === undefined
        ? []
        : pluginSteps(readTuiConfig(env, disk, home), tui, { exact, movingIn }, disk)),
      ...entrySteps(auth),
      ...cacheSteps(env, home, disk, (copy) => !isCurrent(copy, spec, env, home)),
    ],
    notices: [...environmentNotices(env, auth, config), ...configNotices(config)],
  };
}

/**
 * Plans the way back: our plugin entries and our `openai` entry go, the accounts stay.
 *
 * @param options.spec An entry that `install` was told to write and that does not bear our name.
 * @throws {Failure} in one line when a file of OpenCode's is broken.
 */
export function planUninstall(options: Surroundings & { readonly spec?: string }): InstallPlan {
  const { env, disk = systemDisk } = options;
  const home = options.home ?? homeFolder(env);
  const config = readGlobalConfig(env, disk, home);
  const auth = readAuthFile(env, disk, home);
  const steps = [
    ...removalSteps(config, disk, options.spec),
    ...removalSteps(readTuiConfig(env, disk, home), disk),
    ...(auth.openai.kind === "placeholder" ? [removeEntry(auth)] : []),
    ...cacheSteps(env, home, disk, () => true),
  ];
  return {
    kind: "uninstall",
    steps,
    notices: [
      `Your accounts stay; "${PROGRAM} list" shows them and "${PROGRAM} install" brings them back.`,
      'To sign in to OpenCode itself again: opencode auth login, then choose "OpenAI".',
    ],
  };
}

const ENTRY = 'an "openai" entry without tokens, by which OpenCode asks the plugin';

function entrySteps(file: AuthFile): readonly Step[] {
  const { path, openai } = file;
  const write = { action: "write entry", path, after: ENTRY } as const;
  switch (openai.kind) {
    case "placeholder":
      return [];
    case "none":
      return [
        makeStep({ ...write, text: `Write OpenCode's entry into ${path}.` }, {
          type: "write",
          file,
        }),
      ];
    case "login": {
      const who = openai.login.email === undefined ? "" : ` of ${quoted(openai.login.email)}`;
      return [makeStep({
        ...write,
        action: "adopt login",
        text: `Take OpenCode's ChatGPT login over from ${path} as an account.`,
        before: `a ChatGPT login${who}`,
        question: {
          text: `Use OpenCode's ChatGPT login${who} as an account? ` +
            "Its tokens then live in the account store alone.",
          standard: true,
        },
      }, { type: "adopt", file })];
    }
    default: {
      const what = openai.kind === "api key"
        ? "an API key"
        : `an entry of type ${openai.type} that is no ChatGPT login`;
      return [makeStep({
        ...write,
        text: `Replace ${what} under "openai" in ${path}; a copy is kept beside it.`,
        before: what,
        question: {
          text: `OpenCode has ${what} for "openai". Replace it (a copy is kept)?`,
          standard: true,
        },
      }, { type: "write", file })];
    }
  }
}

function removeEntry(file: AuthFile): Step {
  return makeStep({
    action: "remove entry",
    text: `Remove our "openai" entry from ${file.path}.`,
    path: file.path,
    before: ENTRY,
  }, { type: "remove", file });
}

function cacheSteps(
  env: Environment,
  home: string,
  disk: Disk,
  stale: (copy: ReturnType<typeof cachedCopies>[number]) => boolean,
): readonly Step[] {
  return cachedCopies(env, disk, home).filter(stale).map(({ folder, version }) =>
    makeStep({
      action: "remove cached copy",
      text: `Remove OpenCode's cached copy of the plugin, ${folder}.`,
      path: folder,
      before: `version ${set(version) ?? "unknown"}`,
    }, { type: "cache", folder })
  );
}
