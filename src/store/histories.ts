import type { QuotaWindow } from "../quota/window.ts";
import type { LocalStore } from "./local.ts";
import { numberIn, textIn } from "./state_db.ts";

/**
 * How the windows of all accounts went, by account id; of each window up to 160 points, oldest first.
 *
 * SQLite puts the points of a window into one text: handing out thousands of rows takes ten times as long.
 *
 * @param now Epoch milliseconds; points that lie further back than their window is long are left out.
 */
export async function readHistories(
  store: LocalStore,
  now?: number,
): Promise<Map<string, QuotaWindow[]>> {
  const histories = new Map<string, QuotaWindow[]>();
  const rows = await store.files.readState(
    (db) =>
      db.prepare(
        `SELECT account_id, bucket, minutes,
           json_group_array(json_array(at, used_percent, resets_at)) AS points
         FROM window_history WHERE at >= ? * (? - minutes * 60000)
         GROUP BY account_id, bucket, minutes`,
      ).all(now === undefined ? 0 : 1, now ?? 0),
    [],
  );
  for (const row of rows) {
    const id = textIn(row, "account_id");
    const points = JSON.parse(textIn(row, "points")) as [number, number, number | null][];
    const window = { bucket: textIn(row, "bucket"), minutes: numberIn(row, "minutes") };
    const history = histories.get(id) ?? [];
    histories.set(id, history);
    points.sort(([a], [b]) => a - b);
    for (const [observedAt, usedPercent, resetsAt] of points) {
      history.push({ ...window, usedPercent, resetsAt, observedAt });
    }
  }
  return histories;
}
