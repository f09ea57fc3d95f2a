import * as v from "valibot";
import { parseDuration } from "./duration.ts";
import { Failure } from "./failure.ts";
import { readTextIfExists, writeFileAtomic } from "./files.ts";
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
}

/** A setting's name. */
export type SettingName = keyof Settings;

/** What can be set: its schema, its standard value, and what it means. */
interface Definition<T> {
  readonly schema: v.GenericSchema<unknown, T>;
  readonly standard: T;
  readonly env: string | undefined;
  readonly about: string;
}

const duration = (least: number): v.GenericSchema<unknown, number> =>
  v.pipe(
    v.unknown(),
    v.transform((value) => typeof value === "string" ? parseDuration(value) ?? NaN : value),
    v.number("must be a span such as 30s, 10m or 2h, or a number of milliseconds"),
    v.finite(),
    v.minValue(least, (issue) => `must be at least ${issue.requirement} ms`),
    v.maxValue(7 * 86_400_000, "must be at most 7d"),
  );

const oneOf = <const T extends string>(words: readonly T[]): v.GenericSchema<unknown, T> =>
  v.picklist(words, `must be one of ${words.join(", ")}`);

const DEFINITIONS: { readonly [K in SettingName]: Definition<Settings[K]> } = {
  strategy: {
    schema: oneOf(STRATEGIES),
    standard: "round-robin",
    env: "OPENCODE_MULTI_AUTH_ROTATION_STRATEGY",
    about: "which account a new session gets",
  },
  rotate: {
    schema: oneOf(["session", "request"]),
    standard: "session",
    env: "OPENCODE_MULTI_AUTH_ROTATE",
    about: "keep a session on its account, or choose anew for each request",
  },
  exhausted: {
    schema: oneOf(["stop", "wait"]),
    standard: "stop",
    env: "OPENCODE_MULTI_AUTH_EXHAUSTED",
    about: "when every account is at its limit: say so at once, or let OpenCode wait",
  },
  maxWait: {
    schema: duration(1_000),
    standard: 600_000,
    env: "OPENCODE_MULTI_AUTH_MAX_WAIT_MS",
    about: "longest wait that exhausted=wait asks for, in ms",
  },
  stall: {
    schema: duration(100),
    standard: 30_000,
    env: "OPENCODE_MULTI_AUTH_STALL_MS",
    about: "how long an answer may be silent before its first useful event, in ms",
  },
  silence: {
    schema: duration(1_000),
    standard: 120_000,
    env: "OPENCODE_MULTI_AUTH_SILENCE_MS",
    about: "how long an answer may be silent after that, in ms",
  },
  refreshGap: {
    schema: duration(0),
    standard: 4_000,
    env: "OPENCODE_MULTI_AUTH_REFRESH_GAP_MS",
    about: "pause between two token refreshes of this machine, jitter included, in ms",
  },
  weights: {
    schema: v.pipe(
      v.unknown(),
      v.check((value) => !Array.isArray(value), "must be an object of alias and weight"),
      v.record(
        v.string(),
        v.pipe(v.number("must be a number"), v.minValue(0, "must not be negative"), v.finite()),
        "must be an object of alias and weight",
      ),
    ),
    standard: {},
    env: undefined,
    about: "share of new sessions by alias, for strategy=weighted (absent: 1)",
  },
};

/** One setting as `config list` shows it. */
export interface SettingEntry {
  readonly name: SettingName;
  readonly value: Settings[SettingName];
  readonly source: "default" | "file" | "environment";
  /** The environment variable that wins over the file, if there is one. */
  readonly env: string | undefined;
  readonly about: string;
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
    const { env: variable, about, standard } = DEFINITIONS[name];
    const fromEnv = variable === undefined ? undefined : set(env[variable]);
    if (fromEnv !== undefined) {
      const value = check(name, fromText(name, fromEnv), `${variable}`);
      return { name, value, source: "environment", env: variable, about };
    }
    if (Object.hasOwn(file, name)) {
      const value = check(name, file[name], `"${name}" in ${paths.settings}`);
      return { name, value, source: "file", env: variable, about };
    }
    return { name, value: standard, source: "default", env: variable, about };
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
  return /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text.trim();
}

function check(name: SettingName, value: unknown, where: string): Settings[SettingName] {
  const result = v.safeParse(DEFINITIONS[name].schema, value);
  if (result.success) return result.output as Settings[SettingName];
  throw new Failure(
    `${where} ${result.issues[0].message}.`,
    `The standard value is ${JSON.stringify(DEFINITIONS[name].standard)}.`,
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
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new Failure(
      `${paths.settings} is not a JSON object.`,
      "Mend it or delete it; nothing was changed.",
    );
  }
  return json as Record<string, unknown>;
}
