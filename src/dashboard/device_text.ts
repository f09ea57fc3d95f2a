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
  if (credentialStore === "keyring") {
    return "The Codex CLI keeps its login in the system's keyring; it can be neither read nor switched from here.";
  }
  if (credentialStore === "ephemeral") {
    return "The Codex CLI keeps its login in memory only; it can be neither read nor switched from here.";
  }
  switch (content.kind) {
    case "absent":
      return "The Codex CLI is not signed in on this device.";
    case "account":
      return `The Codex CLI of this device uses ${
        alias(content.accountId) ?? "a removed account"
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
