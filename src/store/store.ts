import type { Account, Credentials } from "../account/account.ts";
import type { Block, BlockScope } from "../quota/block.ts";
import type { QuotaWindow } from "../quota/window.ts";

/** What moves about one account: uses and quota figures. */
export interface AccountFigures {
  /** Answered requests since the account was added. */
  readonly uses: number;
  /** When it last answered, epoch milliseconds. */
  readonly lastUsedAt?: number;
  /** What is known of its limits, one for each bucket and length. */
  readonly windows: readonly QuotaWindow[];
}

/** The person's pin: one account serves everything until it ends. */
export interface Pin {
  /** The pinned account. */
  readonly accountId: string;
  /** Epoch milliseconds; null = until unpinned. */
  readonly until: number | null;
}

/** Which account a conversation stays on. */
export interface Affinity {
  /** The conversation's id. */
  readonly session: string;
  /** The account that serves it. */
  readonly accountId: string;
  /** When it was last used, epoch milliseconds. */
  readonly at: number;
  /** Whether it was ever served by somebody else: its requests may carry reasoning that this account cannot read. */
  readonly moved?: boolean;
}

/** Everything a process must know to choose accounts. */
export interface Snapshot {
  /** In the person's order. */
  readonly accounts: readonly Account[];
  /** By account id; an account without an entry has none yet. */
  readonly figures: ReadonlyMap<string, AccountFigures>;
  /** Blocks that had not ended when this was read. */
  readonly blocks: readonly Block[];
  /** The account that serves everything it can, if the person has pinned one. */
  readonly pin: Pin | null;
  /** The account that served last, if any. */
  readonly activeId: string | null;
  /** Where round-robin stands: the id of the account that was given a session last. */
  readonly turnId: string | null;
  /** True when the file is sealed and no passphrase opens it: nothing can be read or written. */
  readonly locked: boolean;
}

/** What answers cost, in tokens as the backend counts them. */
export interface Tokens {
  /** Sent, the cached ones among them. */
  readonly input: number;
  /** Sent, and known to the backend already. */
  readonly cached: number;
  /** Received, reasoning among them. */
  readonly output: number;
  /** Of the output, what was reasoning. */
  readonly reasoning: number;
}

/** Why an account was chosen. */
export interface Explanation {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Undefined for a request that named none. */
  readonly session?: string | undefined;
  /** The account that was chosen. */
  readonly accountId: string;
  /** In a few words: `next in turn`, `pinned`, `with its parent`, … */
  readonly reason: string;
  /** The account that the session left for it. */
  readonly leftId?: string | undefined;
  /** Why it left, in a few words: `usage limit`, `disabled`, `removed`, … */
  readonly why?: string | undefined;
  /** When that ends, epoch milliseconds. */
  readonly until?: number | undefined;
}

/** Uses and figures of one account since the last save. */
export interface Observation {
  /** The account that was seen. */
  readonly accountId: string;
  /** Answered requests to add. */
  readonly uses?: number;
  /** When the last of them was answered, epoch milliseconds. */
  readonly usedAt?: number;
  /** Figures of its limits. */
  readonly windows?: readonly QuotaWindow[];
  /** What one answer cost, for the usage ledger: added up by model and by the person's local day (`2026-11-24`). */
  readonly tokens?: Tokens & { readonly model: string; readonly day: string };
}

/** A named right that one process of all holds for a while. */
export interface Lease {
  /**
   * Gives it back. Never rejects: a lease that cannot be given back falls back by itself.
   *
   * @param pauseMs How long nobody may take it after that, in milliseconds (default 0).
   */
  release(pauseMs?: number): Promise<void>;
}

/** A change of one account's description; absent fields stay. */
export type AccountEdit = (account: Account) => Account;

/**
 * What keeps accounts and all that moves about them. The local store is one
 * implementation; every implementation passes the same contract tests.
 *
 * Methods reject with a `Failure` that names the file and the fix when what is
 * kept cannot be read or written.
 */
