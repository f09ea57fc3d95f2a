import { join } from "node:path";
import { configHome, type Environment, homeFolder, set } from "../platform/paths.ts";

/** A file in which another project keeps its accounts. */
export interface OlderPlace {
  /** Absolute. */
  readonly path: string;
  /** Whose it is, in words that follow "of". */
  readonly project: string;
}

/**
 * Where projects that did the same job keep their accounts, besides our own store folder, which the
 * earlier projects of this family share with us.
 */
export function olderPlaces(env: Environment): readonly OlderPlace[] {
  const home = homeFolder(env);
  const config = configHome(env, home);
  const moved = set(env["OPENCODE_MULTI_AUTH_STORE_FILE"]);
  return [
    ...(moved === undefined ? [] : [{ path: moved, project: "OPENCODE_MULTI_AUTH_STORE_FILE" }]),
    {
      path: join(home, ".opencode", "oc-codex-multi-auth-accounts.json"),
      project: "oc-codex-multi-auth",
    },
    {
      path: join(home, ".opencode", "openai-codex-accounts.json"),
      project: "oc-codex-multi-auth, older",
    },
    {
      path: join(config, "opencode", "codex-accounts.json"),
      project: "opencode-codex-auth",
    },
    {
      path: join(config, "opencode", "openai-codex-accounts.json"),
      project: "opencode-openai-codex-auth",
    },
  ];
}
