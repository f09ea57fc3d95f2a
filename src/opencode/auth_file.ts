import { join } from "node:path";
import { applyEdits } from "jsonc-parser";
import { dataHome, type Environment, homeFolder, set } from "../platform/paths.ts";
import { type OpenAiEntry, readEntry } from "./auth_entry.ts";
import { type OauthEntry, PLACEHOLDER_ENTRY } from "./placeholder.ts";
import type { Disk } from "./disk.ts";
import { parseJsonc, properties, read, valueOf } from "./jsonc_document.ts";
import { appendProperty, remove, replaceValue } from "./jsonc_edit.ts";

export { isPlaceholder, PLACEHOLDER_ENTRY } from "./placeholder.ts";

/** OpenCode's credentials file, read. It holds tokens: never print `text`. */
export interface AuthFile {
  /** Absolute. */
  readonly path: string;
  /** As it was read; undefined when the file does not exist. */
  readonly text: string | undefined;
  /** What stands under `openai`. */
  readonly openai: OpenAiEntry;
  /** True when `OPENCODE_AUTH_CONTENT` is set: OpenCode then reads that and not this file. */
  readonly overridden: boolean;
}

const READING = {
  fix:
    "Mend it or move it away (OpenCode takes it for empty and would overwrite it); nothing was changed.",
  // OpenCode reads this file as plain JSON.
  strict: true,
};

/** `$XDG_DATA_HOME/opencode/auth.json`. */
export function authFilePath(env: Environment, home: string = homeFolder(env)): string {
  return join(dataHome(env, home), "opencode", "auth.json");
}

/**
 * Reads OpenCode's credentials file.
 *
 * @throws {Failure} in one line, without any of its content, when it is broken.
 */
export function readAuthFile(
  env: Environment,
  disk: Disk,
  home: string = homeFolder(env),
): AuthFile {
  const path = authFilePath(env, home);
  const text = disk.read(path)?.text;
  const document = parseJsonc(path, text ?? "", READING);
  return {
    path,
    text,
    openai: readEntry(read(document, valueOf(document.root, "openai"))),
    // OpenCode falls back to the file when the variable is not JSON.
    overridden: isJson(set(env["OPENCODE_AUTH_CONTENT"])),
  };
}

/**
 * The file with our entry, or another, under `openai`. All other bytes stay, only a byte order mark
 * goes, which OpenCode's reader does not expect in this file.
 */
export function withEntry(
  path: string,
  text: string | undefined,
  entry: OauthEntry = PLACEHOLDER_ENTRY,
): string {
  const document = parseJsonc(path, text ?? "", READING);
  const present = valueOf(document.root, "openai");
  return applyEdits(
    document.text,
    present === undefined
      ? appendProperty(document, "openai", entry)
      : [replaceValue(document, present, entry)],
  );
}

/** The file without an `openai` entry. All other bytes stay. */
export function withoutEntry(path: string, text: string): string {
  const document = parseJsonc(path, text, READING);
  if (document.root === undefined) return text;
  const entries = properties(document.root, "openai");
  return applyEdits(document.text, remove(document, document.root, entries));
}

/** A file with the `openai` entry of `text` alone, to keep it safe before it is replaced. */
export function entryAlone(path: string, text: string): string {
  const document = parseJsonc(path, text, READING);
  const openai = read(document, valueOf(document.root, "openai"));
  return `${JSON.stringify({ openai }, null, 2)}\n`;
}

function isJson(text: string | undefined): boolean {
  if (text === undefined) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
