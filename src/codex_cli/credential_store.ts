import { join } from "node:path";
import { parse, TomlError } from "smol-toml";
import { printable } from "../account/alias.ts";
import { errorCode, Failure, messageOf } from "../platform/failure.ts";
import { type FileSystem, readTextIfExists } from "../platform/files.ts";
import { PROGRAM } from "../platform/version.ts";
import type { DeviceState } from "./device.ts";

/** The setting that says where the Codex CLI keeps its login. */
export const STORE_SETTING = "cli_auth_credentials_store";

type CredentialStore = DeviceState["credentialStore"];

const KNOWN: readonly CredentialStore[] = ["file", "keyring", "auto", "ephemeral"];

/** Whether Codex looks into its file at all. */
export function usesFile(kind: CredentialStore): boolean {
  return kind === "file" || kind === "auto";
}

/** What lets a login that is kept elsewhere be switched; `codex login` would revoke one that the file still holds. */
export function toUseFile(home: string, command = "switch <alias>"): string {
  const config = join(home, "config.toml");
  return `To switch it from here: set ${STORE_SETTING} = "file" in ${config}, then ${PROGRAM} ${command}`;
}

/**
 * Where the Codex CLI keeps its login, by its `config.toml`; without a word there, in the file.
 *
 * @param home Codex's folder.
 * @throws {Failure} when the file cannot be read or understood: Codex itself does not start then.
 */
export function credentialStore(home: string, files: FileSystem): CredentialStore {
  const path = join(home, "config.toml");
  let text: string | undefined;
  try {
    text = readTextIfExists(path, files);
  } catch (error) {
    // A folder that is not there, or a file in its place, is for the one who needs it to say.
    if (errorCode(error) === "ENOTDIR") return "file";
    throw new Failure(
      `${path} cannot be read (${errorCode(error) ?? messageOf(error)}).`,
      "Check its rights.",
    );
  }
  if (text === undefined) return "file";
  let value: unknown;
  try {
    value = parse(text)[STORE_SETTING];
  } catch (error) {
    // Only where it is: what the parser says quotes the file, and keys may stand in it.
    const at = error instanceof TomlError ? ` (line ${error.line})` : "";
    throw new Failure(`${path} is not TOML${at}.`, "Mend it; Codex needs it too.");
  }
  if (value === undefined) return "file";
  const known = KNOWN.find((one) => one === value);
  if (known) return known;
  throw new Failure(
    `${path}: ${STORE_SETTING} = ${printable(JSON.stringify(value) ?? "?")} is not known.`,
    `Use one of ${KNOWN.join(", ")}.`,
  );
}
