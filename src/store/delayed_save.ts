import type { Clock } from "../platform/clock.ts";

/** Pause from the first unsaved change to the save, in milliseconds; a second is promised. */
export const SAVE_MS = 800;
/** Longest pause before a save that failed is tried again, in milliseconds. */
const MAX_RETRY_MS = 30_000;

/** Saves soon after the first change, however many follow; tries again, less and less often, while saving fails. */
export class DelayedSave {
  #cancel: (() => void) | undefined;
  #pauseMs = SAVE_MS;
  #stopped = false;

  /** @param save What is done; whoever calls it elsewhere reports success with {@linkcode done}. */
  constructor(private readonly clock: Clock, private readonly save: () => Promise<void>) {}

  /** There is something to save. */
  soon(): void {
    if (this.#stopped) return;
    this.#cancel ??= this.clock.after(this.#pauseMs, () => {
      this.#cancel = undefined;
      this.save().catch(() => {
        // It is still there and still to be saved.
        this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_RETRY_MS);
        this.soon();
      });
    }, { background: true });
  }

  /** Everything is saved. */
  done(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#pauseMs = SAVE_MS;
  }

  /** Nothing will be saved any more. */
  stop(): void {
    this.#stopped = true;
    this.done();
  }
}
