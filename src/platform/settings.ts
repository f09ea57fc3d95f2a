import { Failure } from "./failure.ts";
import { readTextIfExists, statIfExists } from "./files.ts";
import { asObject } from "./json.ts";
import { type Environment, type Paths, set } from "./paths.ts";
import { saveFile } from "./save_file.ts";
import { DEFINITIONS, type SettingName, type Settings } from "./setting_definitions.ts";
import { settingText } from "./setting_text.ts";

export {
  type SettingName,
  type Settings,
  STRATEGIES,
  type StrategyName,
} from "./setting_definitions.ts";

/** One setting as `config list` shows it. */
export interface SettingEntry {
  readonly name: SettingName;
  readonly value: Settings[SettingName];
  readonly source: "default" | "file" | "environment";
  /** The environment variable that wins over the file, if there is one. */
  readonly env: string | undefined;
}

/** Hears of a value that cannot be. Unless it throws, that setting counts as not set there. */
export type OnWrongValue = (failure: unknown) => void;

const refuse: OnWrongValue = (failure) => {
  throw failure;
};

/** The settings that nobody has touched. */
export const STANDARD_SETTINGS: Settings = Object.fromEntries(
  Object.entries(DEFINITIONS).map(([name, { standard }]) => [name, standard]),
) as unknown as Settings;

/**
 * Settings in force: the environment wins over `settings.json`, which wins over the standard.
 *
 * @param older What an older project has set; counts as long as there is no `settings.json`.
 * @param wrong Takes values that cannot be (default: throws them).
 * @throws {Failure} when the file cannot be read.
 */
export function readSettings(
  paths: Paths,
  env: Environment,
  older: Partial<Settings> = {},
  wrong: OnWrongValue = refuse,
): Settings {
  const entries = listSettings(paths, env, wrong);
  // Also with nothing in it that counts: what was taken back stays taken back.
  const ours = statIfExists(paths.settings) !== undefined;
  return Object.fromEntries(
    entries.map(({ name, value, source }) => [
      name,
      source === "default" && !ours ? older[name] ?? value : value,
    ]),
  ) as unknown as Settings;
}

/** The same, one by one, with where each value comes from. */
export function listSettings(
  paths: Paths,
  env: Environment,
  wrong: OnWrongValue = refuse,
): SettingEntry[] {
  const file = readFile(paths);
  return settingNames().map((name) => {
    const { env: variable, standard } = DEFINITIONS[name];
    const fromEnv = variable === undefined ? undefined : set(env[variable]);
    const places = [
      ["environment", fromEnv && fromText(name, fromEnv), `${variable}`],
      ["file", file[name], `"${name}" in ${paths.settings}`],
    ] as const;
    for (const [source, value, where] of places) {
      if (value === undefined) continue;
      try {
        return { name, value: check(name, value, where), source, env: variable };
      } catch (failure) {
        wrong(failure);
      }
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
  saveFile(paths.settings, `${JSON.stringify(file, null, 2)}\n`);
  return text === undefined ? DEFINITIONS[name].standard : file[name] as Settings[SettingName];
}

function fromText(name: SettingName, text: string): unknown {
  const own = DEFINITIONS[name].fromText;
  if (own) return own(text.trim());
  return /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text.trim();
}

function check(name: SettingName, value: unknown, where: string): Settings[SettingName] {
  const { read, standard } = DEFINITIONS[name];
  const reading = read(value);
  if ("value" in reading) return reading.value;
  throw new Failure(
    `${where} ${reading.wrong}.`,
    `The standard value is ${settingText(name, standard) || '""'}.`,
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
