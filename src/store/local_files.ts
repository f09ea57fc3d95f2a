import type { Account } from "../account/account.ts";
import type { Clock } from "../platform/clock.ts";
import { ensurePrivateFolder, type FileSystem } from "../platform/files.ts";
import type { Environment, Paths } from "../platform/paths.ts";
import { unwritable } from "../platform/save_file.ts";
import type { Change } from "./account_changes.ts";
import type { Entry } from "./account_entry.ts";
import { accountsIn, olderIn } from "./accounts_content.ts";
import { AccountsFile } from "./accounts_file.ts";
import type { Contents } from "./accounts_reading.ts";
import { EMPTY_DOCUMENT } from "./accounts_format.ts";
import { Sightings } from "./sightings.ts";
import { snapshotOf } from "./snapshot.ts";
import { DelayedSave } from "./delayed_save.ts";
import { DiskWatch } from "./disk_watch.ts";
import { KeptChanges } from "./kept_changes.ts";
import { KeyNeeded, Keyring } from "./keyring.ts";
import { olderFormats, withOlderFormats } from "./older.ts";
import type { OlderState } from "./older_formats.ts";
import { Pending } from "./pending.ts";
import { savePending } from "./save_pending.ts";
import type { OpenDatabase } from "./sqlite.ts";
import { accountsSaves } from "./state_cache.ts";
import type { StateDb } from "./state_db.ts";
import { StateHolder } from "./state_holder.ts";
import { countAccountsSave, nextRevision } from "./state_write.ts";
import type { Snapshot } from "./store.ts";

/**
 * `accounts.json` and `state.db` of one process, as one: a change of the first
 * happens inside a transaction on the second, which is the lock between
 * processes and tells them of the change.
 */
export class LocalFiles {
  readonly pending = new Pending();
  readonly keyring: Keyring;
  readonly accounts: AccountsFile;
  readonly #paths: Paths;
  readonly #clock: Clock;
  readonly #files: FileSystem;
  readonly #state: StateHolder;

  readonly #disk: DiskWatch;
  readonly #sightings = new Sightings();
  /** How many saves `state.db` had counted when `accounts.json` was read. */
  #accountsSaves = 0;
  /** The older file whose state this process knows to be in `state.db`. */
  #carriedOver = "";
  /** What `state.db` has yet to learn of changes that are in `accounts.json`. */
  #owed: ((db: StateDb, revision: number) => void)[] = [];
  readonly #kept = new KeptChanges();
  #folderReady = false;
  readonly #saving: DelayedSave;

  constructor(options: {
    paths: Paths;
    env: Environment;
    clock: Clock;
    random: () => number;
    files: FileSystem;
    sqlite: () => Promise<OpenDatabase>;
  }) {
    const { paths, clock, files } = options;
    this.#paths = paths;
    this.#clock = clock;
    this.#files = files;
    this.keyring = new Keyring(options.env, clock);
    this.accounts = new AccountsFile(paths, files, this.keyring, clock, options.random);
    this.#state = new StateHolder(paths.state, files, options.sqlite, () => clock.now());
    this.#disk = new DiskWatch(this.accounts, this.#state);
    this.#saving = new DelayedSave(clock, () => this.flush());
  }

