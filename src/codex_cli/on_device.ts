import type { Account } from "../account/account.ts";
import { type FileSystem, systemFiles } from "../platform/files.ts";
import type { Environment } from "../platform/paths.ts";
import type { LoginContext } from "../store/imported_login.ts";
import { readAuthFile } from "./auth_file.ts";
import { authPath } from "./codex_home.ts";
import { holderOf } from "./holder.ts";

/**
 * Which of these accounts the `auth.json` of this machine holds: one look at one file, for who
 * shows accounts and has nothing else to do with the Codex CLI. Never throws.
 */
export function accountOnDevice(
  env: Environment,
  accounts: readonly Account[],
  context: LoginContext,
  files: FileSystem = systemFiles,
): Account | undefined {
  return holderOf(readAuthFile(authPath(env), files), accounts, context);
}
