import { PLAN_BUCKET } from "../quota/window.ts";
import { type BlockIndex, hindrance } from "../rotation/eligibility.ts";
import { type Pick, strategies } from "../rotation/strategy.ts";
import type { Snapshot } from "../store/store.ts";
import type { AccountModel, DashboardModel } from "./model.ts";

/** Percent left below which an account is not recommended while another has more. */
const SPARED_PERCENT = 10;

/**
 * The account that a person does best to use now: the one whose quota would otherwise expire soonest,
 * by the strategy `quota`.
 */
export function recommend(snapshot: Snapshot, index: BlockIndex, now: number): Pick | undefined {
  return strategies.quota({
    accounts: snapshot.accounts,
    eligible: (account) => hindrance(account, index, undefined, now) === undefined,
    turn: -1,
    uses: ({ id }) => snapshot.figures.get(id)?.uses ?? 0,
    windows: ({ id }) => snapshot.figures.get(id)?.windows ?? [],
    weight: () => 1,
    softThreshold: SPARED_PERCENT,
    now,
    random: () => 0,
  });
}

/** What is left over all of these accounts together, in each of the plan's windows, shortest first. */
export function poolLeft(available: readonly AccountModel[]): DashboardModel["pool"]["left"] {
  const plan = available.flatMap(({ windows }) =>
    windows.filter(({ bucket }) => bucket === PLAN_BUCKET)
  );
  return [...Map.groupBy(plan, ({ minutes }) => minutes)]
    .map(([minutes, windows]) => ({
      minutes,
      percent: Math.round(
        windows.reduce((sum, { usedPercent }) => sum + 100 - usedPercent, 0) / windows.length,
      ),
    }))
    .sort((a, b) => a.minutes - b.minutes);
}

/** The blocked account that comes back first; null when none does. */
export function nextBack(
  accounts: readonly AccountModel[],
  now: number,
): DashboardModel["pool"]["nextBack"] {
  let first: { alias: string; at: number } | null = null;
  for (const { state, alias, blockedUntil: at } of accounts) {
    if (state !== "blocked" || at === null || at <= now) continue;
    if (!first || at < first.at) first = { alias, at };
  }
  return first;
}
