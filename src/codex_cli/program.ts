import { delimiter, isAbsolute, join, resolve } from "node:path";
import { type FileSystem, statIfExists, systemFiles } from "../platform/files.ts";
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
export function findCodex(
  env: Environment,
  folder: string,
  files: FileSystem = systemFiles,
): string | undefined {
  const asked = codexProgram(env);
  const windows = files.platform === "win32";
  const endings = windows ? ["", ...(env["PATHEXT"] ?? ".EXE;.CMD;.BAT").split(";")] : [""];
  const folders = isAbsolute(asked) || /[\\/]/.test(asked)
    ? [""]
    : (env["PATH"] ?? env["Path"] ?? "").split(delimiter).filter((one) => one !== "");
  for (const one of folders) {
    for (const ending of endings) {
      const path = one === "" ? resolve(folder, asked + ending) : join(one, asked + ending);
      if (isProgram(path, files)) return path;
    }
  }
  return undefined;
}

function isProgram(path: string, files: FileSystem): boolean {
  try {
    const stat = statIfExists(path, files);
    if (stat === undefined || stat.isDirectory()) return false;
    return files.platform === "win32" || (stat.mode & 0o111) !== 0;
  } catch {
    return false;
  }
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
