import type { Block, BlockEndSource, BlockReason } from "../quota/block.ts";
import type { QuotaWindow } from "../quota/window.ts";
import type { Row } from "./sqlite.ts";
import { numberIn, numberOrNull, type StateDb, textIn } from "./state_db.ts";
import type { AccountFigures, Pin } from "./store.ts";

/** What `state.db` says; each map is replaced, never changed, so a snapshot may hold on to it. */
export interface State {
  readonly figures: ReadonlyMap<string, AccountFigures>;
  /** By subject and model; ended and lifted ones (`until` 0) are among them. */
  readonly blocks: ReadonlyMap<string, Block>;
  /** Undefined when nobody has ever set or lifted a pin here. */
  readonly pin: Pin | null | undefined;
  readonly activeId: string | undefined;
  readonly turnId: string | undefined;
  /** Counts our saves of `accounts.json`. */
  readonly accountsSaves: number;
}

/** Nothing known yet. */
export const EMPTY_STATE: State = {
  figures: new Map(),
  blocks: new Map(),
  pin: undefined,
  activeId: undefined,
  turnId: undefined,
  accountsSaves: 0,
};

/** The key of a block in {@linkcode State}. */
export function blockKey(scope: { readonly subject: string; readonly model: string }): string {
  return `${scope.subject}\n${scope.model}`;
}

/** What one process knows of `state.db`. Reads only what has changed since it looked last. */
export class StateCache {
  #state = EMPTY_STATE;
  #revision = -1;
  #dataVersion = -1;

  constructor(private readonly db: StateDb) {}

  /** Whether another process has changed what a snapshot shows. A few microseconds. */
  changed(): boolean {
    const dataVersion = this.db.dataVersion();
    if (dataVersion === this.#dataVersion) return false;
    if (revisionOf(this.db) !== this.#revision) return true;
    // A lease or a session's affinity: no snapshot shows those.
    this.#dataVersion = dataVersion;
    return false;
  }

  /** Brings it up to date. */
  read(): State {
    // Asked first: what is committed while we read must count as new afterwards.
    const dataVersion = this.db.dataVersion();
    this.db.reading(() => {
      const revision = revisionOf(this.db);
      if (revision === this.#revision) return;
      const whole = this.#revision > revision ||
        counter(this.db, "full_since") > this.#revision;
      if (whole) this.#state = EMPTY_STATE;
      this.#take(whole ? -1 : this.#revision);
      this.#revision = revision;
    });
    this.#dataVersion = dataVersion;
    return this.#state;
  }

  #take(since: number): void {
    const select = (table: string) =>
      this.db.prepare(`SELECT * FROM ${table} WHERE revision > ?`).all(since);
    const meta = new Map(
      this.db.prepare("SELECT name, value FROM meta WHERE name IN ('pin', 'active', 'turn')").all()
        .map((row) => [textIn(row, "name"), textIn(row, "value")]),
    );
    const pin = meta.get("pin");
    this.#state = {
      figures: withFigures(this.#state.figures, select("figures"), select("windows")),
      blocks: withBlocks(this.#state.blocks, select("blocks")),
      pin: pin === undefined ? undefined : JSON.parse(pin) as Pin | null,
      activeId: meta.get("active"),
      turnId: meta.get("turn"),
      accountsSaves: accountsSaves(this.db),
    };
  }
}

function counter(db: StateDb, name: string): number {
  return numberIn(db.prepare("SELECT value FROM counter WHERE name = ?").get(name), "value");
}

function revisionOf(db: StateDb): number {
  return counter(db, "revision");
}

/** How often `accounts.json` was saved, by any process. */
export function accountsSaves(db: StateDb): number {
  return counter(db, "accounts");
}

function withFigures(
  before: ReadonlyMap<string, AccountFigures>,
  rows: readonly Row[],
  windows: readonly Row[],
): ReadonlyMap<string, AccountFigures> {
  if (rows.length === 0 && windows.length === 0) return before;
  const after = new Map(before);
  for (const row of rows) {
    const id = textIn(row, "account_id");
    const lastUsedAt = numberOrNull(row, "last_used_at");
    after.set(id, {
      uses: numberIn(row, "uses"),
      ...(lastUsedAt === null ? {} : { lastUsedAt }),
      windows: after.get(id)?.windows ?? [],
    });
  }
  for (const row of windows) {
    const id = textIn(row, "account_id");
    const figures = after.get(id) ?? { uses: 0, windows: [] };
    after.set(id, { ...figures, windows: withWindow(figures.windows, windowOf(row)) });
  }
  return after;
}

/** The windows with one put in the place of its older self; shortest first. */
export function withWindow(
  windows: readonly QuotaWindow[],
  window: QuotaWindow,
): QuotaWindow[] {
  return [
    ...windows.filter((one) => one.bucket !== window.bucket || one.minutes !== window.minutes),
    window,
  ].sort((a, b) => a.bucket < b.bucket ? -1 : a.bucket > b.bucket ? 1 : a.minutes - b.minutes);
}

function windowOf(row: Row): QuotaWindow {
  return {
    bucket: textIn(row, "bucket"),
    minutes: numberIn(row, "minutes"),
    usedPercent: numberIn(row, "used_percent"),
    resetsAt: numberOrNull(row, "resets_at"),
    observedAt: numberIn(row, "observed_at"),
  };
}

function withBlocks(
  before: ReadonlyMap<string, Block>,
  rows: readonly Row[],
): ReadonlyMap<string, Block> {
  if (rows.length === 0) return before;
  const after = new Map(before);
  for (const row of rows) {
    const block: Block = {
      subject: textIn(row, "subject"),
      model: textIn(row, "model"),
      reason: textIn(row, "reason") as BlockReason,
      until: numberIn(row, "until"),
      source: textIn(row, "source") as BlockEndSource,
      since: numberIn(row, "since"),
    };
    after.set(blockKey(block), block);
  }
  return after;
}
