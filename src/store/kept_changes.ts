import type { StateDb } from "./state_db.ts";

/** Changes that exist in this process alone because they could not be saved, such as new tokens on a full disk. */
export class KeptChanges {
  readonly #saves = new Map<string, (db: StateDb) => void>();

  get empty(): boolean {
    return this.#saves.size === 0;
  }

  /**
   * Keeps a change until it is saved.
   *
   * @param key A later change of the same key takes its place.
   * @returns What `save` gives when it has succeeded.
   */
  keep<T>(key: string, save: (db: StateDb) => T): Promise<T> {
    return new Promise((resolve) => this.#saves.set(key, (db) => resolve(save(db))));
  }

  /** Tries to save each. @returns What went wrong; undefined when nothing is left. */
  save(db: StateDb): unknown {
    let wrong: unknown;
    for (const [key, save] of this.#saves) {
      try {
        save(db);
        this.#saves.delete(key);
      } catch (error) {
        wrong = error;
      }
    }
    return wrong;
  }
}
