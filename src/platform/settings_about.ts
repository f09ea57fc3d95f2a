import { type SettingName, type Settings, STRATEGIES } from "./settings.ts";

/**
 * What each setting means, for a person at the command line. Apart from the
 * settings themselves: nobody reads it inside OpenCode.
 */
export const SETTINGS_ABOUT: { readonly [K in SettingName]: string } = {
  strategy: "which account a new session gets",
  rotate: "keep a session on its account, or choose anew for each request",
  exhausted: "when every account is at its limit: say so at once, or let OpenCode wait",
  maxWait: "longest wait that exhausted=wait asks for",
  stall: "how long an answer may be silent before its first useful event",
  silence: "how long an answer may be silent after that",
  refreshGap: "pause between two token refreshes of this machine, jitter included",
  softThreshold: "percent left below which strategy=quota spares an account",
  limitsAtOnce: "questions about limits that this machine asks at once",
  limitsGap: "pause between two of them, half of it up or down by chance",
  interactive: "alias that sub-agents leave to you while another account can serve",
  weights: "share of new sessions by alias, for strategy=weighted (absent: 1)",
  notify: "whether you are told anything outside of OpenCode",
  notifyAbout:
    "what you are told: all, none, or some of idle, retry, error (of sessions; with subagents those of sub-agents too), blocked, login, exhausted, back, usage, expiring (of accounts)",
  notifyThresholds: "percent of a window at which notifyAbout=usage tells you, or off",
  notifyNtfyUrl: "address of an ntfy topic, or off",
  notifyUiBaseUrl: "where OpenCode's web interface is; a notification then leads to its session",
  notifySound: "sound file that macOS plays, or off",
  notifyMacOpen: "whether a click on a notification of macOS opens the session",
};

/** The words that a setting takes, for those that take no others. */
export const SETTINGS_CHOICES: { readonly [K in SettingName]?: readonly string[] } = {
  strategy: STRATEGIES,
  rotate: ["session", "request"],
  exhausted: ["stop", "wait"],
};

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
