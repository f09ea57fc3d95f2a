import { PACKAGE, VERSION } from "../../src/platform/version.ts";
import { PLACEHOLDER_ENTRY } from "../../src/opencode/auth_file.ts";
import { type InstallPlan, planInstall } from "../../src/opencode/install.ts";
import { FIXTURE_NOW, VirtualClock } from "../virtual_clock.ts";
import type { MemoryDisk } from "./memory_disk.ts";

/** A machine on which `install` is planned and applied, all in memory. */
const HOME = "/home/me";
export const ENV = { HOME };
export const CONFIG = `${HOME}/.config/opencode/opencode.json`;
export const AUTH = `${HOME}/.local/share/opencode/auth.json`;
export const CACHE = `${HOME}/.cache/opencode/packages`;
export const SPEC = `${PACKAGE}@${VERSION}`;
/** The clock's moment in the name of a backup. */
export const STAMP = "20261123T180000Z";
export const clock = new VirtualClock(FIXTURE_NOW);
/** OpenCode's auth.json with our entry alone. */
export const OURS = JSON.stringify({ openai: PLACEHOLDER_ENTRY });

/** What `install` would do. */
export function plan(
  disk: MemoryDisk,
  options: { spec?: string; exact?: boolean; env?: object } = {},
): InstallPlan {
  const { spec = SPEC, exact = false, env = {} } = options;
  return planInstall({ env: { ...ENV, ...env }, disk, spec, exact });
}

/** The kinds of a plan's steps. */
export function actions(planned: InstallPlan): readonly string[] {
  return planned.steps.map((step) => step.action);
}

/** The plugin list of a configuration. */
export function pluginsIn(disk: MemoryDisk, path = CONFIG): unknown {
  return JSON.parse(disk.text(path) ?? "{}").plugin;
}
