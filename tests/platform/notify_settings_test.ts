import assert from "node:assert/strict";
import { resolvePaths } from "../../src/platform/paths.ts";
import { readSettings, type Settings, STANDARD_SETTINGS } from "../../src/platform/settings.ts";

const PREFIX = "OPENCODE_MULTI_AUTH_NOTIFY";

/** What a variable makes of the settings, beside the standard ones. */
const ROWS: readonly (readonly [string, string, Partial<Settings>])[] = [
  ["", "0", { notify: false }],
  ["", "false", { notify: false }],
  ["", "1", {}],
  ["", "true", {}],
  ["", "", {}],
  ["_SOUND", "/Users/me/My Sounds/ping.aiff", { notifySound: "/Users/me/My Sounds/ping.aiff" }],
  ["_SOUND", "off", { notifySound: "" }],
  ["_NTFY_URL", "https://ntfy.sh/topic", { notifyNtfyUrl: "https://ntfy.sh/topic" }],
  ["_NTFY_URL", " http://127.0.0.1:8080/t/ ", { notifyNtfyUrl: "http://127.0.0.1:8080/t" }],
  ["_UI_BASE_URL", "https://oc.example/base/", { notifyUiBaseUrl: "https://oc.example/base" }],
  ["_MAC_OPEN", "0", { notifyMacOpen: false }],
  ["_ABOUT", "idle,subagents", { notifyAbout: ["idle", "subagents"] }],
  ["_ABOUT", "none", { notifyAbout: [] }],
  ["_THRESHOLDS", "95, 50%", { notifyThresholds: [50, 95] }],
  ["_THRESHOLDS", "off", { notifyThresholds: [] }],
];

Deno.test("the older variables of notifications keep their meaning, and ours have theirs", () => {
  const paths = resolvePaths({ HOME: "/nowhere" }, "/nowhere");
  for (const [name, value, changes] of ROWS) {
    assert.deepEqual(
      readSettings(paths, { [PREFIX + name]: value }),
      { ...STANDARD_SETTINGS, ...changes },
      `${name}=${value}`,
    );
  }
});

Deno.test("by default there are notifications with a sound, but none of sub-agents and of what expires", () => {
  const { notify, notifyAbout, notifySound, notifyThresholds } = STANDARD_SETTINGS;
  assert.deepEqual([notify, notifyThresholds], [true, [80, 95]]);
  assert.equal(notifySound, "/System/Library/Sounds/Glass.aiff");
  assert.deepEqual(
    notifyAbout,
    ["idle", "retry", "error", "blocked", "login", "exhausted", "back", "usage"],
  );
});
