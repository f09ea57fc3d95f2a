import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { applyInstall, type ApplyOptions } from "../opencode/apply_install.ts";
import { readEntry } from "../opencode/auth_entry.ts";
import { authFilePath, readAuthFile } from "../opencode/auth_file.ts";
import { readGlobalConfig } from "../opencode/config_file.ts";
import { configNotices } from "../opencode/config_notices.ts";
import { planInstall, type Step } from "../opencode/install.ts";
import { identifyPlugin, isPathSpec } from "../opencode/older_packages.ts";
import { cachedCopies } from "../opencode/plugin_cache.ts";
import { manifestAt, packageNameAt } from "../opencode/plugin_spec.ts";
import { statIfExists } from "../platform/files.ts";
import { set } from "../platform/paths.ts";
import { PACKAGE, PROGRAM, VERSION } from "../platform/version.ts";
import { type Check, type Finding, type Look, ok, warning, wrong } from "./check.ts";
import { folderPlugins } from "./folder_plugins.ts";
import { projectConfiguration } from "./project.ts";
import type { Surroundings } from "./surroundings.ts";

/** The heading of everything about OpenCode. */
export const OPENCODE = "OpenCode";

/** What the person's own login in OpenCode's file becomes. */
export type StoreLogin = NonNullable<ApplyOptions["storeLogin"]>;

/** OpenCode's files: what `install` would change is what is wrong with them. */
export function openCodeFileChecks(
  surroundings: Surroundings,
  storeLogin: StoreLogin,
): readonly Check[] {
  const check = (name: string, look: () => Look): Check => ({ group: OPENCODE, name, look });
  return [
    check("configuration", () => configuration(surroundings, storeLogin)),
    check("environment", () => environment(surroundings)),
    check("project", () => projectConfiguration(surroundings)),
    check("plugin folders", () => folderPlugins(surroundings)),
  ];
}

function configuration(surroundings: Surroundings, storeLogin: StoreLogin): Look {
  const { env, home, disk, spec, clock } = surroundings;
  const plan = planInstall({ env, home, disk, spec });
  const steps = new Map<Finding, Step>();
  for (const step of plan.steps) {
    const finding = findingOf(step, surroundings);
    if (finding !== undefined) steps.set(finding, step);
  }
  const found = [...steps.keys()];
  const has = (name: string) => found.some((finding) => finding.name === name);
  const config = readGlobalConfig(env, disk, home);
  const well: Finding[] = [];
  if (!has(ENTRY)) well.push(ok(ENTRY, `OpenCode's configuration names the plugin, ${ours()}.`));
  if (!has(AUTH)) {
    well.push(
      ok(AUTH, 'OpenCode\'s auth.json has the "openai" entry by which it asks the plugin.'),
    );
  }
  const copies = cachedCopies(env, disk, home);
  if (!has(CACHE) && copies.length > 0) {
    well.push(ok(CACHE, `OpenCode's cached copy of the plugin is version ${VERSION}.`));
  }
  const against = configNotices(config).map((text) => {
    const [what = text, fix = "take it out by hand."] = text.split(/: (?=[^:]*$)/);
    return wrong("provider settings", `${what}.`, `${fix[0]?.toUpperCase()}${fix.slice(1)}`);
  });
  return {
    findings: [...well, ...found, ...against],
    async mend(chosen) {
      const wanted = chosen.flatMap((finding) => steps.get(finding) ?? []);
      const applied = await applyInstall(
        { ...plan, steps: plan.steps.filter((step) => wanted.includes(step)) },
        { clock, disk, storeLogin, accept: () => true },
      );
      return { backups: applied.backups, failures: applied.notices };
    },
  };

  function ours(): string {
    const entries = config.files.flatMap((file) =>
      (file.plugins ?? []).filter((entry) =>
        entry.spec === spec || kindOf(entry.spec, file.path) === "ours"
      ).map((entry) => entry.spec)
    );
    return entries[0] ?? spec;
  }

  function kindOf(one: string, file: string) {
    return identifyPlugin(one, (path) => packageNameAt(resolve(dirname(file), path), disk)).kind;
  }
}

const INSTALL = `Set OpenCode up: ${PROGRAM} install`;
const ENTRY = "plugin entry";
const AUTH = "auth.json entry";
const CACHE = "plugin cache";

