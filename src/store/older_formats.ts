/**
 * Versions 1 and 2 of `accounts.json`, as the projects before us wrote them:
 * accounts and everything that moves about them in one file.
 *
 * @module
 */
import * as v from "valibot";
import { STRATEGIES, type StrategyName } from "../platform/settings.ts";
import { accountSubject, type Block, workspaceSubject } from "../quota/block.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../quota/window.ts";
import type { Entry, JsonObject } from "./account_entry.ts";
import { given } from "./account_entry.ts";
import { blockKey, type State, withWindow } from "./state_cache.ts";
import type { StateDb } from "./state_db.ts";
import {
  addHistory,
  getMeta,
  nextRevision,
  raiseUses,
  saveBlock,
  savePin,
  saveWindow,
  setMeta,
} from "./state_write.ts";
import type { Pin } from "./store.ts";

/** What an older file says beside the accounts themselves. */
export interface OlderState {
  readonly figures: readonly OlderFigures[];
  readonly blocks: readonly Block[];
  readonly pin: Pin | null;
  readonly activeId: string | undefined;
  readonly settings: OlderSettings;
}

interface OlderFigures {
  readonly accountId: string;
  readonly uses: number;
  readonly lastUsedAt?: number;
  readonly windows: readonly QuotaWindow[];
  /** Oldest first. */
  readonly history: readonly QuotaWindow[];
}

/** Settings that version 2 kept beside the accounts, by our names. */
export interface OlderSettings {
  readonly strategy?: StrategyName;
  /** By alias. */
  readonly weights?: Readonly<Record<string, number>>;
}

/** The two windows that the older projects knew, with their lengths in minutes. */
const WINDOWS = [["fiveHour", 300], ["weekly", 10_080]] as const;

// Figures of the wrong type are no figures; none of them is worth an account.
const number = v.fallback(v.optional(v.pipe(v.number(), v.finite())), undefined);
const text = v.fallback(v.optional(v.string()), undefined);
const LimitSchema = v.fallback(
  v.optional(
    v.object({ limit: number, remaining: number, resetAt: number, updatedAt: number }),
  ),
  undefined,
);
const LimitsSchema = v.fallback(
  v.optional(v.object({ fiveHour: LimitSchema, weekly: LimitSchema })),
  undefined,
);
const PointSchema = v.fallback(
  v.optional(v.object({ at: number, fiveHour: LimitSchema, weekly: LimitSchema })),
  undefined,
);
const FiguresSchema = v.object({
  usageCount: number,
  lastUsed: number,
  rateLimits: LimitsSchema,
  rateLimitHistory: v.fallback(v.optional(v.array(PointSchema)), undefined),
  rateLimitedUntil: number,
  lastLimitErrorAt: number,
  modelUnsupportedUntil: number,
  modelUnsupportedAt: number,
  modelUnsupportedModel: text,
  workspaceDeactivatedUntil: number,
  workspaceDeactivatedAt: number,
});
const TopSchema = v.object({
  activeAlias: v.fallback(v.nullish(v.string()), undefined),
  forcedAlias: v.fallback(v.nullish(v.string()), undefined),
  forcedUntil: v.fallback(v.nullish(v.number()), undefined),
  rotationStrategy: text,
  settings: v.fallback(
    v.optional(v.object({
      rotationStrategy: text,
      accountWeights: v.fallback(
        v.optional(v.record(v.string(), v.pipe(v.number(), v.finite(), v.minValue(0)))),
        undefined,
      ),
    })),
    undefined,
  ),
});

/**
 * Reads what an older file says beside the accounts.
 *
 * @param top The file's content.
 * @param entries Its accounts.
 * @param now Epoch milliseconds; blocks and pins that have ended are left out.
 */
