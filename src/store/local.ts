import type { Account, Credentials } from "../account/account.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { type FileSystem, systemFiles } from "../platform/files.ts";
import type { Environment, Paths } from "../platform/paths.ts";
import type { Block, BlockScope } from "../quota/block.ts";
import { editAccount } from "./account_changes.ts";
import { LocalFiles } from "./local_files.ts";
import { releaseLease, takeLease } from "./lease.ts";
import { findMints } from "./mints.ts";
import { importedSettings } from "./older.ts";
import type { OlderSettings } from "./older_formats.ts";
import { loadSqlite, type OpenDatabase } from "./sqlite.ts";
import { findAffinity, liftBlock, nextRevision, saveBlock, savePin } from "./state_write.ts";
import type {
  AccountEdit,
  Affinity,
  Explanation,
  Lease,
  Observation,
  Pin,
  Snapshot,
  Store,
} from "./store.ts";

/** A store in files of this machine, with what only files can do. */
export interface LocalStore extends Store {
  /** What the person should know, one sentence each: accounts left out, a damaged file set aside, and so on. */
  readonly warnings: readonly string[];
  /** What it stands on, for what only a command does: functions in files of their own keep that out of the plugin. */
  readonly files: LocalFiles;
  /** Settings that the file of an older project brought along, if there was one. */
  olderSettings(): Promise<OlderSettings | undefined>;
  /** Saves what is pending without waiting, when the process is about to end. Never throws. */
  flushNow(): void;
}

/** Where a local store finds everything. */
export interface LocalStoreOptions {
  readonly paths: Paths;
  /** For the passphrase. */
  readonly env: Environment;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** The file system under `accounts.json`; SQLite has its own way to `state.db`. */
  readonly files?: FileSystem;
  /** How SQLite is found. */
  readonly sqlite?: () => Promise<OpenDatabase>;
}

/**
 * Opens the store of this machine. Nothing is read or written before the first
 * call, and reading makes no file.
 */
export function openLocalStore(options: LocalStoreOptions): Promise<LocalStore> {
  const clock = options.clock ?? systemClock;
  const files = new LocalFiles({
    paths: options.paths,
    env: options.env,
    clock,
    random: options.random ?? Math.random,
    files: options.files ?? systemFiles,
    sqlite: options.sqlite ?? loadSqlite,
  });
  return Promise.resolve(new FileStore(files, clock));
}

/** Loaded when an account comes or goes, which is rare. */
const roster = () => import("./account_roster.ts");
/** Loaded when tokens change, which is rare as well. */
const tokens = () => import("./token_changes.ts");

class FileStore implements LocalStore {
  constructor(readonly files: LocalFiles, private readonly clock: Clock) {}

  get warnings(): readonly string[] {
    return this.files.warnings;
  }

  load(): Promise<Snapshot> {
    return this.files.load();
  }

  changed(since?: Snapshot): boolean {
    return this.files.changed(since);
  }

  async add(account: Account): Promise<void> {
    const { addAccount } = await roster();
    await this.files.change((entries) => addAccount(entries, account));
  }

  async remove(accountId: string): Promise<boolean> {
    const { removeAccount } = await roster();
    const removed = await this.files.change((entries) =>
      removeAccount(entries, accountId, this.clock.now())
    );
    if (removed) this.files.pending.forget(accountId);
    return removed;
  }

  edit(accountId: string, change: AccountEdit): Promise<Account | undefined> {
    return this.files.change((entries) => editAccount(entries, accountId, change));
  }

  async swapCredentials(
    accountId: string,
    generation: number,
    credentials: Credentials,
    change: AccountEdit = (account) => account,
  ): Promise<Account | undefined> {
    const { swapOf } = await tokens();
    const swap = { accountId, generation, credentials, change };
    return await this.files.change(swapOf(swap, () => this.clock.now()));
  }

  async keepCredentials(
    accountId: string,
    generation: number,
    credentials: Credentials,
    change: AccountEdit = (account) => account,
  ): Promise<Account | undefined> {
    const { swapOf } = await tokens();
    const swap = { accountId, generation, credentials, change };
    return await this.files.keep(accountId, swapOf(swap, () => this.clock.now()));
  }

