import { join } from "node:path";
import { findProgram, programAt } from "../platform/find_program.ts";
import type { Environment } from "../platform/paths.ts";
import { runtime } from "../platform/runtime.ts";

/** Where OpenCode lies: on the search path, else where its own installer puts it. */
export function findOpenCode(env: Environment, home: string): string | undefined {
  const { platform } = runtime;
  return findProgram("opencode", env, platform) ??
    programAt(join(home, ".opencode", "bin", "opencode"), platform);
}
