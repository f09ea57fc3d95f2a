import assert from "node:assert/strict";
import type { Stage } from "./stage.ts";

/** A refusal says nothing of an account, sets no cookie, and has every header. Gives its text. */
export async function refused(response: Response, ...statuses: number[]): Promise<string> {
  const text = await response.text();
  assert.ok(statuses.includes(response.status), `${response.status}: ${text.slice(0, 200)}`);
  assert.ok(response.status >= 400 && response.status < 500);
  assert.doesNotMatch(text, /personal|"work"|id-work|example\.test|csrf|data-account/);
  assert.equal(response.headers.get("set-cookie"), null);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  return text;
}

/** A harmless write. */
export const DISABLE = "/accounts/id-work/disable";

/** Whether {@linkcode DISABLE} goes through; takes it back. */
export async function writes(stage: Stage, send: () => Promise<Response>): Promise<boolean> {
  const response = await send();
  await response.body?.cancel();
  const { accounts } = await stage.store.load();
  const changed = accounts.find(({ id }) => id === "id-work")?.enabled === false;
  if (changed) await stage.store.edit("id-work", (account) => ({ ...account, enabled: true }));
  return changed;
}
