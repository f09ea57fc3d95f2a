/** Short text for a person: why an account may not serve for a while. */
export type BlockReason =
  | "usage limit"
  | "rate limit"
  | "not included in plan"
  | "model not supported"
  | "workspace limit"
  | "workspace deactivated";

/** Where the end of a block came from, from the most to the least certain. */
export type BlockEndSource = "body" | "headers" | "retry-after" | "usage" | "guess" | "none";

/** Whom a block holds back: one account, or every member of a workspace; for one model, or all. */
export interface BlockScope {
  /** `account:<account id>` or `workspace:<workspace id>`. */
  readonly subject: string;
  /** The model (or bucket) it is about; empty for all models. */
  readonly model: string;
}

/** A span in which an account must not be asked. */
export interface Block extends BlockScope {
  /** Why nothing is sent. */
  readonly reason: BlockReason;
  /** Epoch milliseconds; {@linkcode NO_END} where no end is known. */
  readonly until: number;
  /** Where the end comes from. */
  readonly source: BlockEndSource;
  /** When the evidence was seen, epoch milliseconds; only newer evidence lifts the block early. */
  readonly since: number;
}

/** The end of a block without a known end: 9999-12-31, epoch milliseconds. Far away and still a date. */
export const NO_END = 253402300799_000;

/** The subject of blocks on one account. */
export function accountSubject(accountId: string): string {
  return `account:${accountId}`;
}

/** The subject of blocks on every member of a workspace. */
export function workspaceSubject(workspaceId: string): string {
  return `workspace:${workspaceId}`;
}
