import { PROGRAM } from "../platform/version.ts";
import type { Context } from "./context.ts";

/**
 * Looks whether OpenCode would ask a plugin for ChatGPT at all: it does so only
 * with an `openai` entry of type `oauth` in its `auth.json`.
 *
 * @returns What to do about it, as one line; undefined when all is well, or when it cannot be told.
 */
export async function openCodeHint(context: Context): Promise<string | undefined> {
  const { readAuthFile } = await import("../opencode/auth_file.ts");
  const { systemDisk } = await import("../opencode/disk.ts");
  try {
    const { openai, overridden } = readAuthFile(context.env, systemDisk);
    if (overridden || openai.kind === "placeholder" || openai.kind === "login") return undefined;
  } catch {
    // Said by `install`, which has to read it; here it must not spoil a login that is stored.
    return undefined;
  }
  return `OpenCode does not use them yet. To set it up: ${PROGRAM} install`;
}
