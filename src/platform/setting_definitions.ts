/**
 * What can be set, and how each value is read.
 *
 * @module
 */
import { Failure } from "./failure.ts";
import { asNumber, asObject } from "./json.ts";
import { NOTIFY_DEFINITIONS, type NotifySettings } from "./notify_settings.ts";
import { between, type Definition, oneOf, type Reading, span } from "./setting_kinds.ts";

/** How an account is chosen for a new session. */
export const STRATEGIES: readonly StrategyName[] = [
  "round-robin",
  "least-used",
  "drain",
  "random",
  "weighted",
  "quota",
];

/** A strategy's name. */
export type StrategyName =
  | "round-robin"
  | "least-used"
  | "drain"
  | "random"
  | "weighted"
  | "quota";

/** All settings with their values in force. Spans are milliseconds. */
export interface Settings extends NotifySettings {
  /** Which account a new session gets. */
  readonly strategy: StrategyName;
  /** Whether a session stays on its account, or every request is chosen for. */
  readonly rotate: "session" | "request";
  /** What an exhausted pool answers: an error that is shown at once, or one that makes OpenCode wait. */
  readonly exhausted: "stop" | "wait";
  /** Longest wait that `exhausted: "wait"` asks for. */
  readonly maxWait: number;
  /** How long an answer may be silent before its first useful event. */
  readonly stall: number;
  /** How long it may be silent after that. */
  readonly silence: number;
  /** Pause between two token refreshes of this machine, jitter included. */
  readonly refreshGap: number;
  /** Share of new sessions by alias, for the strategy `weighted`; 1 where nothing is said. */
  readonly weights: Readonly<Record<string, number>>;
  /** Percent left in its tightest window below which the strategy `quota` spares an account. */
  readonly softThreshold: number;
  /** Questions about limits that this machine asks at once. */
  readonly limitsAtOnce: number;
  /** Pause between two of them, half of it up or down by chance. */
  readonly limitsGap: number;
  /** Alias of an account that sub-agents leave to the person while another can serve; empty for none. */
  readonly interactive: string;
}

/** A setting's name. */
export type SettingName = keyof Settings;

function readWeights(value: unknown): Reading<Settings["weights"]> {
  const weights = asObject(value);
  if (!weights) return { wrong: "must be an object of alias and weight" };
  for (const weight of Object.values(weights)) {
    const number = asNumber(weight);
    if (number === undefined) return { wrong: "must be a number" };
    if (number < 0) return { wrong: "must not be negative" };
  }
  return { value: weights as Settings["weights"] };
}

function weightsFromText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(
      `"weights" must be a JSON object.`,
      `For example: config set weights '{"personal": 2, "work": 1}'`,
    );
  }
}

/** Every setting, in the order in which they are shown. */
export const DEFINITIONS: { readonly [K in SettingName]: Definition<Settings[K]> } = {
  strategy: {
    read: oneOf(STRATEGIES),
    standard: "round-robin",
    env: "OPENCODE_MULTI_AUTH_ROTATION_STRATEGY",
  },
  rotate: {
    read: oneOf(["session", "request"]),
    standard: "session",
    env: "OPENCODE_MULTI_AUTH_ROTATE",
  },
  exhausted: {
    read: oneOf(["stop", "wait"]),
    standard: "stop",
    env: "OPENCODE_MULTI_AUTH_EXHAUSTED",
  },
  maxWait: {
    read: span(1_000),
    standard: 600_000,
    env: "OPENCODE_MULTI_AUTH_MAX_WAIT_MS",
  },
  stall: {
    read: span(100),
    standard: 30_000,
    env: "OPENCODE_MULTI_AUTH_STALL_MS",
  },
  silence: {
    read: span(1_000),
    standard: 120_000,
    env: "OPENCODE_MULTI_AUTH_SILENCE_MS",
  },
  refreshGap: {
    read: span(0),
    standard: 4_000,
    env: "OPENCODE_MULTI_AUTH_REFRESH_GAP_MS",
  },
  weights: {
    read: readWeights,
    fromText: weightsFromText,
    standard: {},
    env: undefined,
  },
  softThreshold: {
    read: between(0, 100),
    standard: 10,
    env: "OPENCODE_MULTI_AUTH_SOFT_THRESHOLD",
  },
  limitsAtOnce: {
    read: between(1, 8, true),
    standard: 1,
    env: "OPENCODE_MULTI_AUTH_LIMITS_AT_ONCE",
  },
  limitsGap: {
    read: span(0),
    standard: 2_000,
    env: "OPENCODE_MULTI_AUTH_LIMITS_GAP_MS",
  },
  interactive: {
    read: (value) =>
      typeof value === "string" ? { value } : { wrong: "must be the alias of an account" },
    // An alias may be all digits.
    fromText: (text) => text,
    standard: "",
    env: "OPENCODE_MULTI_AUTH_INTERACTIVE",
  },
  ...NOTIFY_DEFINITIONS,
};
