/**
 * What is written into `state.db`. Every function here runs inside a
 * transaction of its caller. Times are epoch milliseconds.
 *
 * @module
 */
import type { Block, BlockScope } from "../quota/block.ts";
import type { QuotaWindow } from "../quota/window.ts";
import { numberIn, numberOrNull, type StateDb } from "./state_db.ts";
import type { Affinity, Pin } from "./store.ts";

/** A reset that is said to be so little later or earlier is the same one, in milliseconds: spans are rounded. */
const SAME_RESET_MS = 60_000;
/** Points kept of the history of one window; the projects before us keep as many. */
export const HISTORY_POINTS = 160;
/** Sessions whose account is remembered. */
export const MAX_SESSIONS = 100_000;
/** How long a session is remembered after its last use, in milliseconds: 30 days. */
export const SESSION_MS = 30 * 86_400_000;
/** How long a block that has ended or was lifted stays, so that older evidence cannot bring it back, in milliseconds. */
const ENDED_BLOCK_MS = 7 * 86_400_000;

/** Counts a change of what snapshots show, and stamps it. */
export function nextRevision(db: StateDb): number {
  return numberIn(
    db.prepare("UPDATE counter SET value = value + 1 WHERE name = 'revision' RETURNING value")
      .get(),
    "value",
  );
}

/** Counts a save of `accounts.json`. */
export function countAccountsSave(db: StateDb): void {
  db.prepare("UPDATE counter SET value = value + 1 WHERE name = 'accounts'").run();
}

/** Makes every reader start over: rows have gone, which no revision can tell. */
function startOver(db: StateDb, revision: number): void {
  db.prepare("UPDATE counter SET value = ? WHERE name = 'full_since'").run(revision);
}

/** Whether anything was ever counted for this account, and not taken away since. */
export function hasFigures(db: StateDb, accountId: string): boolean {
  return db.prepare("SELECT 1 FROM figures WHERE account_id = ?").get(accountId) !== undefined;
}

/** Adds uses. */
export function addUses(
  db: StateDb,
  accountId: string,
  uses: number,
  usedAt: number | undefined,
  revision: number,
): void {
  db.prepare(
    `INSERT INTO figures (account_id, uses, last_used_at, revision) VALUES (?, ?, ?, ?)
     ON CONFLICT (account_id) DO UPDATE SET uses = uses + excluded.uses, revision = excluded.revision,
       last_used_at = max(coalesce(last_used_at, excluded.last_used_at), coalesce(excluded.last_used_at, last_used_at))`,
  ).run(accountId, uses, usedAt ?? null, revision);
}

/** Takes over a count made elsewhere; one that is already higher stays. */
export function raiseUses(
  db: StateDb,
  accountId: string,
  uses: number,
  usedAt: number | undefined,
  revision: number,
): void {
  addUses(db, accountId, 0, usedAt, revision);
  db.prepare("UPDATE figures SET uses = max(uses, ?) WHERE account_id = ?").run(uses, accountId);
}

/**
 * Saves a window unless a newer observation of it is there, and notes a change
 * in its history. An observation from the future (the clock was wrong) does
 * not count as newer.
 */
export function saveWindow(
  db: StateDb,
  accountId: string,
  window: QuotaWindow,
  revision: number,
  now: number,
): void {
  const { bucket, minutes, usedPercent, resetsAt, observedAt } = window;
  const saved = db.prepare(
    `INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (account_id, bucket, minutes) DO UPDATE SET used_percent = excluded.used_percent,
       resets_at = excluded.resets_at, observed_at = excluded.observed_at, revision = excluded.revision
     WHERE excluded.observed_at >= observed_at OR observed_at > ?`,
  ).run(accountId, bucket, minutes, usedPercent, resetsAt, observedAt, revision, now);
  if (saved > 0) addHistory(db, accountId, window);
}

/** Adds a point to a window's history if it says something new; the oldest beyond {@linkcode HISTORY_POINTS} go. */
export function addHistory(db: StateDb, accountId: string, window: QuotaWindow): void {
  const { bucket, minutes, usedPercent, resetsAt, observedAt } = window;
  const last = db.prepare(
    `SELECT used_percent, resets_at FROM window_history
     WHERE account_id = ? AND bucket = ? AND minutes = ? AND at <= ? ORDER BY at DESC LIMIT 1`,
  ).get(accountId, bucket, minutes, observedAt);
  if (last && numberIn(last, "used_percent") === usedPercent) {
    const reset = numberOrNull(last, "resets_at");
    if (reset === resetsAt) return;
    if (reset && resetsAt && Math.abs(reset - resetsAt) <= SAME_RESET_MS) return;
  }
  db.prepare("INSERT OR REPLACE INTO window_history VALUES (?, ?, ?, ?, ?, ?)")
    .run(accountId, bucket, minutes, observedAt, usedPercent, resetsAt);
  db.prepare(
    `DELETE FROM window_history WHERE account_id = ? AND bucket = ? AND minutes = ? AND at <= (
       SELECT at FROM window_history WHERE account_id = ? AND bucket = ? AND minutes = ?
       ORDER BY at DESC LIMIT 1 OFFSET ?)`,
  ).run(accountId, bucket, minutes, accountId, bucket, minutes, HISTORY_POINTS);
}

