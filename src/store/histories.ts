import type { QuotaWindow } from "../quota/window.ts";
import type { LocalStore } from "./local.ts";
import { numberIn, numberOrNull, textIn } from "./state_db.ts";

/** How the windows of all accounts went, by account id, oldest first; up to 160 points for each window. */
export async function readHistories(store: LocalStore): Promise<Map<string, QuotaWindow[]>> {
  const histories = new Map<string, QuotaWindow[]>();
  const rows = await store.files.readState(
    (db) => db.prepare("SELECT * FROM window_history ORDER BY account_id, at").all(),
    [],
  );
  for (const row of rows) {
    const id = textIn(row, "account_id");
    const points = histories.get(id) ?? [];
    points.push({
      bucket: textIn(row, "bucket"),
      minutes: numberIn(row, "minutes"),
      usedPercent: numberIn(row, "used_percent"),
      resetsAt: numberOrNull(row, "resets_at"),
      observedAt: numberIn(row, "at"),
    });
    histories.set(id, points);
  }
  return histories;
}
