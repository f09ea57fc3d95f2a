import type { Snapshot } from "./store.ts";

/**
 * Tells whether somebody in this process has seen something newer than a
 * snapshot: several read one store, and what one of them has read must still
 * count as new for the others.
 */
export class Sightings {
  readonly #turns = new WeakMap<Snapshot, number>();
  #turn = 0;
  #last: readonly unknown[] = [];

  /**
   * Notes a snapshot.
   *
   * @param made Of what it was made; the same objects mean that nothing was new.
   */
  note(snapshot: Snapshot, made: readonly unknown[]): Snapshot {
    if (made.some((part, at) => part !== this.#last[at])) this.#turn++;
    this.#last = made;
    this.#turns.set(snapshot, this.#turn);
    return snapshot;
  }

  /** Whether something new was seen after this snapshot. */
  newerThan(snapshot: Snapshot): boolean {
    return this.#turns.get(snapshot) !== this.#turn;
  }
}
