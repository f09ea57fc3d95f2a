import { dirname, resolve } from "node:path";
import { PACKAGE } from "../platform/version.ts";
import type { ConfigFile, GlobalConfig, PluginEntry } from "./config_file.ts";
import type { Disk } from "./disk.ts";
import { makeStep, quoted, type Step } from "./install_step.ts";
import { identifyPlugin, type PluginIdentity } from "./older_packages.ts";
import { packageNameAt } from "./plugin_spec.ts";

/** A plugin entry with its file and what it is. */
interface NamedEntry {
  readonly file: ConfigFile;
  readonly entry: PluginEntry;
  readonly identity: PluginIdentity;
}

/** @param spec Counts as ours whatever it is called, because the person asked for it. */
function named(config: GlobalConfig, disk: Disk, spec?: string): readonly NamedEntry[] {
  return config.files.flatMap((file) =>
    (file.plugins ?? []).map((entry) => ({
      file,
      entry,
      identity: entry.spec === spec ? { kind: "ours", name: spec } : identifyPlugin(
        entry.spec,
        (path) => packageNameAt(resolve(dirname(file.path), path), disk),
      ),
    }))
  );
}

/** What brings our entry in, once, and the entries of older packages and rivals out. */
export function pluginSteps(
  config: GlobalConfig,
  spec: string,
  { exact, movingIn }: { readonly exact: boolean; readonly movingIn: boolean },
  disk: Disk,
): readonly Step[] {
  const entries = named(config, disk, spec);
  const ours = entries.filter(({ file, identity }) =>
    identity.kind === "ours" && !config.shadowed.has(file.path)
  );
  const kept = ours.find(({ entry }) => serves(entry.spec, spec, exact)) ??
    ours.find(({ file }) => file.path === config.target.path) ?? ours[0];
  const steps: Step[] = [];
  for (const found of entries) {
    const { kind } = found.identity;
    if (kind === "older" || kind === "rival") steps.push(foreign(found, kind, movingIn));
  }
  for (const found of ours) {
    if (found !== kept) steps.push(removal(found, "Remove a second entry of the plugin from"));
  }
  const file = kept?.file ?? config.target;
  if (kept === undefined) {
    steps.push(makeStep({
      action: "add plugin",
      text: `Add the plugin to ${file.path}${file.text === undefined ? " (a new file)" : ""}.`,
      path: file.path,
      after: quoted(spec),
    }, { type: "plugin", file, edit: { type: "add", spec } }));
  } else if (!serves(kept.entry.spec, spec, exact)) {
    steps.push(makeStep({
      action: "update plugin",
      text: `Update the plugin in ${file.path}.`,
      path: file.path,
      before: quoted(kept.entry.spec),
      after: quoted(spec),
    }, { type: "plugin", file, edit: { type: "replace", index: kept.entry.index, spec } }));
  }
  return steps;
}

/** Whether an entry of ours may stay as it is where `wanted` would be written. */
function serves(present: string, wanted: string, exact: boolean): boolean {
  if (present === wanted) return true;
  // Who wrote no version wants the newest; the stale copy in the cache is what keeps it from them.
  const floating = present === PACKAGE || present === `${PACKAGE}@latest`;
  return !exact && floating && wanted.startsWith(`${PACKAGE}@`);
}

function foreign(found: NamedEntry, kind: "older" | "rival", movingIn: boolean): Step {
  const what = kind === "older"
    ? "an older package of this family"
    : 'another plugin that claims "openai"';
  const { entry, file, identity } = found;
  return removal(found, `Remove ${what} from`, {
    text: `Remove ${identity.name ?? entry.spec} (${what}) from ${file.path}?`,
    standard: movingIn || kind === "older",
  });
}

function removal({ entry, file }: NamedEntry, text: string, question?: Step["question"]): Step {
  return makeStep({
    action: "remove plugin",
    text: `${text} ${file.path}.`,
    path: file.path,
    before: quoted(entry.spec),
    ...(question === undefined ? {} : { question }),
  }, { type: "plugin", file, edit: { type: "remove", index: entry.index } });
}

/** What takes every entry of ours out, and `spec` where the person names one. */
export function removalSteps(config: GlobalConfig, disk: Disk, spec?: string): readonly Step[] {
  return named(config, disk, spec).filter(({ identity }) => identity.kind === "ours")
    .map((entry) => removal(entry, "Remove the plugin from"));
}