  get warnings(): readonly string[] {
    return [...this.accounts.warnings, ...this.#state.warnings];
  }

  /** What a file of an older format says beside the accounts; undefined when there is none. */
  older(): Promise<OlderState | undefined> {
    return withOlderFormats(() => Promise.resolve(this.#older()));
  }

  async load(): Promise<Snapshot> {
    this.#state.dropIfReplaced();
    if (this.#disk.look()) await this.#state.prepare();
    const state = this.#state.read();
    if (state.accountsSaves !== this.#accountsSaves) this.accounts.forget();
    this.#accountsSaves = state.accountsSaves;
    return await this.#withParts(() => {
      const contents = this.accounts.read();
      const snapshot = snapshotOf(contents, state, this.pending, this.#clock.now());
      return this.#sightings.note(snapshot, [contents, state]);
    });
  }

  changed(since?: Snapshot): boolean {
    return since && this.#sightings.newerThan(since) || this.#disk.changed();
  }

  /** An account as the file has it now; undefined when it is not there or the file cannot be read. */
  account(id: string): Account | undefined {
    const contents = this.#readable();
    return contents && accountsIn(contents).find((account) => account.id === id);
  }

  /** Throws what would keep new credentials from being saved. */
  checkWritable(): void {
    this.accounts.checkWritable();
  }

  /**
   * Changes accounts: read, changed and written while no other process can.
   * Durable when it resolves.
   *
   * @param anew Whether the file is sealed (or not) without regard to how it was before.
   */
  change<T>(
    work: (entries: readonly Entry[], db: StateDb) => Change<T>,
    anew = false,
  ): Promise<T> {
    return this.#write((db) => this.#change(db, work, anew));
  }

  /**
   * The same for a change that could not be made and must not be lost: it is tried again until it is, when the process
   * ends too.
   *
   * @param key A later change of the same key takes its place.
   */
  keep<T>(key: string, work: (entries: readonly Entry[], db: StateDb) => Change<T>): Promise<T> {
    const saved = this.#kept.keep(key, (db) => this.#change(db, work, false));
    this.saveSoon();
    return saved;
  }

  /** Writes into `state.db` alone. Refused while the store is locked. */
  writeState<T>(work: (db: StateDb) => T, durable = true): Promise<T> {
    return this.#write((db) => {
      const contents = this.#readable();
      if (contents?.kind === "locked") throw contents.why;
      return db.transaction(() => work(db), durable);
    });
  }

  /** Reads from `state.db`; `nothing` when there is none and, where that will do (`optional`), when it cannot be opened. */
  async readState<T>(work: (db: StateDb) => T, nothing: T, optional = false): Promise<T> {
    if (!this.#state.isOpen && !this.#state.exists) return nothing;
    await this.#state.prepare();
    const read = (db: StateDb) => db.reading(() => work(db));
    return this.keyring.withKeys(() =>
      optional ? this.#state.recall(read, nothing) : this.#state.using(read)
    );
  }

  /** Sees to it that what is pending is saved within a second, however much follows. */
  saveSoon(): void {
    // So that there is SQLite should the process end before that; why there is none, the save says.
    if (!this.#state.isOpen) this.#state.prepare().catch(() => {});
    this.#saving.soon();
  }

  async flush(): Promise<void> {
    if (this.#unsaved) await this.#write((db) => this.#flush(db));
    this.#saving.done();
    // What came between the save and here has lost its timer.
    if (this.#unsaved) this.#saving.soon();
    this.#disk.noticeOthers();
  }

  /** The same at once, for the moment in which the process ends. */
  flushNow(): void {
    if (!this.#unsaved) return;
    try {
      this.#onState((db) => this.#flush(db));
    } catch {
      // Nobody is left to hear of it; figures of a second are lost.
    }
  }

  async close(): Promise<void> {
    this.#saving.stop();
    try {
      await this.flush();
    } finally {
      this.#state.close();
    }
  }

  get #unsaved(): boolean {
    return !this.pending.empty || this.#owed.length > 0 || !this.#kept.empty;
  }

  #change<T>(
    db: StateDb,
    work: (entries: readonly Entry[], db: StateDb) => Change<T>,
    anew: boolean,
  ): T {
    let written: Change<T> | undefined;
    try {
      const result = db.transaction(() => {
        const saves = accountsSaves(db);
        // The stamp of a file saved twice within one tick of the clock may lie.
        if (saves !== this.#accountsSaves) this.accounts.forget();
        this.#accountsSaves = saves;
        const before = this.accounts.readToChange();
        const document = before.kind === "open" ? before.document : EMPTY_DOCUMENT;
        const change = work(document.entries, db);
        if (!change.entries) return change.result;
        // First what may fail without a trace, then the file. Each change is news to others.
        const revision = nextRevision(db);
        change.also?.(db, revision);
        countAccountsSave(db);
        this.accounts.write(before, { ...document, entries: change.entries }, anew);
        written = change;
        this.#disk.saved(before.stamp);
        return change.result;
      }, true);
      if (written) this.#accountsSaves++;
      return result;
    } catch (error) {
      if (!written) throw error;
      // The file has it, and the file decides; the rest follows.
      this.#owed.push(written.also ?? (() => {}));
      this.saveSoon();
      return written.result;
    }
  }

  #flush(db: StateDb): void {
    // What keeps tokens from being saved must not keep figures: those are in another file.
    const wrong = this.#kept.save(db);
    const contents = this.#readable();
    const known = contents?.kind === "open"
      ? new Set(accountsIn(contents).map((account) => account.id))
      : undefined;
    db.transaction(() => {
      for (const owed of this.#owed) {
        owed(db, nextRevision(db));
        countAccountsSave(db);
      }
      savePending(db, this.pending, known, this.#clock.now());
    }, this.#owed.length > 0);
    this.#owed = [];
    this.pending.clear();
    if (wrong !== undefined) throw wrong;
  }

  async #write<T>(work: (db: StateDb) => T): Promise<T> {
    await this.#state.prepare();
    this.#readyFolder();
    return await this.#withParts(() => this.#onState(work));
  }

  #onState<T>(work: (db: StateDb) => T): T {
    return this.#state.using((db) => {
      this.#carryOver(db);
      return work(db);
    });
  }

  /** Runs synchronous work with the keys and the older formats that it turns out to need. */
  #withParts<T>(work: () => T): Promise<T> {
    return withOlderFormats(() => this.keyring.withKeys(work));
  }

  #older(): OlderState | undefined {
    const contents = this.accounts.last;
    return contents && olderIn(contents, this.#clock.now());
  }

  #readyFolder(): void {
    if (this.#folderReady) return;
    try {
      ensurePrivateFolder(this.#paths.folder, this.#files);
    } catch (error) {
      throw unwritable(this.#paths.folder, error);
    }
    this.#folderReady = true;
  }

  /** An older file's figures come first: what is counted now goes on top of them. */
  #carryOver(db: StateDb): void {
    const contents = this.#readable();
    const older = this.#older();
    if (!older || !contents || contents.stamp === this.#carriedOver) return;
    db.transaction(() => olderFormats().importOlder(db, older, this.#clock.now()), true);
    this.#carriedOver = contents.stamp;
  }

  /** The accounts file, or undefined when it cannot be read: `state.db` does not depend on it. */
  #readable(): Contents | undefined {
    try {
      return this.accounts.read();
    } catch (error) {
      if (error instanceof KeyNeeded) throw error;
      return undefined;
    }
  }
}
