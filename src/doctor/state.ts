import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../platform/failure.ts";
import { loadSqlite } from "../store/sqlite.ts";
import { isDamaged } from "../store/state_failure.ts";
import { copyDatabase } from "./look_only.ts";
import type { Surroundings } from "./surroundings.ts";

/** A copy may have been taken while somebody wrote: only what shows twice is damage. */
const TRIES = 2;

/** What is damaged in `state.db`, in SQLite's words; undefined when it is whole. */
export async function stateDamage(surroundings: Surroundings): Promise<string | undefined> {
  const { paths, files, temporary } = surroundings;
  const open = await loadSqlite();
  let damage: string | undefined;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const copy = mkdtempSync(join(temporary, "opencode-multi-auth-doctor-"));
    try {
      const path = join(copy, "state.db");
      copyDatabase(paths.state, path, files);
      damage = damageOf(open, path);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
    if (damage === undefined) return undefined;
  }
  return damage;
}

function damageOf(open: Awaited<ReturnType<typeof loadSqlite>>, path: string): string | undefined {
  let db: ReturnType<typeof open> | undefined;
  try {
    db = open(path);
    const said = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    return said === "ok" ? undefined : String(said);
  } catch (error) {
    if (isDamaged(error)) return messageOf(error);
    throw error;
  } finally {
    try {
      db?.close();
    } catch {
      // It never was really open.
    }
  }
}