export interface Store {
  /** Reads everything. */
  load(): Promise<Snapshot>;
  /**
   * Whether another process changed something. Synchronous and cheap: asked before each choice.
   *
   * @param since The snapshot that the caller goes by, since others of this process may have read a newer one; without
   * it, since the last `load` of anybody.
   */
  changed(since?: Snapshot): boolean;

  /** Adds an account at the end. Rejects when its alias or its id is taken. */
  add(account: Account): Promise<void>;
  /** Removes an account and all that is known about it. Resolves to false when it was not there. */
  remove(accountId: string): Promise<boolean>;
  /** Changes an account in place; the credentials and the generation stay as they are. */
  edit(accountId: string, change: AccountEdit): Promise<Account | undefined>;
  /**
   * Replaces credentials unless the account has a newer generation than that, and sets the next one. A set-aside mark
   * is lifted. An older generation than that is what a restored backup brings: there the caller's credentials are the
   * newer ones, and are saved.
   *
   * @returns The account as it now stands, or undefined when somebody else was faster or the account is gone.
   */
  swapCredentials(
    accountId: string,
    generation: number,
    credentials: Credentials,
    change?: AccountEdit,
  ): Promise<Account | undefined>;

  /**
   * Keeps credentials in memory that {@linkcode Store.swapCredentials} could not save. They are tried again, less and
   * less often, with each flush and when the process ends.
   *
   * @returns What `swapCredentials` gives, once they are saved.
   */
  keepCredentials(
    accountId: string,
    generation: number,
    credentials: Credentials,
    change?: AccountEdit,
  ): Promise<Account | undefined>;

  /** Notes that a refresh of that generation is about to be sent, durably. */
  beginRefresh(accountId: string, generation: number): Promise<void>;
  /** Takes the note back: the request certainly never left, its outcome is saved, or the person says so. */
  endRefresh(accountId: string): Promise<void>;
  /**
   * The generation whose refresh token may be consumed: a refresh of it was begun and never ended, or its token was
   * replaced before, as after the restore of a backup. Undefined when it is certainly good to send.
   */
  openRefresh(accountId: string): Promise<number | undefined>;

  /**
   * Notes, durably, that the issuer takes this account's refresh token never again: it counts as consumed, whatever
   * becomes of the account's mark, until new ones take its place or the person says so ({@linkcode Store.endRefresh}).
   *
   * @param account With the token that was refused.
   */
  refuseRefresh(account: Account): Promise<void>;
  /** Whether {@linkcode Store.openRefresh} is certain: the token was refused or replaced, not only sent. */
  refreshRefused(accountId: string): Promise<boolean>;

  /** Adds to what will be saved within a second. Never blocks. */
  observe(observation: Observation): void;
  /** Notes why an account was chosen; saved within a second. Never blocks. */
  explain(explanation: Explanation): void;
  /** Saves a block, durably. Replaces one of the same scope. */
  block(block: Block): Promise<void>;
  /** Lifts a block if its evidence is older than `evidenceAt` (epoch milliseconds). */
  unblock(scope: BlockScope, evidenceAt: number): Promise<void>;

  /** Pins an account, or with null ends the pin. */
  setPin(pin: Pin | null): Promise<void>;
  /** Notes who serves and where the round stands; saved within a second. */
  setTurn(turn: { activeId?: string; turnId?: string }): void;

  /** Where a conversation stays, or undefined. Asked once for each session a process meets. */
  affinity(session: string): Promise<Affinity | undefined>;
  /** Sets it; saved within a second. A session that has moved once stays one that has. */
  setAffinity(affinity: Affinity): void;

  /** Who minted which of these reasoning items (hashes); those that nobody noted are absent. Asked only for sessions that move. */
  mints(hashes: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Notes who minted a reasoning item: an account's id, or empty for nobody who is known. Saved within a second; the oldest are forgotten. */
  setMint(hash: string, accountId: string): void;

  /**
   * Takes a named lease if it is free.
   *
   * @param ttlMs After this many milliseconds it falls back by itself.
   */
  lease(name: string, ttlMs: number): Promise<Lease | undefined>;

  /** Saves all that waits to be saved. */
  flush(): Promise<void>;
  /** Flushes and lets go of every file. */
  close(): Promise<void>;
}
