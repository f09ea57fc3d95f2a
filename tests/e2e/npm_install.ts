/**
 * The npm package, installed from its tarball and without a registry, as npm and Bun do it.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { run } from "../../scripts/program.ts";
import { inRepository, VERSION } from "../../scripts/repository.ts";
import { toolPaths } from "../../scripts/tools.ts";
import type { Sandbox } from "./sandbox.ts";

export const PACKAGE = "opencode-multi-auth-codex";
const PROGRAM = "opencode-multi-auth";
export const TARBALL = inRepository("npm", `${PACKAGE}-${VERSION}.tgz`);

/** The environment of a package manager in a sandbox. */
export function managerEnv(sandbox: Sandbox): Record<string, string> {
  const { bun, node } = toolPaths();
  return {
    ...sandbox.env,
    // Its own Node first: the package's command is started by it.
    PATH: [dirname(node), dirname(bun), Deno.env.get("PATH") ?? ""].join(":"),
    npm_config_cache: join(sandbox.folder, "npm-cache"),
    npm_config_offline: "true",
    npm_config_update_notifier: "false",
    BUN_INSTALL: join(sandbox.home, ".bun"),
  };
}

/** How the package comes into a global folder, and where its command lies then. */
const MANAGERS = {
  npm: (sandbox: Sandbox) => ({
    command: ["npm", "install", "--global", "--prefix", join(sandbox.home, "prefix"), TARBALL],
    bin: join(sandbox.home, "prefix", "bin", PROGRAM),
    folder: join(sandbox.home, "prefix", "lib", "node_modules", PACKAGE),
  }),
  bun: (sandbox: Sandbox) => ({
    command: [toolPaths().bun, "add", "--global", TARBALL],
    bin: join(sandbox.home, ".bun", "bin", PROGRAM),
    folder: join(sandbox.home, ".bun", "install", "global", "node_modules", PACKAGE),
  }),
} as const;

/**
 * Installs the package into a global folder of the sandbox.
 *
 * @returns Where its command and its folder lie then.
 */
export async function installPackage(
  sandbox: Sandbox,
  manager: keyof typeof MANAGERS,
): Promise<{ readonly bin: string; readonly folder: string }> {
  const { command: [program = "", ...args], bin, folder } = MANAGERS[manager](sandbox);
  await run(program, args, { cwd: sandbox.project, env: managerEnv(sandbox) });
  return { bin, folder };
}
