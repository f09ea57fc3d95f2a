/**
 * Encrypted reasoning: opaque to clients, bound to the workspace that minted it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { errorBody, isObject } from "./http.ts";
import type { Identifiers } from "./identifiers.ts";

/** How the real ones begin (a Fernet token's version byte and the first of its time). */
const PREFIX = "gAAAA";

/** Mints encrypted reasoning for a workspace. */
export function mintReasoning(workspaceId: string, identifiers: Identifiers): string {
  const content = JSON.stringify({ workspaceId, nonce: identifiers.opaque(9) });
  return PREFIX + Buffer.from(content).toString("base64url");
}

/**
 * Looks for reasoning in a request's input that this workspace did not mint.
 *
 * @returns The body of the 400, in the two forms of `tests/fixtures/codex/errors.json`: from
 * another workspace, or from nobody known. Undefined when all is well.
 */
export function foreignReasoning(input: readonly unknown[], workspaceId: string): unknown {
  for (const item of input) {
    if (!isObject(item) || typeof item.encrypted_content !== "string") continue;
    const minter = minterOf(item.encrypted_content);
    if (minter === workspaceId) continue;
    if (minter === undefined) {
      return errorBody(
        null,
        `The encrypted content ${
          item.encrypted_content.slice(0, 4)
        } could not be verified. Reason: Encrypted content could not be decrypted or parsed.`,
      );
    }
    return errorBody(
      "invalid_encrypted_content",
      `The encrypted content for item ${
        typeof item.id === "string" ? item.id : "rs_unnamed"
      } could not be verified. Encrypted content organization_id did not match the target organization.`,
    );
  }
  return undefined;
}

function minterOf(content: string): string | undefined {
  if (!content.startsWith(PREFIX)) return undefined;
  try {
    const text = Buffer.from(content.slice(PREFIX.length), "base64url").toString("utf8");
    const value: unknown = JSON.parse(text);
    return isObject(value) && typeof value.workspaceId === "string" ? value.workspaceId : undefined;
  } catch {
    return undefined;
  }
}
