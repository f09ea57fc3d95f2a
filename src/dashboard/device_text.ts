import type { DeviceState } from "../codex_cli/device.ts";

/**
 * What the Codex CLI of this machine is signed in with, in one sentence.
 *
 * @param alias The alias of an account id.
 */
export function deviceText(
  { content, credentialStore }: DeviceState,
  alias: (accountId: string) => string | undefined,
): string {
  switch (content.kind) {
    case "elsewhere":
      return `The Codex CLI keeps its login in ${
        credentialStore === "keyring" ? "the system's keyring" : "memory only"
      }; it can be neither read nor switched from here. To switch it, set cli_auth_credentials_store = "file" in its config.toml.`;
    case "absent":
      return "The Codex CLI is not signed in on this device.";
    case "account":
      return `The Codex CLI of this device uses ${alias(content.accountId) ?? "a removed account"}${
        credentialStore === "auto" ? ", if it uses its file and no keyring (auto)" : ""
      }.`;
    case "stranger":
      return `The Codex CLI uses ${
        content.email ?? "a login"
      } that is not stored here: ${content.why}`;
    case "api key":
      return "The Codex CLI of this device uses an API key.";
    case "unreadable":
      return `The Codex CLI's auth.json cannot be read: ${content.why}`;
  }
}
