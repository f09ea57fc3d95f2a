import { join } from "node:path";
import type { Account } from "../account/account.ts";
import { type FileSystem, readTextIfExists, systemFiles } from "../platform/files.ts";
import type { Environment } from "../platform/paths.ts";
import type { LoginContext } from "../store/imported_login.ts";
import { readAuthFile } from "./auth_file.ts";
import { authPath, codexHome } from "./codex_home.ts";
import { holderOf } from "./holder.ts";

/**
 * Which of these accounts the `auth.json` of this machine holds, if Codex looks into it: for who
 * shows accounts and has nothing else to do with the Codex CLI.
 *
 * @throws {Failure} when Codex's settings cannot be understood.
 */
export async function accountOnDevice(
  env: Environment,
  accounts: readonly Account[],
  context: LoginContext,
  files: FileSystem = systemFiles,
): Promise<Account | undefined> {
  const holder = holderOf(readAuthFile(authPath(env), files), accounts, context);
  if (holder === undefined) return undefined;
  const home = codexHome(env);
  // Its parser is loaded only where the settings say something about it.
  if (readTextIfExists(join(home, "config.toml"), files)?.includes("cli_auth_credentials_store")) {
    const { credentialStore, usesFile } = await import("./credential_store.ts");
    if (!usesFile(credentialStore(home, files))) return undefined;
  }
  return holder;
}
