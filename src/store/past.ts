/**
 * What `state.db` remembers for a person to look at. The plugin writes it and
 * never asks for it, so these are functions of their own beside the store.
 *
 * @module
 */
import type { LocalStore } from "./local.ts";
import { numberIn, textIn } from "./state_db.ts";
import type { Explanation, Tokens } from "./store.ts";

/** What one account's answers by one model cost on one day. */
export interface TokenUse extends Tokens {
  /** Local day, as `2026-11-24`. */
  readonly day: string;
  readonly accountId: string;
  /** As it was asked for; empty where nobody named one. */
  readonly model: string;
  /** Answers that named their tokens. */
  readonly answers: number;
}

/** The usage ledger from `since` (a local day) on, oldest day first. */
export function readTokenUse(store: LocalStore, since: string): Promise<TokenUse[]> {
  return store.files.readState(
    (db) =>
      db.prepare("SELECT * FROM token_use WHERE day >= ? ORDER BY day, account_id, model")
        .all(since).map((row) => ({
          day: textIn(row, "day"),
          accountId: textIn(row, "account_id"),
          model: textIn(row, "model"),
          answers: numberIn(row, "answers"),
          input: numberIn(row, "input"),
          cached: numberIn(row, "cached"),
          output: numberIn(row, "output"),
          reasoning: numberIn(row, "reasoning"),
        })),
    [],
  );
}

/**
 * The newest choices, the oldest of them first.
 *
 * @param session Only those of sessions that begin with this; empty for all.
 */
export function readChoices(
  store: LocalStore,
  limit: number,
  session = "",
): Promise<Explanation[]> {
  return store.files.readState(
    (db) =>
      db.prepare(
        `SELECT explanation FROM choices
         WHERE substr(coalesce(explanation ->> '$.session', ''), 1, length(?)) = ?
         ORDER BY explanation ->> '$.at' DESC, id DESC LIMIT ?`,
      ).all(session, session, limit)
        .map((row) => JSON.parse(textIn(row, "explanation")) as Explanation).reverse(),
    [],
  );
}