/**
 * Saves a block in the place of one of the same scope, unless that one rests on newer evidence, or outlasts this one
 * where this is a guess, or a throttle beside a spent quota: as the pool admits them.
 */
export function saveBlock(db: StateDb, block: Block, revision: number, now: number): void {
  const { subject, model, reason, until, source, since } = block;
  db.prepare(
    `INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (subject, model) DO UPDATE SET reason = excluded.reason, until = excluded.until,
       source = excluded.source, since = excluded.since, revision = excluded.revision
     WHERE since > ? OR excluded.since >= since
       AND (excluded.until >= until OR excluded.source <> 'guess'
         AND (excluded.reason <> 'rate limit' OR reason NOT IN ('usage limit', 'workspace limit')))`,
  ).run(subject, model, reason, until, source, since, revision, now);
  const gone = db.prepare("DELETE FROM blocks WHERE until < ? AND since < ?")
    .run(now - ENDED_BLOCK_MS, now - ENDED_BLOCK_MS);
  if (gone > 0) startOver(db, revision);
}

/** Lifts a block whose evidence is older. The row stays, so that other processes learn it and older evidence cannot set it again. */
export function liftBlock(
  db: StateDb,
  scope: BlockScope,
  evidenceAt: number,
  revision: number,
  now: number,
): void {
  db.prepare(
    `UPDATE blocks SET until = 0, since = ?, revision = ?
     WHERE subject = ? AND model = ? AND (since < ? OR since > ?)`,
  ).run(evidenceAt, revision, scope.subject, scope.model, evidenceAt, now);
}

/** Saves a text by name: `pin`, `active`, `turn` and what else there is one of. */
export function setMeta(db: StateDb, name: string, value: string): void {
  db.prepare(
    "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  ).run(name, value);
}

/** Reads a text by name. */
export function getMeta(db: StateDb, name: string): string | undefined {
  const row = db.prepare("SELECT value FROM meta WHERE name = ?").get(name);
  return row === undefined ? undefined : String(row["value"]);
}

/** Saves the pin; null = no pin. */
export function savePin(db: StateDb, pin: Pin | null): void {
  setMeta(db, "pin", JSON.stringify(pin));
}

/** Takes away everything about an account. */
export function forgetAccount(db: StateDb, accountId: string, subject: string): void {
  for (
    const table of [
      "figures",
      "windows",
      "window_history",
      "affinity",
      "refreshes",
      "token_use",
      "choices",
      "limit_tasks",
      "plan_extras",
      "models",
    ]
  ) {
    db.prepare(`DELETE FROM ${table} WHERE account_id = ?`).run(accountId);
  }
  // What it minted nobody can read from now on.
  db.prepare("UPDATE mints SET account_id = '' WHERE account_id = ?").run(accountId);
  db.prepare("DELETE FROM blocks WHERE subject = ?").run(subject);
  db.prepare("DELETE FROM meta WHERE name IN ('active', 'turn') AND value = ?").run(accountId);
  const pin = JSON.parse(getMeta(db, "pin") ?? "null") as Pin | null;
  if (pin?.accountId === accountId) savePin(db, null);
  startOver(db, nextRevision(db));
}

/** Saves where a conversation stays, unless something newer is known. */
export function saveAffinity(db: StateDb, affinity: Affinity, now: number): void {
  db.prepare(
    `INSERT INTO affinity (session, account_id, at, moved) VALUES (?, ?, ?, ?)
     ON CONFLICT (session) DO UPDATE SET account_id = excluded.account_id, at = excluded.at,
       moved = max(moved, excluded.moved)
     WHERE excluded.at >= at OR at > ?`,
  ).run(affinity.session, affinity.accountId, affinity.at, affinity.moved ? 1 : 0, now);
}

/** Forgets sessions beyond {@linkcode MAX_SESSIONS} or unused for {@linkcode SESSION_MS}. */
export function pruneAffinity(db: StateDb, now: number): void {
  db.prepare("DELETE FROM affinity WHERE at < ?").run(now - SESSION_MS);
  db.prepare(
    `DELETE FROM affinity WHERE session IN (
       SELECT session FROM affinity ORDER BY at DESC, session LIMIT -1 OFFSET ?)`,
  ).run(MAX_SESSIONS);
}

/** Where a conversation stays. */
export function findAffinity(db: StateDb, session: string): Affinity | undefined {
  const row = db.prepare("SELECT * FROM affinity WHERE session = ?").get(session);
  return row && {
    session,
    accountId: String(row["account_id"]),
    at: numberIn(row, "at"),
    ...(numberIn(row, "moved") > 0 ? { moved: true } : {}),
  };
}

/** The highest generation an account ever had here. */
export function highestGeneration(db: StateDb, accountId: string): number {
  return numberIn(
    db.prepare("SELECT generation FROM figures WHERE account_id = ?").get(accountId),
    "generation",
  );
}

/** Notes the generation that an account has now. */
export function noteGeneration(
  db: StateDb,
  accountId: string,
  generation: number,
  revision: number,
): void {
  addUses(db, accountId, 0, undefined, revision);
  db.prepare("UPDATE figures SET generation = max(generation, ?) WHERE account_id = ?")
    .run(generation, accountId);
}
