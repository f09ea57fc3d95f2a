import { Failure, messageOf } from "../platform/failure.ts";
import { type FileSystem, statIfExists } from "../platform/files.ts";
import type { OpenDatabase } from "./sqlite.ts";
import { EMPTY_STATE, type State, StateCache } from "./state_cache.ts";
import { openStateDb, setAsideDamaged, type StateDb } from "./state_db.ts";
import { isDamaged, StateUnusable } from "./state_failure.ts";

/**
 * The `state.db` of one store, opened when it is first needed and opened again
 * when another file lies in its place. Reading never makes one.
 */
export class StateHolder {
  #open: { readonly db: StateDb; readonly cache: StateCache } | undefined;
  #sqlite: OpenDatabase | undefined;
  #last = EMPTY_STATE;
  readonly #warnings = new Set<string>();
  /** Why it cannot be used, as long as that is so. */
  #trouble: string | undefined;

  constructor(
    private readonly path: string,
    private readonly files: FileSystem,
    private readonly loadSqlite: () => Promise<OpenDatabase>,
    private readonly now: () => number,
  ) {}

  get warnings(): readonly string[] {
    return this.#trouble === undefined ? [...this.#warnings] : [...this.#warnings, this.#trouble];
  }

  /** Whether a database is open. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Finds SQLite; before anything else. */
  async prepare(): Promise<void> {
    this.#sqlite ??= await this.loadSqlite();
  }

  /** Whether there is something new in it. Synchronous and cheap. False while none is open. */
  changed(): boolean {
    try {
      return this.#open?.cache.changed() ?? false;
    } catch {
      // The load that follows says what is wrong, or mends it.
      return true;
    }
  }

  /** What it says now; nothing when there is none, and what it said last while it cannot be used. */
  read(): State {
    return this.#last = this.#ifUsable(this.#last, () => {
      // Without SQLite yet, it was not there a moment ago: the next look finds it.
      if (!this.#open && (!this.#sqlite || !this.exists)) return EMPTY_STATE;
      return this.#opened().cache.read();
    });
  }

  /** Reads what is good to know and no more; `nothing` while it cannot be used. */
  recall<T>(work: (db: StateDb) => T, nothing: T): T {
    return this.#ifUsable(nothing, () => work(this.#opened().db));
  }

  /** A text that changes when another file lies in its place; empty when there is none. */
  stamp(): string {
    try {
      return String(statIfExists(this.path, this.files)?.ino ?? "");
    } catch {
      // Whatever keeps it from being looked at is said when it is opened.
      return "";
    }
  }

  /** Whether there is one. */
  get exists(): boolean {
    return this.stamp() !== "";
  }

  /** The database, made if it is missing. */
  using<T>(work: (db: StateDb) => T): T {
    return this.#mended(() => work(this.#opened().db));
  }

  /** Lets go of a database that was moved away or replaced. Returns whether that was so. */
  dropIfReplaced(): boolean {
    if (!this.#open || this.stamp() === String(this.#open.db.ino)) return false;
    this.close();
    return true;
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.db.close();
  }

  #ifUsable<T>(nothing: T, work: () => T): T {
    try {
      const result = this.#mended(work);
      this.#trouble = undefined;
      return result;
    } catch (error) {
      if (!(error instanceof StateUnusable)) throw error;
      this.#trouble = `${error.message} Until then counts and quota figures are missing.`;
      return nothing;
    }
  }

  #opened(): { readonly db: StateDb; readonly cache: StateCache } {
    if (this.#open) return this.#open;
    if (!this.#sqlite) throw new Error("prepare() comes first");
    const db = openStateDb(this.path, this.#sqlite, this.files, this.now);
    for (const warning of db.warnings) this.#warnings.add(warning);
    return this.#open = { db, cache: new StateCache(db) };
  }

  /** Damage may show long after opening; then the file is set aside as well, and the work done on a new one. */
  #mended<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isDamaged(error)) throw error;
      const ino = this.#open?.db.ino;
      try {
        this.close();
      } catch {
        // A damaged file may refuse even that.
      }
      try {
        if (ino === undefined || this.stamp() === String(ino)) {
          this.#warnings.add(setAsideDamaged(this.path, this.files, this.now()));
        }
      } catch (reason) {
        throw new Failure(
          `${this.path} is damaged and cannot be set aside (${messageOf(reason)}).`,
          "Move it away; a new one will be made and no account is lost.",
        );
      }
      return work();
    }
  }
}
