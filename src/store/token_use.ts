/**
 * The usage ledger: what each account's answers cost, by model and local day.
 *
 * @module
 */
import type { StateDb } from "./state_db.ts";
import type { PendingTokens } from "./pending.ts";

/** How long a day is remembered, in days: a year and a month to compare it with. */
export const LEDGER_DAYS = 400;

/** Characters of a day in the keys of {@linkcode PendingTokens}; the model stands behind it. */
const DAY_LENGTH = 10;

/** Adds what waits for one account. Runs inside a transaction of its caller. */
export function addTokens(db: StateDb, accountId: string, waiting: PendingTokens): void {
  for (const [key, sums] of waiting) {
    db.prepare(
      `INSERT INTO token_use VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET ${ADDED}`,
    ).run(key.slice(0, DAY_LENGTH), accountId, key.slice(DAY_LENGTH), ...sums);
  }
}

const ADDED = ["answers", "input", "cached", "output", "reasoning"]
  .map((column) => `${column} = ${column} + excluded.${column}`).join();

/** Forgets days beyond {@linkcode LEDGER_DAYS}. Runs inside a transaction of its caller. */
export function pruneTokens(db: StateDb, now: number): void {
  const first = new Date(now - LEDGER_DAYS * 86_400_000).toISOString().slice(0, DAY_LENGTH);
  db.prepare("DELETE FROM token_use WHERE day < ?").run(first);
}
