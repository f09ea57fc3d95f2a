import { parseDuration } from "./duration.ts";
import { Failure } from "./failure.ts";
import { readTextIfExists, writeFileAtomic } from "./files.ts";
import { asNumber, asObject } from "./json.ts";
import { type Environment, type Paths, set } from "./paths.ts";

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
export interface Settings {
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

/** A value as the setting takes it, or what is wrong with it in words that follow its name. */
type Reading<T> = { readonly value: T } | { readonly wrong: string };

/** What can be set: how it is read, its standard value, and its variable. What it means: `settings_about.ts`. */
interface Definition<T> {
  readonly read: (value: unknown) => Reading<T>;
  readonly standard: T;
  readonly env: string | undefined;
}

const MAX_SPAN_MS = 7 * 86_400_000;

function span(least: number): Definition<number>["read"] {
  return (value) => {
    const ms = asNumber(typeof value === "string" ? parseDuration(value) : value);
    if (ms === undefined) {
      return { wrong: "must be a span such as 30s, 10m or 2h, or a number of milliseconds" };
    }
    if (ms < least) return { wrong: `must be at least ${least} ms` };
    return ms > MAX_SPAN_MS ? { wrong: "must be at most 7d" } : { value: ms };
  };
}

function oneOf<const T extends string>(words: readonly T[]): Definition<T>["read"] {
  return (value) => {
    const word = words.find((word) => word === value);
    return word === undefined ? { wrong: `must be one of ${words.join(", ")}` } : { value: word };
  };
}

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

function between(least: number, most: number, whole = false): Definition<number>["read"] {
  return (value) => {
    const number = asNumber(value);
    const fits = number !== undefined && number >= least && number <= most &&
      (!whole || Number.isInteger(number));
    const kind = whole ? "whole number" : "number";
    return fits ? { value: number } : { wrong: `must be a ${kind} from ${least} to ${most}` };
  };
}

const DEFINITIONS: { readonly [K in SettingName]: Definition<Settings[K]> } = {
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
    standard: "",
    env: "OPENCODE_MULTI_AUTH_INTERACTIVE",
  },
};

/** One setting as `config list` shows it. */
export interface SettingEntry {
  readonly name: SettingName;
  readonly value: Settings[SettingName];
  readonly source: "default" | "file" | "environment";
  /** The environment variable that wins over the file, if there is one. */
  readonly env: string | undefined;
}

/** The settings that nobody has touched. */
export const STANDARD_SETTINGS: Settings = Object.fromEntries(
  Object.entries(DEFINITIONS).map(([name, { standard }]) => [name, standard]),
) as unknown as Settings;

/**
 * Settings in force: the environment wins over `settings.json`, which wins over the standard.
 *
 * @param older What an older project has set; counts as long as there is no `settings.json`.
 * @throws {Failure} when the file or a variable holds something that cannot be.
 */
export function readSettings(
  paths: Paths,
  env: Environment,
  older: Partial<Settings> = {},
): Settings {
  const entries = listSettings(paths, env);
  const ours = entries.some(({ source }) => source === "file");
  return Object.fromEntries(
    entries.map(({ name, value, source }) => [
      name,
      source === "default" && !ours ? older[name] ?? value : value,
    ]),
  ) as unknown as Settings;
}

/** The same, one by one, with where each value comes from. */
export function listSettings(paths: Paths, env: Environment): SettingEntry[] {
  const file = readFile(paths);
  return settingNames().map((name) => {
    const { env: variable, standard } = DEFINITIONS[name];
    const fromEnv = variable === undefined ? undefined : set(env[variable]);
    if (fromEnv !== undefined) {
      const value = check(name, fromText(name, fromEnv), `${variable}`);
      return { name, value, source: "environment", env: variable };
    }
    if (Object.hasOwn(file, name)) {
      const value = check(name, file[name], `"${name}" in ${paths.settings}`);
      return { name, value, source: "file", env: variable };
    }
    return { name, value: standard, source: "default", env: variable };
  });
}

/** Every setting's name, in the order in which they are shown. */
export function settingNames(): SettingName[] {
  return Object.keys(DEFINITIONS) as SettingName[];
}

/** Whether a text names a setting. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(DEFINITIONS, name);
}

/**
 * Writes one setting; other keys of the file, unknown ones too, stay.
 *
 * @param text The value as typed; undefined takes the setting back to its standard.
 * @returns The value as it now stands in the file.
 * @throws {Failure} when the value cannot be, or the file cannot be read or written.
 */
export function writeSetting(
  paths: Paths,
  name: SettingName,
  text: string | undefined,
): Settings[SettingName] {
  const file = readFile(paths);
  if (text === undefined) delete file[name];
  else file[name] = check(name, fromText(name, text), `"${name}"`);
  writeFileAtomic(paths.settings, `${JSON.stringify(file, null, 2)}\n`);
  return text === undefined ? DEFINITIONS[name].standard : file[name] as Settings[SettingName];
}

function fromText(name: SettingName, text: string): unknown {
  if (name === "weights") {
    try {
      return JSON.parse(text);
    } catch {
      throw new Failure(
        `"${name}" must be a JSON object.`,
        `For example: config set weights '{"personal": 2, "work": 1}'`,
      );
    }
  }
  // An alias may be all digits.
  if (name === "interactive") return text.trim();
  return /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text.trim();
}

function check(name: SettingName, value: unknown, where: string): Settings[SettingName] {
  const { read, standard } = DEFINITIONS[name];
  const reading = read(value);
  if ("value" in reading) return reading.value;
  throw new Failure(
    `${where} ${reading.wrong}.`,
    `The standard value is ${JSON.stringify(standard)}.`,
  );
}

function readFile(paths: Paths): Record<string, unknown> {
  const text = readTextIfExists(paths.settings);
  if (text === undefined || text.trim() === "") return {};
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Failure(
      `${paths.settings} is not JSON.`,
      "Mend it or delete it; nothing was changed.",
    );
  }
  const object = asObject(json);
  if (!object) {
    throw new Failure(
      `${paths.settings} is not a JSON object.`,
      "Mend it or delete it; nothing was changed.",
    );
  }
  return { ...object };
}
