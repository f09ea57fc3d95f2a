/**
 * What `state.db` knows about refresh tokens that may be consumed. Tokens
 * themselves are never in it, only their SHA-256. Every function runs inside a
 * transaction of its caller.
 *
 * @module
 */
import { builtin } from "../platform/runtime.ts";
import type { Account } from "../account/account.ts";
import { numberIn, type StateDb } from "./state_db.ts";

/** Replaced tokens remembered: enough for 1,000 accounts renewed every week for a month. */
const MAX_SUPERSEDED = 5_000;

/** Notes that a refresh is about to be sent. */
export function beginRefresh(
  db: StateDb,
  accountId: string,
  generation: number,
  account: Account | undefined,
  now: number,
): void {
  db.prepare("INSERT OR REPLACE INTO refreshes VALUES (?, ?, ?, ?)").run(
    accountId,
    generation,
    account?.generation === generation ? hash(account.credentials.refreshToken) : null,
    now,
  );
}

/** Takes the note back, and the mark on a replaced token if the account has one again. */
export function endRefresh(db: StateDb, accountId: string, account: Account | undefined): void {
  db.prepare("DELETE FROM refreshes WHERE account_id = ?").run(accountId);
  if (account) {
    db.prepare("DELETE FROM superseded WHERE token_hash = ?")
      .run(hash(account.credentials.refreshToken));
  }
}

/**
 * The generation whose refresh token may be consumed: a refresh of it was
 * begun and never ended, or the account has a token again that was replaced
 * before, as after the restore of an old backup.
 */
export function openRefresh(
  db: StateDb,
  accountId: string,
  account: Account | undefined,
): number | undefined {
  const token = account && hash(account.credentials.refreshToken);
  const row = db.prepare("SELECT generation, token_hash FROM refreshes WHERE account_id = ?")
    .get(accountId);
  if (row) {
    const noted = row["token_hash"];
    // Another token than the noted one is a new token, whoever put it there.
    if (typeof noted !== "string" || token === undefined || noted === token) {
      return numberIn(row, "generation");
    }
  }
  return refreshRefused(db, account) ? account?.generation : undefined;
}

/** Whether the token was replaced before, or refused by the issuer. */
export function refreshRefused(db: StateDb, account: Account | undefined): boolean {
  if (!account) return false;
  const token = hash(account.credentials.refreshToken);
  return db.prepare("SELECT 1 FROM superseded WHERE token_hash = ?").get(token) !== undefined;
}

/** Notes that the issuer takes this account's token never again. That is no refresh in doubt any more. */
export function refuseRefresh(db: StateDb, account: Account, now: number): void {
  db.prepare("DELETE FROM refreshes WHERE account_id = ? AND generation <= ?")
    .run(account.id, account.generation);
  remember(db, account.credentials.refreshToken, now);
}

/** Notes that new credentials have taken the place of others. */
export function supersede(db: StateDb, before: Account, after: Account, now: number): void {
  db.prepare("DELETE FROM refreshes WHERE account_id = ? AND generation <= ?")
    .run(before.id, before.generation);
  if (before.credentials.refreshToken === after.credentials.refreshToken) return;
  remember(db, before.credentials.refreshToken, now);
}

/** Remembers a token that is never to be sent again. */
function remember(db: StateDb, token: string, now: number): void {
  db.prepare("INSERT OR REPLACE INTO superseded VALUES (?, ?)").run(hash(token), now);
  db.prepare(
    `DELETE FROM superseded WHERE token_hash IN (
       SELECT token_hash FROM superseded ORDER BY at DESC LIMIT -1 OFFSET ?)`,
  ).run(MAX_SUPERSEDED);
}

function hash(token: string): string {
  return builtin("node:crypto").createHash("sha256").update(token).digest("hex");
}
