/**
 * Who minted which encrypted reasoning, by hash.
 *
 * @module
 */
import { type StateDb, textIn } from "./state_db.ts";

/** Items kept; the oldest go first. */
export const MAX_MINTS = 20_000;

/** Saves what is new. Runs inside a transaction of its caller. */
export function saveMints(db: StateDb, mints: ReadonlyMap<string, string>, now: number): void {
  if (mints.size === 0) return;
  for (const [hash, accountId] of mints) {
    db.prepare("INSERT OR REPLACE INTO mints VALUES (?, ?, ?)").run(hash, accountId, now);
  }
  db.prepare(
    "DELETE FROM mints WHERE hash IN (SELECT hash FROM mints ORDER BY at DESC LIMIT -1 OFFSET ?)",
  ).run(MAX_MINTS);
}

/** Finds who minted these items; unknown ones are absent. */
export function findMints(db: StateDb, hashes: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  const asked = db.prepare("SELECT account_id FROM mints WHERE hash = ?");
  for (const hash of hashes) {
    const row = asked.get(hash);
    if (row) found.set(hash, textIn(row, "account_id"));
  }
  return found;
}
