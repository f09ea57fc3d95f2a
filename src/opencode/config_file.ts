import { basename, join } from "node:path";
import { applyEdits, type Edit, type Node } from "jsonc-parser";
import { Failure } from "../platform/failure.ts";
import { configHome, type Environment, homeFolder, set } from "../platform/paths.ts";
import type { Disk } from "./disk.ts";
import { type JsoncDocument, parseJsonc, position, read, valueOf } from "./jsonc_document.ts";
import { appendItem, appendProperty, remove, replaceValue } from "./jsonc_edit.ts";

/** One plugin that a configuration file names. */
export interface PluginEntry {
  /** Its place in the file's list, from 0. */
  readonly index: number;
  /** What is loaded. */
  readonly spec: string;
  /** Whether it is written as `[spec, options]`. */
  readonly hasOptions: boolean;
}

/** One of OpenCode's configuration files, read. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  /** As it was read; undefined when the file does not exist. */
  readonly text: string | undefined;
  /** Permission bits of the file, or those a new one gets. */
  readonly mode: number;
  /** What `plugin` lists; undefined when the file has no such key. */
  readonly plugins: readonly PluginEntry[] | undefined;
  /** The whole configuration, for questions about other keys. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** OpenCode's configuration that counts in every project. */
export interface GlobalConfig {
  /** Every file that exists, in OpenCode's order of reading. */
  readonly files: readonly ConfigFile[];
  /** The file whose `plugin` list a new entry belongs in; it may not exist yet. */
  readonly target: ConfigFile;
  /** Paths of files whose `plugin` list OpenCode passes over, because a later file has one too. */
  readonly shadowed: ReadonlySet<string>;
}

/** A change of one file's `plugin` list. */
export type PluginEdit =
  | { readonly type: "add"; readonly spec: string }
  | { readonly type: "replace"; readonly index: number; readonly spec: string }
  | { readonly type: "remove"; readonly index: number };

const READING = {
  fix: "Mend it (OpenCode cannot read it either) and run this again; nothing was changed.",
};

/** In a folder of its own, OpenCode reads these two, one after the other. */
const NAMES = ["opencode.json", "opencode.jsonc"] as const;

/** The files of its terminal interface, in the same way. */
const TUI_NAMES: readonly string[] = ["tui.json", "tui.jsonc"];

/**
 * Reads the configuration of the terminal interface that OpenCode 1.18 uses in
 * every project. The `plugin` lists of all its files count.
 *
 * @throws {Failure} in one line when a file is broken.
 */
export function readTuiConfig(
  env: Environment,
  disk: Disk,
  home: string = homeFolder(env),
): GlobalConfig {
  const custom = set(env["OPENCODE_TUI_CONFIG"]);
  const own = set(env["OPENCODE_CONFIG_DIR"]);
  const folders = [
    join(configHome(env, home), "opencode"),
    join(home, ".opencode"),
    ...(own === undefined ? [] : [own]),
  ];
  const paths = folders.flatMap((folder) => TUI_NAMES.map((name) => join(folder, name)));
  const files = [...new Set([...paths, ...(custom === undefined ? [] : [custom])])]
    .map((path) => readConfigFile(path, disk));
  const [standard, commented] = files;
  if (!standard || !commented) throw new Error("unreachable: the list of names is not empty");
  return {
    files: files.filter((file) => file.text !== undefined),
    target: commented.text === undefined ? standard : commented,
    shadowed: new Set(),
  };
}

/**
 * Reads the configuration that OpenCode 1.18 uses in every project: `config.json`,
 * `opencode.json`, `opencode.jsonc` in `$XDG_CONFIG_HOME/opencode`, of which the last `plugin` list
 * stands for all three; and beside it, each with a list of its own, the file in `OPENCODE_CONFIG`
 * and the two files in `~/.opencode` and in `OPENCODE_CONFIG_DIR`.
 *
 * @throws {Failure} in one line when a file is broken.
 */
