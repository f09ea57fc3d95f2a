/**
 * Why sessions are where they are: the choices that put them there.
 *
 * @module
 */
import type { StateDb } from "./state_db.ts";
import type { Explanation } from "./store.ts";

/** Choices kept. */
export const MAX_CHOICES = 2_000;

/**
 * Adds choices; the oldest beyond {@linkcode MAX_CHOICES} go. Runs inside a
 * transaction of its caller.
 *
 * @param known Ids of the accounts there are; choices of others are dropped. Undefined: nobody can tell.
 */
export function addChoices(
  db: StateDb,
  choices: readonly Explanation[],
  known: ReadonlySet<string> | undefined,
): void {
  if (choices.length === 0) return;
  for (const choice of choices) {
    if (known && !known.has(choice.accountId)) continue;
    db.prepare("INSERT INTO choices VALUES (NULL, ?, ?)")
      .run(choice.accountId, JSON.stringify(choice));
  }
  db.prepare("DELETE FROM choices WHERE id <= (SELECT max(id) FROM choices) - ?").run(MAX_CHOICES);
}
