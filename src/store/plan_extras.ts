/**
 * What a plan has beside its windows, as last reported. Asked for by commands and the dashboard alone,
 * so these are functions of their own beside the store.
 *
 * @module
 */
import type { Credits } from "../quota/headers.ts";
import type { LocalStore } from "./local.ts";
import { numberIn, textIn } from "./state_db.ts";

/** Beside the windows of an account. */
export interface PlanExtras {
  /** When it was asked for, epoch milliseconds. */
  readonly at: number;
  /** Credits that each reset a limit early, by count; absent where nobody said. */
  readonly resetCredits?: number;
  /** The same, as the backend lists them: `{id, status, expires_at}`; asked for where the person wants to hear of them. */
  readonly resetCreditList?: readonly unknown[];
  /** Paid credits. */
  readonly credits?: Credits;
  /** Names for people by bucket: `codex_bengalfox` -> `GPT-5.3-Codex-Spark`. */
  readonly bucketNames?: Readonly<Record<string, string>>;
}

/** The extras of all accounts, by account id. */
export async function readPlanExtras(store: LocalStore): Promise<Map<string, PlanExtras>> {
  const rows = await store.files.readState(
    (db) => db.prepare("SELECT account_id, at, extras FROM plan_extras").all(),
    [],
  );
  return new Map(rows.map((row) => [
    textIn(row, "account_id"),
    { ...JSON.parse(textIn(row, "extras")), at: numberIn(row, "at") } as PlanExtras,
  ]));
}

/** Saves the extras of one account over older ones. What they leave out stays as it was known. */
export function savePlanExtras(
  store: LocalStore,
  accountId: string,
  extras: PlanExtras,
): Promise<void> {
  const { at, ...said } = extras;
  return store.files.writeState((db) => {
    const row = db.prepare("SELECT at, extras FROM plan_extras WHERE account_id = ?")
      .get(accountId);
    if (row && numberIn(row, "at") > at) return;
    const known = row ? JSON.parse(textIn(row, "extras")) : {};
    db.prepare("INSERT OR REPLACE INTO plan_extras VALUES (?, ?, ?)")
      .run(accountId, at, JSON.stringify({ ...known, ...said }));
  }, false);
}
