/**
 * Versions 1 and 2 of `accounts.json`, as the projects before us wrote them:
 * accounts and everything that moves about them in one file.
 *
 * @module
 */
import { asList, asNumber, asObject, asText, given, type JsonObject } from "../platform/json.ts";
import { STRATEGIES, type StrategyName } from "../platform/settings.ts";
import { accountSubject, type Block, type BlockReason, workspaceSubject } from "../quota/block.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../quota/window.ts";
import type { Entry } from "./account_entry.ts";
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
  const idOf = (alias: unknown) =>
    entries.find((entry) => entry.account && entry.alias === alias)?.account?.id;
  const figures: OlderFigures[] = [];
  const blocks: Block[] = [];
  for (const { account, raw } of entries) {
    const older = asObject(raw);
    if (!account || !older) continue;
    // A figure of the wrong type is none; no figure is worth an account.
    const number = (name: string) => asNumber(older[name]);
    const lastUsed = number("lastUsed");
    figures.push({
      accountId: account.id,
      uses: Math.max(0, Math.floor(number("usageCount") ?? 0)),
      ...given("lastUsedAt", lastUsed),
      windows: windowsOf(older["rateLimits"], lastUsed ?? 0),
      history: asList(older["rateLimitHistory"])
        .flatMap((point) => {
          const at = asNumber(asObject(point)?.["at"]);
          return at === undefined ? [] : windowsOf(point, at);
        })
        .sort((a, b) => a.observedAt - b.observedAt),
    });
    const subject = accountSubject(account.id);
    /** Where the older file has no time for the evidence, any that we see is newer. */
    const block = (
      reason: BlockReason,
      until: number | undefined,
      since: number | undefined,
      scope: { readonly subject?: string; readonly model?: string } = {},
    ) => {
      if (until === undefined || until <= now) return;
      const evidenceAt = Math.min(since ?? 0, now);
      blocks.push({
        subject,
        model: "",
        reason,
        until,
        source: "guess",
        since: evidenceAt,
        ...scope,
      });
    };
    block("usage limit", number("rateLimitedUntil"), lastUsed ?? number("lastLimitErrorAt"));
    const model = asText(older["modelUnsupportedModel"]);
    if (model) {
      block(
        "model not supported",
        number("modelUnsupportedUntil"),
        number("modelUnsupportedAt"),
        { model },
      );
    }
    block(
      "workspace deactivated",
      number("workspaceDeactivatedUntil"),
      number("workspaceDeactivatedAt"),
      account.identity ? { subject: workspaceSubject(account.identity.workspaceId) } : {},
    );
  }
  const pinnedId = idOf(top["forcedAlias"]);
  const pinnedUntil = asNumber(top["forcedUntil"]) ?? null;
  const pinned = pinnedId !== undefined && (pinnedUntil ?? Infinity) > now;
  const settings = asObject(top["settings"]);
  return {
    figures,
    blocks,
    pin: pinned ? { accountId: pinnedId, until: pinnedUntil } : null,
    activeId: idOf(top["activeAlias"]),
    settings: {
      ...given(
        "strategy",
        strategyOf(asText(settings?.["rotationStrategy"]) ?? asText(top["rotationStrategy"])),
      ),
      ...given("weights", weightsOf(settings?.["accountWeights"])),
    },
  };
}

function weightsOf(value: unknown): Readonly<Record<string, number>> | undefined {
  const weights = asObject(value);
  const whole = weights && Object.values(weights).every((weight) => (asNumber(weight) ?? -1) >= 0);
  return whole ? weights as Readonly<Record<string, number>> : undefined;
}

function windowsOf(limits: unknown, observedAt: number): QuotaWindow[] {
  return WINDOWS.flatMap(([name, minutes]) => {
    const limit = asObject(asObject(limits)?.[name]);
    const remaining = asNumber(limit?.["remaining"]);
    if (!limit || remaining === undefined) return [];
    const whole = asNumber(limit["limit"]) ?? 0;
    const used = 100 - remaining / (whole > 0 ? whole : 100) * 100;
    return [{
      bucket: PLAN_BUCKET,
      minutes,
      usedPercent: Math.min(Math.max(used, 0), 100),
      resetsAt: asNumber(limit["resetAt"]) ?? null,
      observedAt: asNumber(limit["updatedAt"]) ?? observedAt,
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
