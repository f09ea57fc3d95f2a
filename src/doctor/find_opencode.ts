import { join } from "node:path";
import { findProgram, programAt } from "../platform/find_program.ts";
import { runtime } from "../platform/runtime.ts";
import { findPermitted } from "./program.ts";
import type { Surroundings } from "./surroundings.ts";

/** Where OpenCode lies: on the search path, else where its own installer puts it. */
export function findOpenCode({ env, home, files }: Surroundings): string | undefined {
  const { platform } = runtime;
  return findPermitted(files, (seen) =>
    findProgram("opencode", env, platform, seen) ??
      programAt(join(home, ".opencode", "bin", "opencode"), platform, seen));
}
