import type { Identity } from "../account/identity.ts";
import { builtin } from "../platform/runtime.ts";

/**
 * The key of an account in `state.db`: the same for the same seat, so that
 * processes that read one older file agree on it.
 */
export function accountId(identity: Identity | undefined, alias: string): string {
  const member = identity?.memberId ?? identity?.userId;
  const name = identity && member !== undefined
    ? `${identity.workspaceId}/${member}`
    : `alias:${alias}`;
  return builtin("node:crypto").createHash("sha256").update(name).digest("hex").slice(0, 16);
}
