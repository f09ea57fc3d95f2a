import { addChoices } from "./choices.ts";
import type { Pending } from "./pending.ts";
import type { StateDb } from "./state_db.ts";
import {
  addUses,
  hasFigures,
  nextRevision,
  pruneAffinity,
  saveAffinity,
  saveWindow,
  setMeta,
} from "./state_write.ts";
import { saveMints } from "./mints.ts";
import { addTokens, pruneTokens } from "./token_use.ts";

/** After this many saved sessions, and at the first one, old ones are looked for. */
const PRUNE_EVERY = 1_000;

/**
 * Saves what waits. Runs inside a transaction of its caller.
 *
 * @param known Ids of the accounts there are; what is pending for others is
 * dropped, since they were removed meanwhile. Undefined: nobody can tell.
 * @param now Epoch milliseconds.
 */
export function savePending(
  db: StateDb,
  pending: Pending,
  known: ReadonlySet<string> | undefined,
  now: number,
): void {
  const { figures, affinity, turn, choices } = pending;
  if (figures.size > 0 || turn.activeId !== undefined || turn.turnId !== undefined) {
    const revision = nextRevision(db);
    for (const [id, { uses, usedAt, windows, tokens }] of figures) {
      if (known ? !known.has(id) : !hasFigures(db, id)) continue;
      addUses(db, id, uses, usedAt, revision);
      for (const window of windows) saveWindow(db, id, window, revision, now);
      addTokens(db, id, tokens);
    }
    pruneTokens(db, now);
    if (turn.activeId !== undefined) setMeta(db, "active", turn.activeId);
    if (turn.turnId !== undefined) setMeta(db, "turn", turn.turnId);
  }
  for (const entry of affinity.values()) saveAffinity(db, entry, now);
  if (affinity.size > 0) {
    pending.sessionsUntilPrune -= affinity.size;
    if (pending.sessionsUntilPrune < 0) {
      pruneAffinity(db, now);
      pending.sessionsUntilPrune = PRUNE_EVERY;
    }
  }
  addChoices(db, choices, known);
  saveMints(db, pending.mints, now);
}
