import type { Account } from "../account/account.ts";
import { accountSubject, type Block, type BlockScope, workspaceSubject } from "../quota/block.ts";

/** Why an account may not serve a request now; undefined when it may. */
export type Hindrance =
  | { readonly kind: "disabled" }
  | { readonly kind: "set aside"; readonly reason: string }
  | { readonly kind: "blocked"; readonly block: Block }
  /** Its model list lacks what another account's list has. */
  | { readonly kind: "lacks model" };

const NOTHING: ReadonlyMap<string, Block> = new Map();

/** The blocks in force, found by whom they hold back and for which model. */
export class BlockIndex {
  /** Subject -> model ("" for all) -> block: who asks about one account must not meet those of all others. */
  readonly #blocks = new Map<string, Map<string, Block>>();
  /** Counts changes. */
  version = 0;

  /** Replaces everything. */
  reset(blocks: Iterable<Block>): void {
    this.version++;
    this.#blocks.clear();
    for (const block of blocks) this.set(block);
  }

  /** Adds a block, in the place of one of the same scope. */
  set(block: Block): void {
    this.version++;
    const same = this.#blocks.get(block.subject) ?? new Map<string, Block>();
    this.#blocks.set(block.subject, same.set(block.model, block));
  }

  /**
   * Whether a block says something new at `now` (epoch ms). One in the past, or with older evidence
   * than the one in force, does not; nor does a guess that would end before it, or a throttle that
   * would end before a spent quota.
   */
  admits(block: Block, now: number): boolean {
    const before = this.get(block);
    if (before === undefined || before.until <= now) return block.until > now;
    if (before.since > block.since || block.until <= now) return false;
    const weaker = block.source === "guess" || isLimit(before) && !isLimit(block);
    if (weaker && block.until < before.until) return false;
    return before.until !== block.until || before.reason !== block.reason;
  }

  /** Takes a block away. */
  delete(scope: BlockScope): void {
    this.version++;
    this.#blocks.get(scope.subject)?.delete(scope.model);
  }

  /** The block of exactly this scope, ended or not. */
  get(scope: BlockScope): Block | undefined {
    return this.#blocks.get(scope.subject)?.get(scope.model);
  }

  /** The blocks at `now` (epoch ms) by a spent quota, of this account or its workspace, for any model. */
  limits(account: Account, now: number): Block[] {
    return this.#of(account).flatMap((blocks) => [...blocks.values()])
      .filter((block) => isLimit(block) && block.until > now);
  }

  /** Whether anybody is held back by a spent quota at `now` (epoch ms). */
  limited(now: number): boolean {
    for (const blocks of this.#blocks.values()) {
      for (const block of blocks.values()) if (isLimit(block) && block.until > now) return true;
    }
    return false;
  }

  /** The block that holds this account back longest at `now` (epoch ms), for this model or for all. */
  on(account: Account, model: string | undefined, now: number): Block | undefined {
    let worst: Block | undefined;
    for (const blocks of this.#of(account)) {
      worst = later(worst, blocks.get(""), now);
      if (model) worst = later(worst, blocks.get(model), now);
    }
    return worst;
  }

  /** The blocks that concern an account: its own, and its workspace's. */
  #of({ id, identity }: Account): ReadonlyMap<string, Block>[] {
    if (this.#blocks.size === 0) return [];
    const own = this.#blocks.get(accountSubject(id)) ?? NOTHING;
    const shared = identity && this.#blocks.get(workspaceSubject(identity.workspaceId));
    return shared ? [own, shared] : [own];
  }
}

/** Whether a block stands for a spent quota, which may come back before its time. */
export function isLimit({ reason }: Block): boolean {
  return reason === "usage limit" || reason === "workspace limit";
}

/**
 * Whether an account may serve, and if not, why.
 *
 * @param model The model asked for; undefined asks for the account as a whole.
 * @param now Epoch milliseconds.
 * @param lacks Whether only other accounts have the model; see `ModelLists.lacks`.
 */
export function hindrance(
  account: Account,
  blocks: BlockIndex,
  model: string | undefined,
  now: number,
  lacks: () => boolean = () => false,
): Hindrance | undefined {
  if (!account.enabled) return { kind: "disabled" };
  if (account.setAside) return { kind: "set aside", reason: account.setAside.reason };
  const block = blocks.on(account, model, now);
  if (block) return { kind: "blocked", block };
  return lacks() ? { kind: "lacks model" } : undefined;
}

function later(a: Block | undefined, b: Block | undefined, now: number): Block | undefined {
  if (b === undefined || b.until <= now) return a;
  return a === undefined || b.until > a.until ? b : a;
}
