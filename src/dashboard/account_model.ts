import type { Account } from "../account/account.ts";
import type { LimitTask } from "../limits/limit_queue.ts";
import { accountSubject, NO_END, workspaceSubject } from "../quota/block.ts";
import { outlook } from "../quota/projection.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../quota/window.ts";
import type { BlockIndex } from "../rotation/eligibility.ts";
import type { PlanExtras } from "../store/plan_extras.ts";
import type { Snapshot } from "../store/store.ts";
import type { AccountModel, AccountState, TokenTask, WindowModel } from "./model.ts";

/** Points of a window's history that are shown, at most. */
const MAX_POINTS = 60;
const MINUTE_MS = 60_000;

/** What is known about an account beside itself. */
export interface Surroundings {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly snapshot: Snapshot;
  readonly index: BlockIndex;
  /** Of all its windows, oldest first. */
  readonly history: readonly QuotaWindow[];
  readonly marks: Pick<AccountModel, "onDevice" | "serving" | "pinned" | "recommended">;
  readonly sessions: number;
  readonly extras: PlanExtras | undefined;
  readonly limitTask: LimitTask | null;
  readonly tokenTask: TokenTask | null;
}

/** One account as the page shows it; no token goes in. */
export function accountModel(account: Account, around: Surroundings): AccountModel {
  const { now, snapshot, index } = around;
  const figures = snapshot.figures.get(account.id);
  const block = index.on(account, undefined, now);
  const { state, reason } = stateOf(account, block);
  const end = state === "blocked" ? block?.until ?? NO_END : NO_END;
  return {
    id: account.id,
    alias: account.alias,
    email: account.email ?? null,
    plan: account.plan ?? null,
    workspace: account.identity?.workspaceId ?? null,
    state,
    reason,
    blockedUntil: end === NO_END ? null : end,
    ...around.marks,
    uses: figures?.uses ?? 0,
    tokenExpiresAt: account.credentials.expiresAt,
    tokenExpired: account.credentials.expiresAt <= now,
    refreshedAt: account.refreshedAt ?? null,
    lastUsedAt: figures?.lastUsedAt ?? null,
    sessions: around.sessions,
    windows: (figures?.windows ?? []).map((window) => windowModel(window, around))
      .sort((a, b) =>
        rank(a) - rank(b) ||
        (a.bucket < b.bucket ? -1 : a.bucket > b.bucket ? 1 : a.minutes - b.minutes)
      ),
    resetCredits: around.extras?.resetCredits ?? null,
    tags: account.tags,
    notes: account.notes,
    blockedModels: blockedModels(account, snapshot, now),
    limitTask: around.limitTask,
    tokenTask: around.tokenTask,
  };
}

/** What an account is doing: the person's word first, then what needs the person, then what passes. */
function stateOf(
  { enabled, disabled, setAside }: Account,
  block: { readonly reason: string } | undefined,
): { state: AccountState; reason: string | null } {
  if (!enabled) return { state: "disabled", reason: disabled?.reason ?? null };
  if (setAside) {
    const login = setAside.reason.startsWith("needs login");
    return { state: login ? "needs login" : "set aside", reason: setAside.reason };
  }
  return block ? { state: "blocked", reason: block.reason } : { state: "available", reason: null };
}

function blockedModels(
  account: Account,
  { blocks }: Snapshot,
  now: number,
): AccountModel["blockedModels"] {
  const subjects = [accountSubject(account.id)];
  if (account.identity) subjects.push(workspaceSubject(account.identity.workspaceId));
  return blocks
    .filter(({ subject, model, until }) =>
      model !== "" && until > now && subjects.includes(subject)
    )
    .map(({ model, reason, until }) => ({ model, reason, until: until === NO_END ? null : until }));
}

/** The plan's own windows come first. */
function rank({ bucket }: WindowModel): number {
  return bucket === PLAN_BUCKET ? 0 : 1;
}

function windowModel(window: QuotaWindow, { history, extras, now }: Surroundings): WindowModel {
  const { bucket, minutes, usedPercent, resetsAt, observedAt } = window;
  const own = history.filter((point) => point.bucket === bucket && point.minutes === minutes);
  // Once its reset has passed the figure is of a window that is over; the next one begins with its first use.
  const over = resetsAt !== null && resetsAt <= now;
  const going = resetsAt !== null && !over;
  return {
    bucket,
    name: extras?.bucketNames?.[bucket] ?? null,
    minutes,
    usedPercent: over ? 0 : usedPercent,
    resetsAt,
    observedAt,
    elapsedPercent: going ? elapsed(resetsAt, minutes, now) : null,
    history: own.slice(-MAX_POINTS).map((point) => ({
      at: point.observedAt,
      usedPercent: point.usedPercent,
    })),
    ...over ? { trendPerHour: null, projection: null } : outlook(window, own, now),
  };
}

function elapsed(resetsAt: number, minutes: number, now: number): number {
  const gone = 1 - (resetsAt - now) / (minutes * MINUTE_MS);
  return Math.round(100 * Math.min(1, Math.max(0, gone)));
}
