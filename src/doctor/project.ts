import { dirname, join } from "node:path";
import { readConfigFile, readGlobalConfig } from "../opencode/config_file.ts";
import { quoted } from "../opencode/install_step.ts";
import { isForeignPlugin } from "../opencode/older_packages.ts";
import { type Finding, type Look, warning } from "./check.ts";
import type { Surroundings } from "./surroundings.ts";

const NAMES = ["opencode.json", "opencode.jsonc"];

/**
 * Other plugins for `openai` that the project's own configuration names, from the present folder up.
 * Nothing is mended there: such files belong to everybody who works on the project.
 */
export function projectConfiguration({ env, home, disk, folder }: Surroundings): Look {
  const global = new Set(readGlobalConfig(env, disk, home).files.map(({ path }) => path));
  const findings: Finding[] = [];
  for (const place of upwards(folder)) {
    for (const path of [place, join(place, ".opencode")].flatMap(within)) {
      if (global.has(path) || !disk.exists(path)) continue;
      for (const { spec } of readConfigFile(path, disk).plugins ?? []) {
        if (!isForeignPlugin(spec)) continue;
        const text = `${quoted(spec)} in this project's ${path} also claims "openai".`;
        findings.push(warning("project configuration", text, "Take it out of the list by hand."));
      }
    }
  }
  return { findings };
}

function within(folder: string): string[] {
  return NAMES.map((name) => join(folder, name));
}

/** A folder and those above it. */
export function upwards(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...upwards(above)];
}
