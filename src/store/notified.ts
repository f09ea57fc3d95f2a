/**
 * What a person has been told, over all processes of the machine.
 *
 * @module
 */
import type { LocalStore } from "./local.ts";
import { numberIn } from "./state_db.ts";
import type { Store } from "./store.ts";

/** The store if it is one of this machine, which can tell what was told. */
export function localStore(store: Store | undefined): LocalStore | undefined {
  return store && "files" in store ? store as LocalStore : undefined;
}

/**
 * Whether the caller is the one to tell something: true for the first of all processes, until `end`.
 *
 * @param key What it is about.
 * @param end Until when it counts as told, epoch milliseconds: the end of the window or the block.
 * @param slackMs An end that is further than this from the one told stands for something new.
 * @param now Epoch milliseconds.
 */
export function claimNotice(
  store: LocalStore,
  key: string,
  end: number,
  slackMs: number,
  now: number,
): Promise<boolean> {
  return store.files.writeState((db) => {
    db.prepare("DELETE FROM notified WHERE at <= ?").run(now);
    const told = db.prepare("SELECT at FROM notified WHERE key = ?").get(key);
    if (told && Math.abs(numberIn(told, "at") - end) <= slackMs) return false;
    db.prepare("INSERT OR REPLACE INTO notified VALUES (?, ?)").run(key, Math.round(end));
    return end > now;
  }, false);
}
