import assert from "node:assert/strict";
import { Failure } from "../../src/platform/failure.ts";
import type { Store } from "../../src/store/store.ts";
import { type StoreFolder, testAccount, testCredentials } from "./store_folder.ts";

/** A failure for a person: one line that names the file and what to do. */
export function isClear(path: string, fix: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Failure, String(error));
    assert.ok(error.message.includes(path), error.message);
    assert.ok(!error.message.includes("\n"), error.message);
    assert.match(error.fix ?? "", fix);
    return true;
  };
}

/** Every way to write, each of which must be refused. */
export function writes(store: Store): (() => Promise<unknown>)[] {
  return [
    () => store.add(testAccount("new")),
    () => store.remove("id-a"),
    () => store.edit("id-a", (account) => ({ ...account, notes: "n" })),
    () => store.swapCredentials("id-a", 1, testCredentials("a", 2)),
  ];
}

export async function withTwoAccounts(folder: StoreFolder): Promise<void> {
  const store = await folder.open();
  await store.add(testAccount("a"));
  await store.add(testAccount("b"));
  await store.close();
}
