import { join } from "node:path";
import { errorCode } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import { dataHome, type Environment, resolvePaths, set } from "../platform/paths.ts";
import { builtin } from "../platform/runtime.ts";
import { PLACEHOLDER_ENTRY } from "./placeholder.ts";
import type { PluginInput } from "./host.ts";

/**
 * Without an `openai` entry in its auth.json OpenCode never asks a plugin. When
 * accounts are stored and the entry is missing, it is written through
 * OpenCode's own client, which makes OpenCode call the loader in this process.
 */
export async function ensureEntry(input: PluginInput, env: Environment, log: Log): Promise<void> {
  const client = input.client?.auth;
  if (!client || set(env["OPENCODE_AUTH_CONTENT"])) return;
  if (!(await exists(resolvePaths(env).accounts))) return;
  const entries = await readEntries(join(dataHome(env), "opencode", "auth.json"));
  if (entries === undefined || Object.hasOwn(entries, "openai")) return;
  await client.set({ path: { id: "openai" }, body: PLACEHOLDER_ENTRY });
  log.info("wrote the openai entry into OpenCode's auth.json");
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await builtin("node:fs/promises").stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The entries; empty when there is no file; undefined when it cannot be read, which is left alone. */
async function readEntries(path: string): Promise<object | undefined> {
  try {
    const json: unknown = JSON.parse(await builtin("node:fs/promises").readFile(path, "utf8"));
    return typeof json === "object" && json !== null ? json : undefined;
  } catch (error) {
    return errorCode(error) === "ENOENT" ? {} : undefined;
  }
}
