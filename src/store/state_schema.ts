import { Failure } from "../platform/failure.ts";
import type { Database } from "./sqlite.ts";

/**
 * What leads from each version of `state.db` to the next; `user_version` counts
 * them. Append only: a released step never changes.
 *
 * Rows that a snapshot shows carry the `revision` of their last change, so that
 * a reader fetches what is new and nothing else.
 *
 * Set close: OpenCode loads this text at every start.
 */
const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counter VALUES ('revision', 0), ('full_since', 0), ('accounts', 0);
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE figures (account_id TEXT PRIMARY KEY, uses INTEGER NOT NULL DEFAULT 0,
 last_used_at INTEGER, generation INTEGER NOT NULL DEFAULT 0,
 revision INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX figures_revision ON figures (revision);
CREATE TABLE windows (account_id TEXT NOT NULL, bucket TEXT NOT NULL, minutes INTEGER NOT NULL,
 used_percent REAL NOT NULL, resets_at INTEGER, observed_at INTEGER NOT NULL,
 revision INTEGER NOT NULL, PRIMARY KEY (account_id, bucket, minutes)) WITHOUT ROWID;
CREATE INDEX windows_revision ON windows (revision);
CREATE TABLE window_history (account_id TEXT NOT NULL, bucket TEXT NOT NULL,
 minutes INTEGER NOT NULL, at INTEGER NOT NULL, used_percent REAL NOT NULL, resets_at INTEGER,
 PRIMARY KEY (account_id, bucket, minutes, at)) WITHOUT ROWID;
CREATE TABLE blocks (subject TEXT NOT NULL, model TEXT NOT NULL, reason TEXT NOT NULL,
 until INTEGER NOT NULL, source TEXT NOT NULL, since INTEGER NOT NULL, revision INTEGER NOT NULL,
 PRIMARY KEY (subject, model)) WITHOUT ROWID;
CREATE INDEX blocks_revision ON blocks (revision);
CREATE TABLE affinity (session TEXT PRIMARY KEY, account_id TEXT NOT NULL,
 at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX affinity_at ON affinity (at);
CREATE TABLE leases (name TEXT PRIMARY KEY, holder TEXT, taken_at INTEGER NOT NULL,
 ttl INTEGER NOT NULL, released_at INTEGER NOT NULL DEFAULT 0,
 pause INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE refreshes (account_id TEXT PRIMARY KEY, generation INTEGER NOT NULL, token_hash TEXT,
 at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE superseded (token_hash TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE events (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL,
 account_id TEXT, message TEXT NOT NULL);
`,
  `
DROP TABLE events;
CREATE TABLE token_use (day TEXT, account_id TEXT, model TEXT, answers INTEGER, input INTEGER,
 cached INTEGER, output INTEGER, reasoning INTEGER,
 PRIMARY KEY (day, account_id, model)) WITHOUT ROWID;
CREATE TABLE choices (id INTEGER PRIMARY KEY, account_id TEXT, explanation TEXT);
`,
  `
ALTER TABLE affinity ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
CREATE TABLE mints (hash TEXT PRIMARY KEY, account_id TEXT, at INTEGER) WITHOUT ROWID;
CREATE INDEX mints_at ON mints (at);
CREATE TABLE limit_tasks (account_id TEXT PRIMARY KEY, position INTEGER, source TEXT, state TEXT,
 queued_at INTEGER, started_at INTEGER, ended_at INTEGER, error TEXT, owner TEXT,
 worker TEXT) WITHOUT ROWID;
CREATE TABLE plan_extras (account_id TEXT PRIMARY KEY, at INTEGER, extras TEXT) WITHOUT ROWID;
CREATE TABLE models (account_id TEXT PRIMARY KEY, at INTEGER, etag TEXT,
 list TEXT) WITHOUT ROWID;
CREATE TABLE dismissed (identity TEXT PRIMARY KEY, at INTEGER) WITHOUT ROWID;
CREATE TABLE notified (key TEXT PRIMARY KEY, at INTEGER) WITHOUT ROWID;
`,
  `
DROP TABLE limit_tasks;
CREATE TABLE limit_tasks (account_id TEXT, source TEXT, position INTEGER, state TEXT,
 queued_at INTEGER, started_at INTEGER, ended_at INTEGER, error TEXT, owners TEXT, worker TEXT,
 PRIMARY KEY (account_id, source)) WITHOUT ROWID;
`,
];

/** The version of `state.db` that this program writes. */
export const STATE_VERSION = MIGRATIONS.length;

/**
 * Brings a database to {@linkcode STATE_VERSION}.
 *
 * @throws {Failure} when a newer program has written it.
 */
export function migrate(db: Database, path: string): void {
  if (stateVersion(db, path) === STATE_VERSION) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    // Asked again: another process may have been faster.
    for (let at = stateVersion(db, path); at < STATE_VERSION; at++) db.exec(MIGRATIONS[at] ?? "");
    db.exec(`PRAGMA user_version = ${STATE_VERSION}`);
    db.exec("COMMIT");
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}

function stateVersion(db: Database, path: string): number {
  const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (version > STATE_VERSION) {
    throw new Failure(
      `${path} was written by a newer opencode-multi-auth (its version is ${version}, this program knows ${STATE_VERSION}).`,
      "Update opencode-multi-auth.",
    );
  }
  return version;
}
