import { existsSync } from "node:fs";
import type { Paths } from "../platform/paths.ts";
import { type SettingEntry, type SettingName, writeSetting } from "../platform/settings.ts";
import type { LocalStore } from "./local.ts";
import type { OlderSettings } from "./older_formats.ts";

/**
 * What an older project kept beside its accounts. It counts until the first
 * setting of ours is written, so that one taken back later stays taken back.
 */
export async function olderSettings(store: LocalStore, paths: Paths): Promise<OlderSettings> {
  if (existsSync(paths.settings)) return {};
  return await store.olderSettings() ?? {};
}

/** Puts older settings in where nothing of ours is set. */
export function overlay(
  entries: readonly SettingEntry[],
  { strategy, weights }: OlderSettings,
): readonly SettingEntry[] {
  const older: Readonly<Record<string, SettingEntry["value"] | undefined>> = { strategy, weights };
  return entries.map((entry) => {
    const value = entry.source === "default" ? older[entry.name] : undefined;
    return value === undefined ? entry : { ...entry, value, source: "file" };
  });
}

/**
 * Writes older settings into our file.
 *
 * @param except The setting that the person has just decided on.
 */
export function carryOver(
  paths: Paths,
  { strategy, weights }: OlderSettings,
  except?: SettingName,
): void {
  if (strategy !== undefined && except !== "strategy") writeSetting(paths, "strategy", strategy);
  if (weights !== undefined && except !== "weights") {
    writeSetting(paths, "weights", JSON.stringify(weights));
  }
}
