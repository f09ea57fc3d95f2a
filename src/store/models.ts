/**
 * The backend's model lists as `state.db` remembers them: functions of their
 * own beside the store.
 *
 * @module
 */
import type { LocalStore } from "./local.ts";
import { numberIn, textIn } from "./state_db.ts";

/** One model as the backend lists it for an account. */
export interface ListedModel {
  /** The backend's name for it. */
  readonly slug: string;
  /** The name for people. */
  readonly name: string;
  /** Whether the backend offers it to people; others exist for programs. */
  readonly hidden: boolean;
  /** The backend's order: its own favourite has the lowest number. */
  readonly priority: number;
  /** Tokens that may be sent; 0 when it is not said. */
  readonly context: number;
  /** Reasoning efforts, weakest first; empty when none are named. */
  readonly efforts: readonly string[];
  /** Kinds of input: `text`, `image`, … */
  readonly inputs: readonly string[];
}

/** An account's models as they were last listed. */
export interface ModelList {
  /** When the backend last said so, epoch milliseconds. */
  readonly at: number;
  /** Sent back so that an unchanged list need not come again; empty for none. */
  readonly etag: string;
  readonly models: readonly ListedModel[];
}

/** The lists of all accounts that have one, by account id. */
export function readModelLists(store: LocalStore): Promise<ReadonlyMap<string, ModelList>> {
  // Most accounts have the same list: it is parsed once, and they share it.
  const parsed = new Map<string, readonly ListedModel[]>();
  const modelsIn = (list: string): readonly ListedModel[] => {
    if (!parsed.has(list)) parsed.set(list, JSON.parse(list));
    return parsed.get(list) ?? [];
  };
  return store.files.readState(
    (db) =>
      new Map(
        db.prepare("SELECT * FROM models").all().map((row) => [textIn(row, "account_id"), {
          at: numberIn(row, "at"),
          etag: textIn(row, "etag"),
          models: modelsIn(textIn(row, "list")),
        }]),
      ),
    new Map(),
  );
}

/** Saves an account's list, unless the account is gone. */
export function saveModelList(
  store: LocalStore,
  accountId: string,
  { at, etag, models }: ModelList,
): Promise<void> {
  return store.files.writeState((db) => {
    if (!store.files.account(accountId)) return;
    db.prepare("INSERT OR REPLACE INTO models VALUES (?, ?, ?, ?)")
      .run(accountId, at, etag, JSON.stringify(models));
  }, false);
}