  async beginRefresh(accountId: string, generation: number): Promise<void> {
    const { beginRefresh } = await tokens();
    await this.files.writeState((db) => {
      // Else the new tokens could not be saved, and the old ones would be gone.
      this.files.checkWritable();
      const account = this.files.account(accountId);
      beginRefresh(db, accountId, generation, account, this.clock.now());
    });
  }

  async endRefresh(accountId: string): Promise<void> {
    const { endRefresh } = await tokens();
    await this.files.writeState((db) => endRefresh(db, accountId, this.files.account(accountId)));
  }

  async openRefresh(accountId: string): Promise<number | undefined> {
    const { openRefresh } = await tokens();
    return await this.files.readState(
      (db) => openRefresh(db, accountId, this.files.account(accountId)),
      undefined,
    );
  }

  async refuseRefresh(account: Account): Promise<void> {
    const { refuseRefresh } = await tokens();
    await this.files.writeState((db) => refuseRefresh(db, account, this.clock.now()));
  }

  async refreshRefused(accountId: string): Promise<boolean> {
    const { refreshRefused } = await tokens();
    return await this.files.readState(
      (db) => refreshRefused(db, this.files.account(accountId)),
      false,
    );
  }

  observe(observation: Observation): void {
    this.files.pending.observe(observation);
    this.files.saveSoon();
  }

  explain(explanation: Explanation): void {
    this.files.pending.explain(explanation);
    this.files.saveSoon();
  }

  block(block: Block): Promise<void> {
    return this.files.writeState((db) => saveBlock(db, block, nextRevision(db), this.clock.now()));
  }

  unblock(scope: BlockScope, evidenceAt: number): Promise<void> {
    return this.files.writeState((db) =>
      liftBlock(db, scope, evidenceAt, nextRevision(db), this.clock.now())
    );
  }

  setPin(pin: Pin | null): Promise<void> {
    return this.files.writeState((db) => {
      nextRevision(db);
      savePin(db, pin);
    });
  }

  setTurn(turn: { activeId?: string; turnId?: string }): void {
    Object.assign(this.files.pending.turn, turn);
    this.files.saveSoon();
  }

  affinity(session: string): Promise<Affinity | undefined> {
    const waiting = this.files.pending.affinity.get(session);
    if (waiting) return Promise.resolve(waiting);
    return this.files.readState((db) => findAffinity(db, session), undefined, true);
  }

  setAffinity(affinity: Affinity): void {
    this.files.pending.setAffinity(affinity);
    this.files.saveSoon();
  }

  async mints(hashes: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { mints } = this.files.pending;
    const saved = await this.files.readState(
      (db) => findMints(db, hashes),
      new Map<string, string>(),
      true,
    );
    for (const hash of hashes) {
      const waiting = mints.get(hash);
      if (waiting !== undefined) saved.set(hash, waiting);
    }
    return saved;
  }

  setMint(hash: string, accountId: string): void {
    this.files.pending.setMint(hash, accountId);
    this.files.saveSoon();
  }

  async lease(name: string, ttlMs: number): Promise<Lease | undefined> {
    const holder = await this.files.writeState(
      (db) => takeLease(db, name, ttlMs, this.clock.now()),
      false,
    );
    if (holder === undefined) return undefined;
    return {
      release: async (pauseMs = 0) => {
        try {
          await this.files.writeState(
            (db) => releaseLease(db, name, holder, pauseMs, this.clock.now()),
            false,
          );
        } catch {
          // It falls back by itself, and whoever holds it has other news to bring.
        }
      },
    };
  }

  async olderSettings(): Promise<OlderSettings | undefined> {
    await this.load();
    const settings = (await this.files.older())?.settings ??
      await this.files.readState(importedSettings, undefined, true);
    return settings && Object.keys(settings).length > 0 ? settings : undefined;
  }

  flush(): Promise<void> {
    return this.files.flush();
  }

  flushNow(): void {
    this.files.flushNow();
  }

  close(): Promise<void> {
    return this.files.close();
  }
}
