/**
 * What `state.db` says about the last hours and days, added up.
 *
 * @module
 */
import type { QuotaWindow } from "../quota/window.ts";
import type { LocalStore } from "./local.ts";
import { numberIn, numberOrNull, textIn } from "./state_db.ts";

/**
 * A number that changes with every commit of another process to `state.db`, also of what no snapshot
 * shows; undefined when there is none. Takes some microseconds.
 */
export function stateVersion(store: LocalStore): Promise<number | undefined> {
  return store.files.readState((db): number | undefined => db.dataVersion(), undefined);
}

/**
 * How many conversations each account serves, by account id.
 *
 * @param since Those that were used then or later, epoch milliseconds.
 */
export function readSessionCounts(
  store: LocalStore,
  since: number,
): Promise<ReadonlyMap<string, number>> {
  return store.files.readState(
    (db) =>
      new Map(
        db.prepare("SELECT account_id, count(*) AS n FROM affinity WHERE at >= ? GROUP BY 1")
          .all(since).map((row) => [textIn(row, "account_id"), numberIn(row, "n")]),
      ),
    new Map(),
  );
}

/** What all answers of one local day have cost, in tokens. */
export interface DailyUse {
  /** As `2026-11-24`. */
  readonly day: string;
  readonly answers: number;
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

/** The usage ledger from `since` (a local day) on, over all accounts and models, oldest day first. */
export function readDailyUse(store: LocalStore, since: string): Promise<DailyUse[]> {
  return store.files.readState(
    (db) =>
      db.prepare(
        `SELECT day, sum(answers) AS answers, sum(input) AS input, sum(cached) AS cached,
         sum(output) AS output FROM token_use WHERE day >= ? GROUP BY day ORDER BY day`,
      ).all(since).map((row) => ({
        day: textIn(row, "day"),
        answers: numberIn(row, "answers"),
        input: numberIn(row, "input"),
        cached: numberIn(row, "cached"),
        output: numberIn(row, "output"),
      })),
    [],
  );
}

/**
 * How the windows of several accounts went, by account id, each list oldest first; up to 160 points for
 * each window. One look for all of them.
 */
export function readHistoriesOf(
  store: LocalStore,
  accountIds: readonly string[],
): Promise<Map<string, QuotaWindow[]>> {
  return store.files.readState(
    (db) => {
      const rows = db.prepare(
        "SELECT * FROM window_history WHERE account_id = ? ORDER BY at, bucket, minutes",
      );
      return new Map(
        accountIds.map((id) => [
          id,
          rows.all(id).map((row) => ({
            bucket: textIn(row, "bucket"),
            minutes: numberIn(row, "minutes"),
            usedPercent: numberIn(row, "used_percent"),
            resetsAt: numberOrNull(row, "resets_at"),
            observedAt: numberIn(row, "at"),
          })),
        ]),
      );
    },
    new Map(),
  );
}
