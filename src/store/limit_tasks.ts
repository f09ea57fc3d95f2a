/**
 * The machine's one queue of questions about limits, as rows of `state.db`: whoever opens the store
 * sees it, works on it and stops it. Every function here runs inside a transaction of its caller.
 * Times are epoch milliseconds.
 *
 * @module
 */
import type { Row } from "./sqlite.ts";
import { numberIn, numberOrNull, type StateDb, textIn } from "./state_db.ts";
import { getMeta, setMeta } from "./state_write.ts";

/** A task that has run for longer than this belongs to nobody any more, in milliseconds. */
const LONGEST_TASK_MS = 10 * 60_000;
/** A task that waits for longer than this was left behind, in milliseconds. */
const LONGEST_WAIT_MS = 6 * 3_600_000;
/** Name of the moment before which no task may begin. */
const NEXT = "limits_next";

/** One row. */
export interface LimitRow {
  readonly accountId: string;
  readonly source: string;
  readonly state: "queued" | "running" | "success" | "error" | "stopped";
  readonly queuedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly error: string | null;
  /** Who asked for it last. */
  readonly owner: string;
  /** Who carries it out. */
  readonly worker: string | null;
}

/** What a worker finds when it looks for something to do. */
export type Claim =
  | { readonly kind: "task"; readonly accountId: string; readonly source: string }
  /** Something is pending, but there is nothing to do now. */
  | { readonly kind: "later" }
  /** Nothing is pending. */
  | { readonly kind: "idle" };

/** All rows in the order in which they run. */
export function limitRows(db: StateDb): LimitRow[] {
  return db.prepare("SELECT * FROM limit_tasks ORDER BY position").all().map(rowOf);
}

function rowOf(row: Row): LimitRow {
  return {
    accountId: textIn(row, "account_id"),
    source: textIn(row, "source"),
    state: textIn(row, "state") as LimitRow["state"],
    queuedAt: numberIn(row, "queued_at"),
    startedAt: numberOrNull(row, "started_at"),
    endedAt: numberOrNull(row, "ended_at"),
    error: row["error"] === null ? null : textIn(row, "error"),
    owner: textIn(row, "owner"),
    worker: row["worker"] === null ? null : textIn(row, "worker"),
  };
}

/** Whether a row is still to come to an end. */
export function isPending(row: Pick<LimitRow, "state">): boolean {
  return row.state === "queued" || row.state === "running";
}

/** Puts accounts behind those that wait. Where nothing is pending, a new run begins and older results go. */
export function addLimitTasks(
  db: StateDb,
  accountIds: readonly string[],
  source: string,
  owner: string,
  now: number,
): void {
  const rows = limitRows(db);
  if (!rows.some(isPending)) {
    db.prepare("DELETE FROM limit_tasks").run();
    rows.length = 0;
  }
  let position = numberIn(
    db.prepare("SELECT coalesce(max(position), 0) AS last FROM limit_tasks").get(),
    "last",
  );
  for (const accountId of new Set(accountIds)) {
    const known = rows.find((row) => row.accountId === accountId);
    if (known && isPending(known)) {
      // Whoever asked last keeps it alive.
      db.prepare("UPDATE limit_tasks SET owner = ? WHERE account_id = ?").run(owner, accountId);
      continue;
    }
    db.prepare(
      "INSERT OR REPLACE INTO limit_tasks VALUES (?, ?, ?, 'queued', ?, NULL, NULL, NULL, ?, NULL)",
    ).run(accountId, ++position, source, now, owner);
  }
}

/**
 * Sees to it that nothing waits for somebody who is gone: a task whose worker has ended goes back to
 * the queue, one whose owner has ended too is stopped.
 *
 * @param isGone Whether a holder has ended.
 * @returns Whether anything was changed.
 */
export function settleLeftTasks(
  db: StateDb,
  isGone: (holder: string) => boolean,
  now: number,
): boolean {
  let changed = false;
  for (const { accountId, state, queuedAt, startedAt, owner, worker } of limitRows(db)) {
    const late = (at: number | null, longest: number) =>
      at !== null && (now - at > longest || at > now + longest);
    const left = state === "running"
      ? worker === null || isGone(worker) || late(startedAt, LONGEST_TASK_MS)
      : state === "queued" && (isGone(owner) || late(queuedAt, LONGEST_WAIT_MS));
    if (!left) continue;
    changed = true;
    if (state === "running" && !isGone(owner) && !late(startedAt, LONGEST_TASK_MS)) {
      requeueLimitTask(db, accountId);
    } else endLimitTask(db, accountId, "stopped", null, now);
  }
  return changed;
}

/** Takes the next task, if one may begin now. */
export function claimLimitTask(
  db: StateDb,
  worker: string,
  atOnce: number,
  now: number,
): Claim {
  const rows = limitRows(db);
  const next = rows.find((row) => row.state === "queued");
  // What another process carries out may come back, if that one ends.
  if (!next) return { kind: rows.some(isPending) ? "later" : "idle" };
  if (rows.filter((row) => row.state === "running").length >= atOnce) return { kind: "later" };
  if (now < nextStart(db, now)) return { kind: "later" };
  db.prepare(
    "UPDATE limit_tasks SET state = 'running', worker = ?, started_at = ? WHERE account_id = ?",
  ).run(worker, now, next.accountId);
  return { kind: "task", accountId: next.accountId, source: next.source };
}

/** Longest pause that is believed, in milliseconds: beyond it the clock was set back. */
const LONGEST_PAUSE_MS = 10 * 60_000;

function nextStart(db: StateDb, now: number): number {
  const at = Number(getMeta(db, NEXT) ?? 0);
  return at - now > LONGEST_PAUSE_MS ? 0 : at;
}

/** No task may begin before this moment. */
export function pauseLimitTasks(db: StateDb, until: number, now: number): void {
  if (until > nextStart(db, now)) setMeta(db, NEXT, `${until}`);
}

/** Whether a worker still has its task: nobody has stopped it or taken it away. */
export function hasLimitTask(db: StateDb, accountId: string, worker: string): boolean {
  const row = db.prepare("SELECT state, worker FROM limit_tasks WHERE account_id = ?")
    .get(accountId);
  return row?.["state"] === "running" && row["worker"] === worker;
}

/** Ends a task. */
export function endLimitTask(
  db: StateDb,
  accountId: string,
  state: "success" | "error" | "stopped",
  error: string | null,
  now: number,
): void {
  db.prepare(
    "UPDATE limit_tasks SET state = ?, error = ?, ended_at = ?, worker = NULL WHERE account_id = ?",
  ).run(state, error, now, accountId);
}

/** Puts a task that was begun back to where it was. */
export function requeueLimitTask(db: StateDb, accountId: string): void {
  db.prepare(
    "UPDATE limit_tasks SET state = 'queued', worker = NULL, started_at = NULL WHERE account_id = ?",
  ).run(accountId);
}

/** Ends all that is pending. */
export function stopLimitTasks(db: StateDb, now: number): void {
  db.prepare(
    `UPDATE limit_tasks SET state = 'stopped', ended_at = ?, worker = NULL
     WHERE state IN ('queued', 'running')`,
  ).run(now);
}

/** Lets go of all that a holder has to do with: its own tasks are stopped, others' that it runs go back. */
export function leaveLimitTasks(db: StateDb, holder: string, now: number): void {
  for (const row of limitRows(db).filter(isPending)) {
    if (row.owner === holder) endLimitTask(db, row.accountId, "stopped", null, now);
    else if (row.worker === holder) requeueLimitTask(db, row.accountId);
  }
}
