import type { Claims } from "./claims.ts";

/**
 * Who an account is: a workspace and a member of it. One email may stand for
 * two workspaces, and one workspace for two people, so neither alone will do.
 */
export interface Identity {
  /** The workspace (`chatgpt_account_id`). */
  readonly workspaceId: string;
  /** The member in it (`chatgpt_account_user_id`); older tokens lack it. */
  readonly memberId?: string;
  /** The person (`chatgpt_user_id`). */
  readonly userId?: string;
}

/**
 * The identity in a pair of tokens. The access token decides on the workspace
 * (it is what the backend compares), the id token fills what is missing.
 *
 * @returns undefined when no token names a workspace.
 */
export function identityOf(
  access: Claims | undefined,
  id: Claims | undefined,
): Identity | undefined {
  const workspaceId = access?.workspaceId ?? id?.workspaceId;
  if (workspaceId === undefined) return undefined;
  const memberId = access?.memberId ?? id?.memberId;
  const userId = access?.userId ?? id?.userId;
  return {
    workspaceId,
    ...(memberId === undefined ? {} : { memberId }),
    ...(userId === undefined ? {} : { userId }),
  };
}

/**
 * Whether two identities are the same seat. The member decides where both have
 * one, else the person; with neither on both sides the answer is no, since
 * merging two people is worse than listing one twice.
 */
export function sameIdentity(a: Identity, b: Identity): boolean {
  if (a.workspaceId !== b.workspaceId) return false;
  if (a.memberId !== undefined && b.memberId !== undefined) return a.memberId === b.memberId;
  return a.userId !== undefined && a.userId === b.userId;
}
