import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { Environment } from "../platform/paths.ts";
import { runtime } from "../platform/runtime.ts";

/** Where OpenCode lies: on the search path, else where its own installer puts it. */
export function findOpenCode(env: Environment, home: string): string | undefined {
  return onPath("opencode", env) ?? programIn(join(home, ".opencode", "bin"), "opencode");
}

/** A program on the search path. Relative entries are left out: they would mean any folder. */
export function onPath(name: string, env: Environment): string | undefined {
  for (const folder of (env["PATH"] ?? env["Path"] ?? "").split(delimiter)) {
    const found = isAbsolute(folder) ? programIn(folder, name) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function programIn(folder: string, name: string): string | undefined {
  const endings = runtime.platform === "win32" ? [".exe", ".cmd", ""] : [""];
  for (const ending of endings) {
    const path = join(folder, name + ending);
    try {
      if (!statSync(path).isFile()) continue;
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
