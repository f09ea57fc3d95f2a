/**
 * The real Codex CLI in a sandbox, on the simulated backend.
 *
 * @module
 */
import { join } from "node:path";
import { toolPaths } from "../../scripts/tools.ts";
import { type Child, type ChildOptions, type Outcome, start } from "./child.ts";
import type { Scene } from "./scene.ts";

/** Codex's folder in a sandbox. */
export function codexHome(scene: Scene): string {
  return join(scene.sandbox.home, ".codex");
}

/** Codex's login in a sandbox. */
export function codexAuth(scene: Scene): string {
  return join(codexHome(scene), "auth.json");
}

/** The environment of a Codex that reaches the simulator and nothing else. */
export function codexEnv({ sandbox, simulator }: Scene): Record<string, string> {
  return {
    ...sandbox.env,
    CODEX_CLI_BIN: toolPaths().codex,
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${simulator.issuerUrl}/oauth/token`,
    CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${simulator.issuerUrl}/oauth/revoke`,
    HTTPS_PROXY: simulator.origin,
    NO_PROXY: "127.0.0.1,localhost",
  };
}

/** Makes Codex's folder, with a `config.toml` that leads to the simulator. */
export function setUpCodex(scene: Scene): void {
  Deno.mkdirSync(codexHome(scene), { recursive: true });
  const { port } = new URL(scene.simulator.origin);
  // Two spellings of one host: else Codex takes the model's address from the other.
  Deno.writeTextFileSync(
    join(codexHome(scene), "config.toml"),
    `chatgpt_base_url = "http://127.0.0.1:${port}/backend-api"\n` +
      `openai_base_url = "http://localhost:${port}/backend-api/codex"\n` +
      'cli_auth_credentials_store = "file"\n',
  );
}

/** Starts the real Codex CLI. */
export function startCodex(
  scene: Scene,
  args: readonly string[],
  options: Partial<ChildOptions> = {},
): Child {
  return start(toolPaths().codex, args, {
    env: codexEnv(scene),
    cwd: scene.sandbox.project,
    ...options,
  });
}

/** Runs the real Codex CLI to its end. */
export function codex(scene: Scene, args: readonly string[]): Promise<Outcome> {
  return startCodex(scene, args).outcome;
}

/** What makes `codex exec` ask its model once and end. */
export const EXEC: readonly string[] = [
  "exec",
  "--skip-git-repo-check",
  "--sandbox",
  "read-only",
  "--disable",
  "plugins",
  "--disable",
  "apps",
  "Say something",
];
