import { join } from "node:path";
import { type Environment, homeFolder, set } from "../platform/paths.ts";

/** The Codex CLI's own folder: `CODEX_HOME`, else `~/.codex`. */
export function codexHome(env: Environment): string {
  return set(env["CODEX_HOME"]) ?? join(homeFolder(env), ".codex");
}

/** Where the Codex CLI keeps its login, as it spells it; may be a symlink. */
export function authPath(env: Environment): string {
  return join(codexHome(env), "auth.json");
}
