import { isAbsolute, resolve } from "node:path";
import { type FileSystem, systemFiles } from "../platform/files.ts";
import { findProgram, programAt } from "../platform/find_program.ts";
import { type Environment, set } from "../platform/paths.ts";

/** How the Codex CLI is brought to this machine, or up to date. */
export const INSTALL = "npm install -g @openai/codex@latest";

/** The Codex CLI as it is to be called: a path, or a name for `PATH`. */
export function codexProgram(env: Environment): string {
  return set(env["CODEX_CLI_BIN"])?.trim() ?? "codex";
}

/**
 * Where the Codex CLI lies: `CODEX_CLI_BIN`, which is a path or a name, else `codex` in `PATH`.
 *
 * @returns An absolute path, or undefined when there is no such file.
 */
export function locateCodex(
  env: Environment,
  folder: string,
  files: FileSystem = systemFiles,
): string | undefined {
  const asked = codexProgram(env);
  return isAbsolute(asked) || /[\\/]/.test(asked)
    ? programAt(resolve(folder, asked), files.platform, files)
    : findProgram(asked, env, files.platform, files);
}

/** What may hold a secret of ours or another login for Codex: neither is a child's business. */
const WITHHELD = [
  /^(CODEX_API_KEY|CODEX_ACCESS_TOKEN|OPENAI_API_KEY)$/,
  /^CODEX_SOFT_STORE_PASSPHRASE/,
  /^OPENCODE_MULTI_AUTH_/,
];

/** The environment of a Codex CLI that lives in `home`: the person's own, without what is none of its business. */
export function codexEnvironment(env: Environment, home: string): Record<string, string> {
  const kept = Object.entries(env).filter((entry): entry is [string, string] =>
    entry[1] !== undefined && !WITHHELD.some((pattern) => pattern.test(entry[0]))
  );
  return { ...Object.fromEntries(kept), CODEX_HOME: home };
}
