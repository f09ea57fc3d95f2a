import type { SettingName, Settings } from "./setting_definitions.ts";

/** The settings that are spans of time. */
const SPANS: readonly SettingName[] = ["maxWait", "stall", "silence", "refreshGap", "limitsGap"];
/** Units of a span that fits them without a rest, the longest first. */
const UNITS = [["h", 3_600_000], ["m", 60_000], ["s", 1_000], ["ms", 1]] as const;

/** A value as a person reads it and may type it again: `on`, `10m`, `80,95`. */
export function settingText(name: SettingName, value: Settings[SettingName]): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value)) {
    const nothing = name === "notifyAbout" ? "none" : "off";
    return value.length === 0 ? nothing : value.join(",");
  }
  if (typeof value === "number" && value > 0 && SPANS.includes(name)) {
    const [unit, ms] = UNITS.find(([, ms]) => value % ms === 0) ?? ["ms", 1];
    return `${value / ms}${unit}`;
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
