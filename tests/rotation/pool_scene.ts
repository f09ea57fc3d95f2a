import type { Account } from "../../src/account/account.ts";
import { type Settings, STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { accountSubject, type Block } from "../../src/quota/block.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../../src/quota/window.ts";
import { Pool } from "../../src/rotation/pool.ts";
import { MemoryStore, testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

export const HOUR = 3_600_000;
export const NOBODY: ReadonlyMap<string, string> = new Map();

export async function poolOf(accounts: Account[], settings: Partial<Settings> = {}) {
  const clock = new VirtualClock();
  const store = new MemoryStore(clock, accounts);
  const values = { ...STANDARD_SETTINGS, ...settings };
  const pool = new Pool({ store, clock, random: () => 0.5, settings: () => values });
  await pool.refresh();
  const serve = async (session?: string, more: { model?: string; parent?: string } = {}) =>
    (await pool.choose({ session, ...more }, NOBODY))?.account.alias;
  return { clock, store, pool, serve };
}

export function usageLimit(
  alias: string,
  since: number,
  until: number,
  fields: Partial<Block> = {},
): Block {
  return {
    subject: accountSubject(`id-${alias}`),
    model: "",
    reason: "usage limit",
    until,
    since,
    source: "body",
    ...fields,
  };
}

export function week(
  usedPercent: number,
  observedAt: number,
  resetsAt: number | null,
): QuotaWindow {
  return { bucket: PLAN_BUCKET, minutes: 10_080, usedPercent, observedAt, resetsAt };
}

export const three = () => ["a", "b", "c"].map((alias) => testAccount(alias));
