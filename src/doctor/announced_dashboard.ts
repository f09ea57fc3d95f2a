import { join } from "node:path";
import { readTextIfExists } from "../platform/files.ts";
import { asNumber, asObject } from "../platform/json.ts";
import type { Paths } from "../platform/paths.ts";
import { isAlive } from "../store/accounts_copies.ts";

/** Whether a dashboard of this person has said that it serves a port, and lives. */
export function announced({ folder }: Paths, port: number): boolean {
  try {
    const text = readTextIfExists(join(folder, `dashboard-${port}.json`)) ?? "";
    const pid = asNumber(asObject(JSON.parse(text))?.["pid"]);
    return pid !== undefined && isAlive(pid);
  } catch {
    return false;
  }
}
