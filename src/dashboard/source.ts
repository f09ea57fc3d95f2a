/**
 * Where the page's figures come from, and how a change of them is noticed: this process's own changes,
 * those of other processes through `state.db`, and the files beside it.
 *
 * @module
 */
import type { Device } from "../codex_cli/device.ts";
import type { LimitQueue, LimitQueueState } from "../limits/limit_queue.ts";
import type { Clock } from "../platform/clock.ts";
import { addDays, localDay } from "../platform/day.ts";
import { messageOf } from "../platform/failure.ts";
import { statIfExists } from "../platform/files.ts";

import type { Environment, Paths } from "../platform/paths.ts";
import { listSettings, type SettingEntry } from "../platform/settings.ts";
import type { QuotaWindow } from "../quota/window.ts";
import type { LocalStore } from "../store/local.ts";
import { olderSettings, overlay } from "../store/older_settings.ts";
import { readChoices } from "../store/past.ts";
import { readPlanExtras } from "../store/plan_extras.ts";
import { readDailyUse, readHistoriesOf, readSessionCounts, stateVersion } from "../store/recent.ts";
import type { Snapshot } from "../store/store.ts";
import type { Findings } from "./build_model.ts";
import { LogLines } from "./log_lines.ts";
import type { Logins } from "./logins.ts";
import type { TokenQueue } from "./token_queue.ts";

/** What the dashboard stands on. */
export interface SourceOptions {
  readonly store: LocalStore;
  readonly paths: Paths;
  readonly env: Environment;
  readonly clock: Clock;
  readonly device: Device;
  readonly limits: LimitQueue;
  readonly tokens: TokenQueue;
  readonly logins: Logins;
}

/** A conversation counts as going on if it was used within this time, in milliseconds. */
const SESSION_MS = 3_600_000;
/** Choices that are shown. */
const MAX_CHOICES = 20;
/** Days of usage that are shown. */
const USAGE_DAYS = 14;

/** Reads all that the page shows. What has not changed is not read again. */
export class Source {
  readonly log: LogLines;
  readonly #histories = new Map<string, readonly QuotaWindow[]>();
  /** The windows for which the history of an account was read. */
  readonly #seen = new Map<string, readonly QuotaWindow[]>();
  #stamp = "";
  /** Whether limits are being asked for: our own writes to `state.db` are no news to the store. */
  #asking = false;

  constructor(private readonly options: SourceOptions) {
    this.log = new LogLines(options.paths.log);
  }

  /** Whether somebody has changed something since the last {@linkcode read}. Cheap: asked twice a second. */
  async changed(): Promise<boolean> {
    return this.#asking || await this.#look() !== this.#stamp;
  }

  /** Reads everything. Never rejects for a store that cannot be read: the page says why. */
  async read(): Promise<Findings> {
    const { store, paths, clock, device, limits, tokens, logins } = this.options;
    // Looked at first: what is changed meanwhile must count as new afterwards.
    this.#stamp = await this.#look();
    const warnings: string[] = [];
    const tell = (error: unknown) => void warnings.push(messageOf(error));
    const asked = await limits.state().catch((error) => (tell(error), NOT_ASKING));
    this.#asking = asked.running;
    const now = clock.now();
    const settings = await this.#settings(tell);
    const snapshot = await store.load().catch((error): Snapshot => (tell(error), NOTHING));
    if (!snapshot.locked) warnings.push(...store.warnings);
    const locked = snapshot.locked
      ? store.warnings.join(" ") || "A passphrase is needed to open it."
      : null;
    return {
      now,
      snapshot,
      locked,
      histories: await this.#history(snapshot).catch((error) => (tell(error), this.#histories)),
      choices: await readChoices(store, MAX_CHOICES).catch(() => []),
      sessions: await readSessionCounts(store, now - SESSION_MS).catch(() => new Map()),
      usage: await readDailyUse(store, addDays(localDay(now), 1 - USAGE_DAYS)).catch(() => []),
      settings,
      device: await device.state(),
      limits: asked,
      tokens: tokens.state(),
      extras: await readPlanExtras(store).catch(() => new Map()),
      login: logins.model,
      log: { path: paths.log, lines: this.log.lines },
      // Last, when all have told. What several meet, the store says, and what it means.
      warnings: [...new Set(warnings)].filter((text, _at, all) =>
        !all.some((other) => other !== text && other.startsWith(text))
      ),
    };
  }

  /** Reads the history of accounts whose windows have changed. */
  async #history(
    { accounts, figures }: Snapshot,
  ): Promise<ReadonlyMap<string, readonly QuotaWindow[]>> {
    const changed = accounts.map(({ id }) => id).filter((id) => {
      const windows = figures.get(id)?.windows;
      if (!windows || sameWindows(this.#seen.get(id), windows)) return false;
      this.#seen.set(id, windows);
      return true;
    });
    for (const id of this.#seen.keys()) {
      if (figures.has(id)) continue;
      this.#seen.delete(id);
      this.#histories.delete(id);
    }
    if (changed.length === 0) return this.#histories;
    for (const [id, history] of await readHistoriesOf(this.options.store, changed)) {
      this.#histories.set(id, history);
    }
    return this.#histories;
  }

  async #settings(tell: (error: unknown) => void): Promise<readonly SettingEntry[]> {
    const { store, paths, env } = this.options;
    try {
      const older = await olderSettings(store, paths).catch(() => ({}));
      return overlay(listSettings(paths, env, tell), older);
    } catch (error) {
      tell(error);
      return [];
    }
  }

  /** A text that changes with whatever the store's files hold. */
  async #look(): Promise<string> {
    const { store, paths } = this.options;
    const version = await stateVersion(store).catch(() => "unreadable");
    const files = [paths.accounts, paths.settings, paths.state];
    return [version, ...files.map(stampOf)].join("\n");
  }
}

/** What tells one content of a file from another; of `state.db`, which file it is. */
function stampOf(path: string): string {
  try {
    const stat = statIfExists(path);
    if (!stat) return "";
    return path.endsWith(".db") ? `${stat.ino}` : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  } catch {
    return "unreadable";
  }
}

/** A queue that cannot go on. */
const NOT_ASKING: LimitQueueState = {
  running: false,
  done: 0,
  total: 0,
  stopped: false,
  tasks: [],
};

/** A store that cannot be read. */
const NOTHING: Snapshot = {
  accounts: [],
  figures: new Map(),
  blocks: [],
  pin: null,
  activeId: null,
  turnId: null,
  locked: false,
};

function sameWindows(a: readonly QuotaWindow[] | undefined, b: readonly QuotaWindow[]): boolean {
  return a !== undefined && a.length === b.length &&
    a.every((window, at) =>
      window.observedAt === b[at]?.observedAt && window.usedPercent === b[at].usedPercent
    );
}
