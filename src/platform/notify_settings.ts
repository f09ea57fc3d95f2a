/**
 * What a person can set about notifications.
 *
 * @module
 */
import { asNumber } from "./json.ts";
import { type Definition, type Reading, readSwitch } from "./setting_kinds.ts";

/** What a person can be told, in the order in which they are listed. */
export const NOTIFY_TOPICS = [
  "idle",
  "retry",
  "error",
  "subagents",
  "blocked",
  "login",
  "exhausted",
  "back",
  "usage",
  "expiring",
] as const;

/** A thing that a person can be told. */
export type NotifyTopic = typeof NOTIFY_TOPICS[number];

/** What is not told unless a person asks for it. */
const QUIET: readonly NotifyTopic[] = ["subagents", "expiring"];

/** The settings about notifications. */
export interface NotifySettings {
  /** Whether there are any. */
  readonly notify: boolean;
  /** What is told. `subagents` adds the sessions of sub-agents to the first three. */
  readonly notifyAbout: readonly NotifyTopic[];
  /** Shares of a window, percent, at which its use is told, ascending. */
  readonly notifyThresholds: readonly number[];
  /** Topic of an ntfy server, as an address; empty for none. */
  readonly notifyNtfyUrl: string;
  /** Where OpenCode's web interface is, without a slash at the end; empty for nowhere. */
  readonly notifyUiBaseUrl: string;
  /** The sound file that macOS plays; empty for silence. */
  readonly notifySound: string;
  /** Whether a click on a notification of macOS opens the session. */
  readonly notifyMacOpen: boolean;
}

/** A list, or words with commas between them; `off` and `none` are the empty one. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value === "number") return [value];
  if (typeof value !== "string") return undefined;
  if (["", "off", "none"].includes(value.trim().toLowerCase())) return [];
  return value.split(/[\s,]+/).filter((word) => word !== "");
}

function readTopics(value: unknown): Reading<readonly NotifyTopic[]> {
  const words = value === "all" ? NOTIFY_TOPICS : listOf(value);
  const unknown = words?.some((word) => !NOTIFY_TOPICS.some((topic) => topic === word));
  if (!words || unknown) {
    return { wrong: `must be all, none, or some of ${NOTIFY_TOPICS.join(",")}` };
  }
  return { value: NOTIFY_TOPICS.filter((topic) => words.includes(topic)) };
}

function readThresholds(value: unknown): Reading<readonly number[]> {
  const shares = listOf(value)?.map((share) =>
    asNumber(typeof share === "string" ? Number(share.replace(/%$/, "")) : share)
  );
  if (!shares || shares.some((share) => share === undefined || share <= 0 || share > 100)) {
    return { wrong: "must be percents above 0 and at most 100 such as 80,95, or off" };
  }
  return { value: [...new Set(shares as number[])].sort((a, b) => a - b) };
}

/** An address of the web. A password in it would be shown where settings are; fetch refuses it anyway. */
function address(what: string): Definition<string>["read"] {
  return (value) => {
    if (value === "" || value === "off" || value === "none") return { value: "" };
    const url = typeof value === "string" ? URL.parse(value.trim()) : null;
    if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) {
      return { wrong: `must be the address of ${what} (https://… or http://…), or off` };
    }
    if (url.username !== "" || url.password !== "") {
      return { wrong: "must be an address without a user or a password in it" };
    }
    return { value: url.href.replace(/\/+$/, "") };
  };
}

const fromText = (text: string) => text;

/** How each is read, its standard value and its variable. */
export const NOTIFY_DEFINITIONS: {
  readonly [K in keyof NotifySettings]: Definition<NotifySettings[K]>;
} = {
  notify: { read: readSwitch, standard: true, env: "OPENCODE_MULTI_AUTH_NOTIFY" },
  notifyAbout: {
    read: readTopics,
    fromText,
    standard: NOTIFY_TOPICS.filter((topic) => !QUIET.includes(topic)),
    env: "OPENCODE_MULTI_AUTH_NOTIFY_ABOUT",
  },
  notifyThresholds: {
    read: readThresholds,
    fromText,
    standard: [80, 95],
    env: "OPENCODE_MULTI_AUTH_NOTIFY_THRESHOLDS",
  },
  notifyNtfyUrl: {
    read: address("an ntfy topic"),
    standard: "",
    env: "OPENCODE_MULTI_AUTH_NOTIFY_NTFY_URL",
  },
  notifyUiBaseUrl: {
    read: address("OpenCode's web interface"),
    standard: "",
    env: "OPENCODE_MULTI_AUTH_NOTIFY_UI_BASE_URL",
  },
  notifySound: {
    read: (value) => {
      if (typeof value !== "string") return { wrong: "must be the path of a sound file, or off" };
      return { value: ["off", "none", "0", "false"].includes(value) ? "" : value };
    },
    fromText,
    standard: "/System/Library/Sounds/Glass.aiff",
    env: "OPENCODE_MULTI_AUTH_NOTIFY_SOUND",
  },
  notifyMacOpen: { read: readSwitch, standard: true, env: "OPENCODE_MULTI_AUTH_NOTIFY_MAC_OPEN" },
};
