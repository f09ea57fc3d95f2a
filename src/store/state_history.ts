import type { QuotaWindow } from "../quota/window.ts";
import type { StoreEvent } from "./pending.ts";
import { numberIn, numberOrNull, type StateDb, textIn } from "./state_db.ts";
import { MAX_EVENTS } from "./state_write.ts";

/** How an account's windows went, oldest first. */
export function readHistory(db: StateDb, accountId: string): QuotaWindow[] {
  return db.prepare(
    "SELECT * FROM window_history WHERE account_id = ? ORDER BY at, bucket, minutes",
  ).all(accountId).map((row) => ({
    bucket: textIn(row, "bucket"),
    minutes: numberIn(row, "minutes"),
    usedPercent: numberIn(row, "used_percent"),
    resetsAt: numberOrNull(row, "resets_at"),
    observedAt: numberIn(row, "at"),
  }));
}

/** Adds events; the oldest beyond {@linkcode MAX_EVENTS} go. Runs inside a transaction of its caller. */
export function addEvents(db: StateDb, events: readonly StoreEvent[]): void {
  if (events.length === 0) return;
  const insert = db.prepare(
    "INSERT INTO events (at, kind, account_id, message) VALUES (?, ?, ?, ?)",
  );
  for (const { at, kind, accountId, message } of events) {
    insert.run(at, kind, accountId ?? null, message);
  }
  db.prepare("DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?").run(MAX_EVENTS);
}

/** The last events, newest first. */
export function readEvents(db: StateDb, limit: number): StoreEvent[] {
  return db.prepare("SELECT * FROM events ORDER BY id DESC LIMIT ?").all(limit).map((row) => ({
    at: numberIn(row, "at"),
    kind: textIn(row, "kind"),
    ...(row["account_id"] === null ? {} : { accountId: textIn(row, "account_id") }),
    message: textIn(row, "message"),
  }));
}
