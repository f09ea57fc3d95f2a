import { builtin, runtime } from "../platform/runtime.ts";
import { isAlive } from "./accounts_copies.ts";
import { numberIn, type StateDb } from "./state_db.ts";

/**
 * Takes a named lease if it is free: nobody holds it, its time is over, or its
 * holder is a process of this machine that has ended. Runs inside a
 * transaction of its caller.
 *
 * @param ttlMs After this many milliseconds it falls back by itself.
 * @param now Epoch milliseconds.
 * @returns The holder's name, which {@linkcode releaseLease} wants; undefined when it is not free.
 */
export function takeLease(
  db: StateDb,
  name: string,
  ttlMs: number,
  now: number,
): string | undefined {
  const row = db.prepare("SELECT * FROM leases WHERE name = ?").get(name);
  if (row) {
    const takenAt = numberIn(row, "taken_at");
    const releasedAt = numberIn(row, "released_at");
    // A time in the future means that the clock was set back: without this, a
    // lease would last as long as the clock was wrong.
    if (takenAt > now || releasedAt > now) {
      db.prepare(
        "UPDATE leases SET taken_at = min(taken_at, ?), released_at = min(released_at, ?) WHERE name = ?",
      ).run(now, now, name);
    }
    const holder = row["holder"];
    if (typeof holder === "string") {
      const held = Math.min(takenAt, now) + numberIn(row, "ttl") > now;
      if (held && !isDead(holder)) return undefined;
    } else if (Math.min(releasedAt, now) + numberIn(row, "pause") > now) {
      return undefined;
    }
  }
  const holder = holderName();
  db.prepare("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, 0, 0)")
    .run(name, holder, now, ttlMs);
  return holder;
}

/** Gives a lease back, unless somebody else holds it by now. Nobody may take it for `pauseMs` milliseconds. */
export function releaseLease(
  db: StateDb,
  name: string,
  holder: string,
  pauseMs: number,
  now: number,
): void {
  db.prepare(
    "UPDATE leases SET holder = NULL, released_at = ?, pause = ? WHERE name = ? AND holder = ?",
  ).run(now, pauseMs, name, holder);
}

/** A name for whoever holds something: machine, process, and what tells it from all others. */
export function holderName(): string {
  const random = builtin("node:crypto").randomBytes(8).toString("hex");
  return `${builtin("node:os").hostname()}:${runtime.pid}:${random}`;
}

/** Whether a holder is a process of this machine that has ended. */
export function isDead(holder: string): boolean {
  const [host, pid] = holder.split(":");
  return host === builtin("node:os").hostname() && !isAlive(Number(pid));
}
