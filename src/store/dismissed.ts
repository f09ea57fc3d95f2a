/**
 * Accounts that the person has removed. What still holds their tokens, such as the Codex CLI's
 * `auth.json`, does not bring them back by itself. Kept as hashes: who was removed is nobody's
 * business afterwards. Every function runs inside a transaction of its caller.
 *
 * @module
 */
import type { Account } from "../account/account.ts";
import { builtin } from "../platform/runtime.ts";
import type { StateDb } from "./state_db.ts";

/** Notes that the person removed this account. */
export function dismiss(db: StateDb, account: Account, now: number): void {
  for (const key of ownKeys(account)) {
    db.prepare("INSERT OR REPLACE INTO dismissed VALUES (?, ?)").run(hash(key), now);
  }
}

/** Takes the note back: the person has added the account again. */
export function readmit(db: StateDb, account: Account): void {
  for (const key of [...ownKeys(account), ...matchingKeys(account)]) {
    db.prepare("DELETE FROM dismissed WHERE identity = ?").run(hash(key));
  }
}

/** Whether the person removed this account and has not added it since. */
export function isDismissed(db: StateDb, account: Account): boolean {
  return matchingKeys(account).some((key) =>
    db.prepare("SELECT 1 FROM dismissed WHERE identity = ?").get(hash(key)) !== undefined
  );
}

/** What an account is known by after its removal. */
function ownKeys(account: Account): string[] {
  const { named, mail, bare } = parts(account);
  if (named.length > 0) return [...named, ...mail.map((key) => `named ${key}`)];
  return mail.length > 0 ? mail : bare;
}

/**
 * What a removed account may be known by for this one to be the same: the member; where one of the
 * two does not name a member, the email within the workspace; where there is neither, the workspace;
 * and where not even that is known, the very token.
 */
function matchingKeys(account: Account): string[] {
  const { named, mail, bare } = parts(account);
  if (named.length > 0) return [...named, ...mail];
  return mail.length > 0 ? [...mail, ...mail.map((key) => `named ${key}`)] : bare;
}

function parts(
  { identity, email, credentials }: Account,
): { named: string[]; mail: string[]; bare: string[] } {
  if (!identity) return { named: [], mail: [], bare: [`token ${credentials.refreshToken}`] };
  const { workspaceId, memberId, userId } = identity;
  return {
    named: [
      ...(memberId === undefined ? [] : [`member ${workspaceId} ${memberId}`]),
      ...(userId === undefined ? [] : [`user ${workspaceId} ${userId}`]),
    ],
    mail: email === undefined ? [] : [`mail ${workspaceId} ${email}`],
    bare: [`workspace ${workspaceId}`],
  };
}

function hash(key: string): string {
  return builtin("node:crypto").createHash("sha256").update(key).digest("hex");
}
