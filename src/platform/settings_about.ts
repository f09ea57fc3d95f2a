import { type SettingName, STRATEGIES } from "./settings.ts";

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
