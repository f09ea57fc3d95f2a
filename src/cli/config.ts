import { printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";
import { resolvePaths } from "../platform/paths.ts";
import {
  isSettingName,
  listSettings,
  type SettingEntry,
  type SettingName,
  settingNames,
  writeSetting,
} from "../platform/settings.ts";
import { settingText } from "../platform/setting_text.ts";
import { SETTINGS_ABOUT } from "../platform/settings_about.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { carryOver, overlay } from "../store/older_settings.ts";
import { noAction } from "./no_action.ts";
import { olderSettingsAt } from "./older_settings.ts";
import { JSON_ABOUT, type OutputOptions, report } from "./output.ts";
import { paintOf } from "./style.ts";
import { wrapped } from "./wrapped.ts";
import { sayWrong } from "./wrong_setting.ts";

/** `config`: reads and writes `settings.json`. Without an action it lists. */
export function registerConfig(program: CommandLine, context: Context): void {
  const paths = () => resolvePaths(context.env);
  const entries = async () =>
    overlay(
      listSettings(paths(), context.env, sayWrong(context)),
      await olderSettingsAt(context, paths()),
    );
  const write = async (name: SettingName, value: string | undefined) => {
    const older = await olderSettingsAt(context, paths());
    writeSetting(paths(), name, value);
    carryOver(paths(), older, name);
  };
  const config = program.command("config")
    .summary("Read and change settings (get|set|unset|list)")
    .description("Reads and changes the settings. Without an action it lists them.")
    .usage("[action] [options]")
    .argument("[action]", "list, get, set or unset; without one, list")
    .option("--json", JSON_ABOUT)
    .helpCommand(false)
    .enablePositionalOptions()
    .action((action, options) => {
      if (action === undefined) return list(options);
      throw noAction("config", action, "list, get, set, unset");
    });

  config.command("list").alias("ls")
    .summary("Show every setting, its value and where that comes from")
    .description("Shows every setting, its value and where that comes from.")
    .option("--json", JSON_ABOUT)
    .action(list);

  config.command("get")
    .summary("Show the value of one setting")
    .description("Shows the value of one setting.")
    .argument("<name>", "the setting's name")
    .option("--json", JSON_ABOUT)
    .action(async (name, options) => {
      const entry = entryNamed(await entries(), settingNamed(name));
      report(context, options, entryObject(entry), `${settingText(entry.name, entry.value)}\n`);
    });

  config.command("set")
    .summary("Change one setting")
    .description("Changes one setting.")
    .argument("<name>", "the setting's name")
    .argument("<value>", "its value; spans as 30s or 10m")
    .option("--json", JSON_ABOUT)
    .action(async (name, value, options) => {
      await write(settingNamed(name), value);
      await changed(settingNamed(name), options);
    });

  config.command("unset")
    .summary("Take one setting back to its standard value")
    .description("Takes one setting back to its standard value.")
    .argument("<name>", "the setting's name")
    .option("--json", JSON_ABOUT)
    .action(async (name, options) => {
      await write(settingNamed(name), undefined);
      await changed(settingNamed(name), options);
    });

  async function list(options: OutputOptions): Promise<void> {
    const all = await entries();
    report(context, options, { settings: all.map(entryObject) }, listText(all, context));
  }

  async function changed(name: SettingName, options: OutputOptions): Promise<void> {
    const entry = entryNamed(await entries(), name);
    if (entry.source === "environment") {
      context.warn(`Note: ${entry.env} is set and wins over the file.\n`);
    }
    report(
      context,
      options,
      { ok: true, ...entryObject(entry) },
      `${entry.name} = ${settingText(entry.name, entry.value)}\n`,
    );
  }
}

function settingNamed(name: string): SettingName {
  if (isSettingName(name)) return name;
  throw new Failure(
    `There is no setting "${printable(name)}".`,
    `Settings: ${settingNames().join(", ")}.`,
    2,
  );
}

function entryNamed(entries: readonly SettingEntry[], name: SettingName): SettingEntry {
  const entry = entries.find((entry) => entry.name === name);
  if (entry) return entry;
  throw new Error(`The setting ${name} is missing from the list of settings.`);
}

function entryObject({ name, value, source, env }: SettingEntry): Record<string, unknown> {
  return { name, value, source, env: env ?? null, about: SETTINGS_ABOUT[name] };
}

function listText(entries: readonly SettingEntry[], context: Context): string {
  const paint = paintOf(context);
  const width = Math.max(...entries.map(({ name }) => name.length));
  const indent = " ".repeat(width + 4);
  const lines = entries.map(({ name, value, source, env }) => {
    const origin = source === "environment" ? ` (from ${env})` : source === "file" ? " (set)" : "";
    const explained = wrapped(SETTINGS_ABOUT[name], context.columns - indent.length)
      .map((line) => `${indent}${paint("dim", line)}\n`);
    return `  ${paint("bold", name.padEnd(width))}  ${settingText(name, value)}${origin}\n` +
      explained.join("");
  });
  return `\nSettings:\n\n${lines.join("")}\n`;
}
