import type { QuotaWindow } from "../quota/window.ts";
import { MAX_MINTS } from "./mints.ts";
import { withWindow } from "./state_cache.ts";
import { MAX_SESSIONS } from "./state_write.ts";
import type { AccountFigures, Affinity, Explanation, Observation } from "./store.ts";

/** What of one account waits to be saved. */
export interface PendingFigures {
  uses: number;
  usedAt: number | undefined;
  windows: QuotaWindow[];
  tokens: PendingTokens;
}

/** By local day, as `2026-11-24`, and model right behind it: answers, and their input, cached, output and reasoning tokens. */
export type PendingTokens = Map<string, readonly number[]>;

/** Choices that wait at most, while the disk refuses them; the oldest go first. */
const MAX_PENDING_CHOICES = 1_000;

/** What waits to be saved. */
export class Pending {
  figures = new Map<string, PendingFigures>();
  affinity = new Map<string, Affinity>();
  turn: { activeId?: string; turnId?: string } = {};
  choices: Explanation[] = [];
  /** Hash of a reasoning item -> who minted it. */
  mints = new Map<string, string>();
  /** Counted down by saves; see `savePending`. */
  sessionsUntilPrune = 0;

  get empty(): boolean {
    return this.figures.size === 0 && this.affinity.size === 0 && this.choices.length === 0 &&
      this.mints.size === 0 &&
      this.turn.activeId === undefined && this.turn.turnId === undefined;
  }

  clear(): void {
    this.figures = new Map();
    this.affinity = new Map();
    this.turn = {};
    this.choices = [];
    this.mints = new Map();
  }

  observe({ accountId, uses = 0, usedAt, windows = [], tokens }: Observation): void {
    let figures = this.figures.get(accountId);
    if (!figures) {
      figures = { uses: 0, usedAt: undefined, windows: [], tokens: new Map() };
      this.figures.set(accountId, figures);
    }
    if (tokens) {
      const { day, model, input, cached, output, reasoning } = tokens;
      const sums = figures.tokens.get(day + model);
      figures.tokens.set(
        day + model,
        [1, input, cached, output, reasoning].map((value, at) => value + (sums?.[at] ?? 0)),
      );
    }
    figures.uses += uses;
    if (usedAt !== undefined) figures.usedAt = Math.max(usedAt, figures.usedAt ?? usedAt);
    for (const window of windows) {
      const known = figures.windows.find((one) =>
        one.bucket === window.bucket && one.minutes === window.minutes
      );
      if (known && known.observedAt > window.observedAt) continue;
      figures.windows = withWindow(figures.windows, window);
    }
  }

  setAffinity(affinity: Affinity): void {
    const moved = affinity.moved || this.affinity.get(affinity.session)?.moved;
    this.affinity.delete(affinity.session);
    this.affinity.set(affinity.session, moved ? { ...affinity, moved } : affinity);
    if (this.affinity.size > MAX_SESSIONS) forgetOldest(this.affinity);
  }

  setMint(hash: string, accountId: string): void {
    this.mints.delete(hash);
    this.mints.set(hash, accountId);
    if (this.mints.size > MAX_MINTS) forgetOldest(this.mints);
  }

  explain(explanation: Explanation): void {
    this.choices.push(explanation);
    if (this.choices.length > MAX_PENDING_CHOICES) this.choices.shift();
  }

  forget(accountId: string): void {
    this.figures.delete(accountId);
    this.choices = this.choices.filter((choice) => choice.accountId !== accountId);
    for (const [session, affinity] of this.affinity) {
      if (affinity.accountId === accountId) this.affinity.delete(session);
    }
    for (const [hash, minter] of this.mints) {
      if (minter === accountId) this.mints.set(hash, "");
    }
    if (this.turn.activeId === accountId) delete this.turn.activeId;
    if (this.turn.turnId === accountId) delete this.turn.turnId;
  }

  /** Saved figures with what waits on top, so that a process sees what it did itself. */
  over(saved: ReadonlyMap<string, AccountFigures>): ReadonlyMap<string, AccountFigures> {
    if (this.figures.size === 0) return saved;
    const all = new Map(saved);
    for (const [id, { uses, usedAt, windows }] of this.figures) {
      const known = all.get(id) ?? { uses: 0, windows: [] };
      const lastUsedAt = Math.max(known.lastUsedAt ?? 0, usedAt ?? 0);
      let merged = known.windows;
      for (const window of windows) {
        const same = merged.find((one) =>
          one.bucket === window.bucket && one.minutes === window.minutes
        );
        if (!same || same.observedAt <= window.observedAt) merged = withWindow(merged, window);
      }
      all.set(id, {
        uses: known.uses + uses,
        ...(lastUsedAt > 0 ? { lastUsedAt } : {}),
        windows: merged,
      });
    }
    return all;
  }
}

function forgetOldest(kept: Map<string, unknown>): void {
  const oldest = kept.keys().next();
  if (!oldest.done) kept.delete(oldest.value);
}
