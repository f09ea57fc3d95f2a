import type { Account } from "../account/account.ts";
import type { Contents } from "./accounts_reading.ts";
import { FILE_VERSION } from "./accounts_format.ts";
import { olderFormats } from "./older.ts";
import type { OlderState } from "./older_formats.ts";

// Contents never change, and are asked again and again.
const lists = new WeakMap<Contents, readonly Account[]>();
const older = new WeakMap<Contents, OlderState>();

/** The accounts of a file, in the person's order. */
export function accountsIn(contents: Contents): readonly Account[] {
  if (contents.kind !== "open") return [];
  let list = lists.get(contents);
  if (!list) {
    list = contents.document.entries.flatMap(({ account }) => account ?? []);
    lists.set(contents, list);
  }
  return list;
}

/** What a file of an older format says beside the accounts; undefined for others. */
export function olderIn(contents: Contents, now: number): OlderState | undefined {
  if (contents.kind !== "open" || contents.document.version >= FILE_VERSION) return undefined;
  let state = older.get(contents);
  if (!state) {
    state = olderFormats().readOlderState(contents.document.top, contents.document.entries, now);
    older.set(contents, state);
  }
  return state;
}
