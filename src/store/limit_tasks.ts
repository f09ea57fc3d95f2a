/**
 * The machine's one queue of questions about limits, as rows of `state.db`, one for each account and way
 * to ask: whoever opens the store sees it, works on it and stops it. Every function here runs inside a transaction of its caller.
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
/** Chooses the row of an account and a way to ask. */
const ITS_ROW = "WHERE account_id = ? AND source = ?";
/** Name of the moment before which no task may begin. */
const NEXT = "limits_next";

/** Which row. */
export interface LimitKey {
  readonly accountId: string;
  readonly source: string;
}

/** One row. */
export interface LimitRow extends LimitKey {
  readonly state: "queued" | "running" | "success" | "error" | "stopped";
  readonly queuedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly error: string | null;
  /** Who waits for it. */
  readonly owners: readonly string[];
  /** Who carries it out. */
  readonly worker: string | null;
}

/** What a worker finds when it looks for something to do. */
export type Claim =
  | { readonly kind: "task" } & LimitKey
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
    owners: textIn(row, "owners").split("\n").filter((name) => name !== ""),
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
    const known = rows.find((row) => row.accountId === accountId && row.source === source);
    if (known && isPending(known)) {
      setOwners(db, known, [...new Set([...known.owners, owner])]);
      continue;
    }
    db.prepare(
      "INSERT OR REPLACE INTO limit_tasks VALUES (?, ?, ?, 'queued', ?, NULL, NULL, NULL, ?, NULL)",
    ).run(accountId, source, ++position, now, owner);
  }
}

/**
 * Sees to it that nothing waits for somebody who is gone: a task whose worker has ended goes back to
 * the queue, one whose owners have all ended too is stopped.
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
  for (const row of limitRows(db)) {
    const { state, queuedAt, startedAt, owners, worker } = row;
    const unwanted = owners.every(isGone);
    const late = (at: number | null, longest: number) =>
      at !== null && (now - at > longest || at > now + longest);
    const left = state === "running"
      ? worker === null || isGone(worker) || late(startedAt, LONGEST_TASK_MS)
      : state === "queued" && (unwanted || late(queuedAt, LONGEST_WAIT_MS));
    if (!left) continue;
    changed = true;
    if (state === "running" && !unwanted && !late(startedAt, LONGEST_TASK_MS)) {
      requeueLimitTask(db, row);
    } else endLimitTask(db, row, "stopped", null, now);
  }
  return changed;
}

/**
 * Takes the next task, if one may begin now. An account is asked one way after the other.
 *
 * @param busy Accounts of which the worker still has a question that was stopped.
 */
export function claimLimitTask(
  db: StateDb,
  worker: string,
  atOnce: number,
  busy: ReadonlySet<string>,
  now: number,
): Claim {
  const rows = limitRows(db);
  // What another process carries out may come back, if that one ends.
  if (!rows.some(isPending)) return { kind: "idle" };
  const running = rows.filter((row) => row.state === "running");
  const asked = new Set([...busy, ...running.map(({ accountId }) => accountId)]);
  const next = rows.find((row) => row.state === "queued" && !asked.has(row.accountId));
  if (!next || running.length >= atOnce) return { kind: "later" };
  if (now < nextStart(db, now)) return { kind: "later" };
  db.prepare(
    `UPDATE limit_tasks SET state = 'running', worker = ?, started_at = ? ${ITS_ROW}`,
  ).run(worker, now, next.accountId, next.source);
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
export function hasLimitTask(
  db: StateDb,
  { accountId, source }: LimitKey,
  worker: string,
): boolean {
  const row = db.prepare(`SELECT state, worker FROM limit_tasks ${ITS_ROW}`).get(accountId, source);
  return row?.["state"] === "running" && row["worker"] === worker;
}

/** Ends a task. */
export function endLimitTask(
  db: StateDb,
  { accountId, source }: LimitKey,
  state: "success" | "error" | "stopped",
  error: string | null,
  now: number,
): void {
  db.prepare(
    `UPDATE limit_tasks SET state = ?, error = ?, ended_at = ?, worker = NULL ${ITS_ROW}`,
  ).run(state, error, now, accountId, source);
}

/** Puts a task that was begun back to where it was. */
function requeueLimitTask(db: StateDb, { accountId, source }: LimitKey): void {
  db.prepare(
    `UPDATE limit_tasks SET state = 'queued', worker = NULL, started_at = NULL ${ITS_ROW}`,
  ).run(accountId, source);
}

function setOwners(
  db: StateDb,
  { accountId, source }: LimitKey,
  owners: readonly string[],
): void {
  db.prepare(`UPDATE limit_tasks SET owners = ? ${ITS_ROW}`)
    .run(owners.join("\n"), accountId, source);
}

/** Ends all that is pending. */
export function stopLimitTasks(db: StateDb, now: number): void {
  db.prepare(
    `UPDATE limit_tasks SET state = 'stopped', ended_at = ?, worker = NULL
     WHERE state IN ('queued', 'running')`,
  ).run(now);
}

/**
 * Lets go of all that a holder has to do with: what nobody else waits for is stopped, others' tasks
 * that it runs go back.
 */
export function leaveLimitTasks(db: StateDb, holder: string, now: number): void {
  for (const row of limitRows(db).filter(isPending)) {
    const owners = row.owners.filter((owner) => owner !== holder);
    if (owners.length < row.owners.length) setOwners(db, row, owners);
    if (owners.length === 0) endLimitTask(db, row, "stopped", null, now);
    else if (row.worker === holder) requeueLimitTask(db, row);
  }
}