/** What a step of `install` says about the present; undefined where all is well without it. */
function findingOf(step: Step, surroundings: Surroundings): Finding | undefined {
  const { text, path, before = "", question } = step;
  const fix = INSTALL;
  // The plan's own question where it has one: it says what is given up.
  const mend = question?.text ?? `${text.replace(/\.$/, "")}?`;
  switch (step.action) {
    case "add plugin":
      return wrong(
        ENTRY,
        `${path} does not name the plugin, so OpenCode does not load it.`,
        fix,
        mend,
      );
    case "update plugin":
      return differing(step, surroundings, mend);
    case "remove plugin": {
      const name = `entry ${before}`;
      if (step.reason === "older") {
        const why = `${before} in ${path} is an older package of this family; it claims "openai" ` +
          "as well, and its download can end in BunInstallFailedError or DependencyLoop.";
        return wrong(name, why, `Take it out of the list: ${PROGRAM} install`, mend);
      }
      if (step.reason === "rival") {
        const why = `${before} in ${path} also claims "openai"; the last one in the list wins.`;
        return wrong(name, why, `Take it out of the list, or ours: ${PROGRAM} install`, mend);
      }
      return warning(
        name,
        `${path} names the plugin twice, the second time as ${before}.`,
        fix,
        mend,
      );
    }
    case "write entry":
      return before === ""
        ? wrong(
          AUTH,
          `${path} has no "openai" entry, so OpenCode never asks the plugin.`,
          fix,
          mend,
        )
        : wrong(AUTH, `${path} has ${before} under "openai": OpenCode uses that.`, fix, mend);
    case "adopt login":
      return warning(
        AUTH,
        `${path} holds ${before} of OpenCode's own, which two would refresh.`,
        `Make it an account: ${PROGRAM} install`,
        mend,
      );
    case "remove cached copy": {
      const version = before.replace("version ", "");
      if (version === VERSION) return undefined;
      const why =
        `OpenCode keeps version ${version} of the plugin in ${path} and never looks for ` +
        `a newer one; this is ${VERSION}.`;
      return warning(
        CACHE,
        why,
        `Remove it, and OpenCode fetches it anew: ${PROGRAM} install`,
        mend,
      );
    }
    case "remove entry":
      return undefined;
  }
}

/** Another entry of ours than the one that `install` would write: a path that leads nowhere, or another version. */
function differing(step: Step, { disk }: Surroundings, mend: string): Finding | undefined {
  const spec = JSON.parse(step.before ?? '""') as string;
  const fix = INSTALL;
  if (!isPathSpec(spec)) {
    const named = spec.startsWith(`${PACKAGE}@`) ? spec.slice(PACKAGE.length + 1) : undefined;
    if (named === undefined || !/^\d/.test(named) || named === VERSION) return undefined;
    const why = `OpenCode loads version ${named} of the plugin; this program is ${VERSION}.`;
    return warning(ENTRY, why, fix, mend);
  }
  const path = pathOf(spec, dirname(step.path));
  if (path === undefined || !disk.exists(path)) {
    const why = `${step.path} names ${spec}, where nothing is. OpenCode passes over it in silence.`;
    return wrong(ENTRY, why, fix, mend);
  }
  const folder = path.endsWith(".js") ? dirname(path) : path;
  const version = manifestAt(join(folder, "package.json"), disk)["version"];
  if (typeof version !== "string" || version === VERSION) return undefined;
  const why = `OpenCode loads version ${version} of the plugin from ${path}; this is ${VERSION}.`;
  return warning(ENTRY, why, fix, mend);
}

function pathOf(spec: string, folder: string): string | undefined {
  try {
    return spec.startsWith("file://") ? fileURLToPath(spec) : resolve(folder, spec);
  } catch {
    return undefined;
  }
}

/** What in the environment, and at the file's mode, stands against the plugin. */
function environment({ env, home, disk, files }: Surroundings): Look {
  const findings: Finding[] = [];
  if (/^(?:1|true)$/i.test(env["OPENCODE_PURE"] ?? "")) {
    findings.push(
      wrong("OPENCODE_PURE", "OPENCODE_PURE is set: OpenCode loads no plugin.", "Unset it."),
    );
  }
  const content = set(env["OPENCODE_AUTH_CONTENT"]);
  if (content !== undefined && readAuthFile(env, disk, home).overridden) {
    const kind = readEntry((JSON.parse(content) as { openai?: unknown })?.openai).kind;
    const name = "OPENCODE_AUTH_CONTENT";
    findings.push(
      kind === "placeholder" || kind === "login"
        ? ok(name, "OPENCODE_AUTH_CONTENT stands for auth.json and has the entry.")
        : wrong(
          name,
          'OPENCODE_AUTH_CONTENT stands for auth.json and has no "openai" entry of type oauth.',
          "Unset it, or give it the entry.",
        ),
    );
  }
  const path = authFilePath(env, home);
  const stat = files.platform === "win32" ? undefined : statIfExists(path, files);
  const open = stat !== undefined && (stat.mode & 0o077) !== 0;
  if (open) {
    findings.push(
      warning(
        "auth.json mode",
        `Other users may reach ${path}, which holds OpenCode's logins.`,
        `Keep it to yourself: chmod 600 "${path}"`,
        `Take the rights of other users from ${path}?`,
      ),
    );
  }
  return {
    findings,
    mend() {
      if (open) files.chmod(path, 0o600);
      return {};
    },
  };
}
