import type { AuthFile } from "./auth_file.ts";
import type { ConfigFile, PluginEdit } from "./config_file.ts";

/** One thing that would be done. Holds no token, so it may be printed as it is. */
export interface Step {
  readonly action:
    | "add plugin"
    | "update plugin"
    | "remove plugin"
    | "adopt login"
    | "write entry"
    | "remove entry"
    | "remove cached copy";
  /** Why an entry has to go, of those that `install` takes out. */
  readonly reason?: "older" | "rival" | "second";
  /** What is done, as one sentence. */
  readonly text: string;
  /** The file or folder that changes. */
  readonly path: string;
  /** What stands there now, in words or as it is written. */
  readonly before?: string;
  /** What will stand there. */
  readonly after?: string;
  /** Asked before it is done; `standard` is the answer of `--yes`. */
  readonly question?: { readonly text: string; readonly standard: boolean };
}

/** What would be done, in order. */
export interface InstallPlan {
  readonly kind: "install" | "uninstall";
  /** Empty when everything is as it should be. */
  readonly steps: readonly Step[];
  /** What the person should know, one sentence each. */
  readonly notices: readonly string[];
}

/** What a step changes. Kept apart from it, because files of OpenCode's hold tokens. */
export type Change =
  | { readonly type: "plugin"; readonly file: ConfigFile; readonly edit: PluginEdit }
  | { readonly type: "adopt" | "write" | "remove"; readonly file: AuthFile }
  | { readonly type: "cache"; readonly folder: string };

const changes = new WeakMap<Step, Change>();

/** The change behind a step of a plan made here. */
export function changeOf(step: Step): Change {
  const change = changes.get(step);
  if (change === undefined) throw new Error("This step is not from a plan of this process.");
  return change;
}

/** Joins a description and its change. */
export function makeStep(description: Step, change: Change): Step {
  changes.set(description, change);
  return description;
}

/** A plan as lines for people, without the notices. */
export function formatPlan(plan: InstallPlan): string {
  return plan.steps.map((step, index) => {
    const lines = [`${index + 1}. ${step.text}`];
    if (step.before !== undefined) lines.push(`   - ${step.before}`);
    if (step.after !== undefined) lines.push(`   + ${step.after}`);
    return `${lines.join("\n")}\n`;
  }).join("");
}

/** Text from a file, for a terminal: in quotes, without characters that could steer it. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\uFFFD");
}
