/**
 * What callers get when no account's answer can be had. 401 and 403 are shown
 * by OpenCode at once; 502 makes it try again.
 *
 * @module
 */
import { messageOf } from "../platform/failure.ts";
import { errorResponse, withoutRetryWords } from "./error_response.ts";

/** The accounts cannot be read. */
export function storeAnswer(error: unknown): Response {
  return errorResponse(403, {
    message: withoutRetryWords(messageOf(error)),
    code: "store_unavailable",
  });
}

/** The store is sealed and nothing opens it. */
export function lockedAnswer(): Response {
  return errorResponse(403, {
    message: "The account store is locked. Set CODEX_SOFT_STORE_PASSPHRASE and restart OpenCode.",
    code: "store_locked",
  });
}

/** A part of the plugin has gone, as happens while it is updated. */
export function missingPartAnswer(): Response {
  return errorResponse(403, {
    message: "A part of the plugin is missing, since it was updated. Restart OpenCode.",
    code: "part_missing",
  });
}

/** Nobody has signed in yet. */
export function emptyAnswer(): Response {
  return errorResponse(401, {
    message: "No ChatGPT account is set up. Add one: opencode-multi-auth add <alias>",
    code: "no_accounts",
  });
}

/** Cloudflare's wall, which every account would meet. */
export function edgeAnswer(): Response {
  return errorResponse(403, {
    message:
      "Cloudflare refuses this machine's requests to chatgpt.com (no account is at fault). " +
      "Wait a few minutes, or check VPN and proxy.",
    code: "edge_block",
  });
}

/**
 * No account got through.
 *
 * @param trouble What the last one met, in a few words.
 */
export function unreachableAnswer(trouble: string | undefined): Response {
  return errorResponse(502, {
    message: `The connection to the Codex backend failed: ${trouble ?? "server trouble"}.`,
    code: "backend_unreachable",
  });
}