export function readOlderState(
  top: JsonObject,
  entries: readonly Entry[],
  now: number,
): OlderState {
  const { activeAlias, forcedAlias, forcedUntil, rotationStrategy, settings } = v.parse(
    TopSchema,
    top,
  );
  const idOf = (alias: string | null | undefined) =>
    entries.find((entry) => entry.account && entry.alias === alias)?.account?.id;
  const figures: OlderFigures[] = [];
  const blocks: Block[] = [];
  for (const { account, raw } of entries) {
    if (!account) continue;
    const older = v.parse(FiguresSchema, raw);
    figures.push({
      accountId: account.id,
      uses: Math.max(0, Math.floor(older.usageCount ?? 0)),
      ...given("lastUsedAt", older.lastUsed),
      windows: windowsOf(older.rateLimits, older.lastUsed ?? 0),
      history: (older.rateLimitHistory ?? [])
        .flatMap((point) => point?.at === undefined ? [] : windowsOf(point, point.at))
        .sort((a, b) => a.observedAt - b.observedAt),
    });
    const subject = accountSubject(account.id);
    // Where the older file has no time for the evidence, any that we see is newer.
    const guess = { model: "", source: "guess" } as const;
    if (older.rateLimitedUntil !== undefined) {
      blocks.push({
        ...guess,
        subject,
        reason: "usage limit",
        until: older.rateLimitedUntil,
        since: Math.min(older.lastUsed ?? older.lastLimitErrorAt ?? 0, now),
      });
    }
    if (older.modelUnsupportedUntil !== undefined && older.modelUnsupportedModel) {
      blocks.push({
        ...guess,
        subject,
        model: older.modelUnsupportedModel,
        reason: "model not supported",
        until: older.modelUnsupportedUntil,
        since: Math.min(older.modelUnsupportedAt ?? 0, now),
      });
    }
    if (older.workspaceDeactivatedUntil !== undefined) {
      blocks.push({
        ...guess,
        subject: account.identity ? workspaceSubject(account.identity.workspaceId) : subject,
        reason: "workspace deactivated",
        until: older.workspaceDeactivatedUntil,
        since: Math.min(older.workspaceDeactivatedAt ?? 0, now),
      });
    }
  }
  const pinnedId = idOf(forcedAlias);
  const pinned = pinnedId !== undefined && (forcedUntil ?? Infinity) > now;
  return {
    figures,
    blocks: blocks.filter((block) => block.until > now),
    pin: pinned ? { accountId: pinnedId, until: forcedUntil ?? null } : null,
    activeId: idOf(activeAlias),
    settings: {
      ...given("strategy", strategyOf(settings?.rotationStrategy ?? rotationStrategy)),
      ...given("weights", settings?.accountWeights),
    },
  };
}

function windowsOf(
  limits: v.InferOutput<typeof LimitsSchema>,
  observedAt: number,
): QuotaWindow[] {
  return WINDOWS.flatMap(([name, minutes]) => {
    const limit = limits?.[name];
    if (limit?.remaining === undefined) return [];
    const whole = limit.limit && limit.limit > 0 ? limit.limit : 100;
    const used = 100 - limit.remaining / whole * 100;
    return [{
      bucket: PLAN_BUCKET,
      minutes,
      usedPercent: Math.min(Math.max(used, 0), 100),
      resetsAt: limit.resetAt ?? null,
      observedAt: limit.updatedAt ?? observedAt,
    }];
  });
}

function strategyOf(name: string | undefined): StrategyName | undefined {
  const ours = name === "weighted-round-robin" ? "weighted" : name;
  return STRATEGIES.find((strategy) => strategy === ours);
}

/** What `state.db` and an older file say together. Right before and after {@linkcode importOlder}, and between. */
export function withOlder(state: State, older: OlderState): State {
  const figures = new Map(state.figures);
  for (const { accountId, uses, lastUsedAt, windows } of older.figures) {
    const known = figures.get(accountId) ?? { uses: 0, windows: [] };
    let merged = known.windows;
    for (const window of windows) {
      const same = merged.find(({ bucket, minutes }) =>
        bucket === window.bucket && minutes === window.minutes
      );
      if (!same || same.observedAt < window.observedAt) merged = withWindow(merged, window);
    }
    const usedAt = Math.max(known.lastUsedAt ?? 0, lastUsedAt ?? 0);
    figures.set(accountId, {
      uses: Math.max(known.uses, uses),
      ...(usedAt > 0 ? { lastUsedAt: usedAt } : {}),
      windows: merged,
    });
  }
  const blocks = new Map(state.blocks);
  for (const block of older.blocks) {
    const known = blocks.get(blockKey(block));
    if (!known || known.since < block.since) blocks.set(blockKey(block), block);
  }
  return {
    ...state,
    figures,
    blocks,
    pin: state.pin === undefined ? older.pin : state.pin,
    activeId: state.activeId ?? older.activeId,
  };
}

/**
 * Carries an older file's state over into `state.db`. Doing it twice changes
 * nothing, so that a crash before the file itself is rewritten does no harm.
 */
export function importOlder(db: StateDb, older: OlderState, now: number): void {
  const revision = nextRevision(db);
  for (const { accountId, uses, lastUsedAt, windows, history } of older.figures) {
    raiseUses(db, accountId, uses, lastUsedAt, revision);
    for (const point of history) addHistory(db, accountId, point);
    for (const window of windows) saveWindow(db, accountId, window, revision, now);
  }
  for (const block of older.blocks) saveBlock(db, block, revision, now);
  if (getMeta(db, "pin") === undefined) savePin(db, older.pin);
  if (getMeta(db, "active") === undefined && older.activeId !== undefined) {
    setMeta(db, "active", older.activeId);
  }
  if (getMeta(db, "older settings") === undefined) {
    setMeta(db, "older settings", JSON.stringify(older.settings));
  }
}

/** The settings that an older file brought into `state.db`, if one did. */
export function importedSettings(db: StateDb): OlderSettings | undefined {
  const text = getMeta(db, "older settings");
  return text === undefined ? undefined : JSON.parse(text) as OlderSettings;
}
