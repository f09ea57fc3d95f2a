import type { QuotaWindow } from "../quota/window.ts";
import type { LocalStore } from "../store/local.ts";
import type { PlanExtras } from "../store/plan_extras.ts";

/** What is known of accounts beside their newest figures, by account id. */
export interface Past {
  readonly histories: ReadonlyMap<string, readonly QuotaWindow[]>;
  readonly extras: ReadonlyMap<string, PlanExtras>;
}

/** Nothing known. */
export const NO_PAST: Past = { histories: new Map(), extras: new Map() };

/** Reads it; a `state.db` that cannot be had is said elsewhere, and the accounts are shown all the same. */
export async function readPast(store: LocalStore, now: number): Promise<Past> {
  const { readHistories } = await import("../store/histories.ts");
  const { readPlanExtras } = await import("../store/plan_extras.ts");
  try {
    return { histories: await readHistories(store, now), extras: await readPlanExtras(store) };
  } catch {
    return NO_PAST;
  }
}
