import type { QuotaWindow } from "../../src/quota/window.ts";
import type { LocalStore } from "../../src/store/local.ts";
import { readHistoriesOf } from "../../src/store/recent.ts";

/** How one account's windows went, oldest first. */
export async function readHistory(store: LocalStore, id: string): Promise<QuotaWindow[]> {
  return (await readHistoriesOf(store, [id])).get(id) ?? [];
}