export function readGlobalConfig(
  env: Environment,
  disk: Disk,
  home: string = homeFolder(env),
): GlobalConfig {
  const folder = join(configHome(env, home), "opencode");
  const merged = ["config.json", ...NAMES].map((name) => readConfigFile(join(folder, name), disk));
  const custom = set(env["OPENCODE_CONFIG"]);
  const own = set(env["OPENCODE_CONFIG_DIR"]);
  const paths = [
    ...(custom === undefined ? [] : [custom]),
    ...[join(home, ".opencode"), ...(own === undefined ? [] : [own])]
      .flatMap((place) => NAMES.map((name) => join(place, name))),
  ];
  const known = new Set(merged.map((file) => file.path));
  const others = [...new Set(paths)].filter((path) => !known.has(path))
    .map((path) => readConfigFile(path, disk));

  const exists = (file: ConfigFile) => file.text !== undefined;
  const lists = merged.filter((file) => file.plugins !== undefined);
  // Nothing global, but a file of the person's own: that is where they keep their configuration.
  const elsewhere = merged.some(exists) ? undefined : others.find(exists);
  const target = lists.at(-1) ?? merged.findLast(exists) ?? elsewhere ?? merged[1];
  if (target === undefined) throw new Error("unreachable: the list of names is not empty");
  return {
    files: [...merged, ...others].filter(exists),
    target,
    shadowed: new Set(lists.slice(0, -1).map((file) => file.path)),
  };
}

/**
 * Reads one configuration file. One that does not exist is an empty one.
 *
 * @param path Absolute.
 * @throws {Failure} when it is not JSON with comments, or `plugin` is not a list.
 */
export function readConfigFile(path: string, disk: Disk): ConfigFile {
  const file = disk.read(path);
  const document = parseJsonc(path, file?.text ?? "", READING);
  const list = pluginList(path, document);
  return {
    path,
    text: file?.text,
    mode: file?.mode ?? 0o600,
    plugins: list && (list.children ?? []).flatMap((node, index) => entryOf(document, node, index)),
    settings: read(document, document.root) as Record<string, unknown> ?? {},
  };
}

/**
 * Changes the `plugin` list in a file's text. Comments, order and layout stay; indexes count as in
 * the text that was read.
 *
 * @returns The new text.
 */
export function editPlugins(
  path: string,
  text: string | undefined,
  edits: readonly PluginEdit[],
): string {
  // Removals first and by themselves: what is added goes behind what is left.
  let result = change(path, text ?? "", (document, list) => {
    const replaced = edits.flatMap((edit) => {
      if (edit.type !== "replace") return [];
      const node = list?.children?.[edit.index];
      const spec = node?.type === "array" ? node.children?.[0] : node;
      return spec === undefined ? [] : [replaceValue(document, spec, edit.spec)];
    });
    const removed = edits.flatMap((edit) => {
      const node = edit.type === "remove" ? list?.children?.[edit.index] : undefined;
      return node === undefined ? [] : [node];
    });
    return [...replaced, ...(list === undefined ? [] : remove(document, list, removed))];
  });
  for (const edit of edits) {
    if (edit.type !== "add") continue;
    result = change(path, result, (document, list) => {
      if (list !== undefined) return appendItem(document, list, edit.spec);
      if (document.root !== undefined) return appendProperty(document, "plugin", [edit.spec]);
      return appendProperty(document, "$schema", schemaOf(path));
    });
    // An empty file has its object now, and OpenCode's schema in it; OpenCode adds it otherwise.
    if (pluginList(path, parseJsonc(path, result, READING)) === undefined) {
      result = change(
        path,
        result,
        (document) => appendProperty(document, "plugin", [edit.spec]),
      );
    }
  }
  return result;
}

function schemaOf(path: string): string {
  return `https://opencode.ai/${TUI_NAMES.includes(basename(path)) ? "tui" : "config"}.json`;
}

function change(
  path: string,
  text: string,
  edits: (document: JsoncDocument, list: Node | undefined) => Edit[],
): string {
  const document = parseJsonc(path, text, READING);
  return document.mark +
    applyEdits(document.text, edits(document, pluginList(path, document)));
}

function pluginList(path: string, document: JsoncDocument): Node | undefined {
  const node = valueOf(document.root, "plugin");
  if (node === undefined || node.type === "array") return node;
  const where = position(document.text, node.offset);
  throw new Failure(
    `"plugin" in ${path} is not a list ${where}.`,
    `Write it as ["…"] and run this again; nothing was changed.`,
  );
}

function entryOf(document: JsoncDocument, node: Node, index: number): PluginEntry[] {
  const value = read(document, node);
  const spec = Array.isArray(value) ? value[0] : value;
  return typeof spec === "string" ? [{ index, spec, hasOptions: Array.isArray(value) }] : [];
}
