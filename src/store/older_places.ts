import { join } from "node:path";
import { type FileSystem, systemFiles } from "../platform/files.ts";
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
export function olderPlaces(
  env: Environment,
  files: FileSystem = systemFiles,
): readonly OlderPlace[] {
  const home = homeFolder(env);
  const config = configHome(env, home);
  const moved = set(env["OPENCODE_MULTI_AUTH_STORE_FILE"]);
  const root = set(env["OC_CODEX_MULTI_AUTH_DIR"]);
  return [
    ...(moved === undefined ? [] : [{ path: moved, project: "OPENCODE_MULTI_AUTH_STORE_FILE" }]),
    ...pools(join(home, ".opencode"), files),
    ...(root === undefined ? [] : pools(root, files)),
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

/** Where oc-codex-multi-auth keeps accounts under its root: for all projects, and, its standard, for each. */
function pools(root: string, files: FileSystem): readonly OlderPlace[] {
  const projects = join(root, "projects");
  return [root, ...names(projects, files).map((key) => join(projects, key))].flatMap((folder) => [
    {
      path: join(folder, "oc-codex-multi-auth-accounts.json"),
      project: "oc-codex-multi-auth",
    },
    {
      path: join(folder, "openai-codex-accounts.json"),
      project: "oc-codex-multi-auth, older",
    },
  ]);
}

function names(folder: string, files: FileSystem): readonly string[] {
  try {
    return files.list(folder).sort();
  } catch {
    // There is no such folder.
    return [];
  }
}
