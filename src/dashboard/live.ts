/**
 * The page as it is now, for all who look at it: read once for a change, whoever made it. What each
 * stream has not sent yet follows from the place in time up to which it has sent everything.
 *
 * @module
 */
import type { Clock } from "../platform/clock.ts";
import type { LogLine } from "./log_lines.ts";
import { buildModel } from "./build_model.ts";
import type { DashboardModel } from "./model.ts";
import { newSecret } from "./session.ts";
import type { Source } from "./source.ts";
import { sharedParts } from "./views/page.tsx";

/** Pause between two looks for changes while somebody looks at the page, in milliseconds. */
const LOOK_MS = 400;
/** After this time what only time has changed (pace, projection) is sent as well, in milliseconds. */
const TIMELY_MS = 5 * 60_000;
/** Lines of the log that a stream may be behind. */
const MAX_BEHIND = 400;
/** Changes that a stream may be behind; a page that is older is loaded anew. */
const MAX_STATES = 64;

/** What a page has not been sent yet. */
export interface News {
  /** What the page shows: the model of its position. */
  readonly before: DashboardModel;
  /** HTML by element id of the parts that have changed, without what is each session's own; see `fill` in `views/form.tsx`. */
  readonly parts: ReadonlyMap<string, string>;
  readonly lines: readonly LogLine[];
  /** Where the page stands when it has all this. */
  readonly position: string;
}

/** The state of the page, kept up to date. */
export class Live {
  /** Differs from process to process, so that an older one's positions mean nothing. */
  readonly #run = newSecret().slice(0, 8).replaceAll("-", "_");
  /** The parts that all pages have in common, with the change that made them so. */
  readonly #parts = new Map<string, { readonly html: string; readonly at: number }>();
  /** The newest models by the number of the change that led to them. */
  readonly #states = new Map<number, DashboardModel>();
  readonly #waiting = new Set<() => void>();
  readonly #end = new AbortController();
  #model: DashboardModel | undefined;
  #at = 0;
  #lines: LogLine[] = [];
  /** Lines of the log there ever were. */
  #lineCount = 0;
  #looking: Promise<void> | undefined;
  #again = false;
  #cancelLook: (() => void) | undefined;
  #timelyAt = 0;

  constructor(
    private readonly options: {
      readonly source: Source;
      readonly clock: Clock;
    },
  ) {}

  /** Aborted when the program stops. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** The model of the last look; {@linkcode fresh} comes first. */
  get model(): DashboardModel {
    if (!this.#model) throw new Error("fresh() comes first");
    // New lines alone make no new model, and the position counts them.
    return { ...this.#model, log: { ...this.#model.log, lines: this.options.source.log.lines } };
  }

  /** Where a page stands that is rendered now. */
  get position(): string {
    return `${this.#run}-${this.#at}-${this.#lineCount}`;
  }

  /** Looks for changes, if there may be any. */
  async fresh(): Promise<void> {
    if (!this.#model || this.#due() || await this.options.source.changed()) await this.refresh();
    else this.#lookAtLog();
  }

  /** Reads everything anew. Calls that come together share the work; each sees what was there when it was called. */
  refresh(): Promise<void> {
    this.#again = true;
    return this.#looking ??= this.#work().finally(() => this.#looking = undefined);
  }

  /** What has changed since a position; undefined when a page of it must be loaded anew. */
  since(position: string): News | undefined {
    const [run, at, line] = position.split("-");
    const before = run === this.#run ? this.#states.get(Number(at)) : undefined;
    if (before === undefined) return undefined;
    const behind = Math.min(this.#lineCount - Number(line), MAX_BEHIND);
    const changed = [...this.#parts].filter(([, part]) => part.at > Number(at));
    return {
      before,
      parts: new Map(changed.map(([id, { html }]) => [id, html])),
      lines: behind > 0 ? this.#lines.slice(-behind) : [],
      position: this.position,
    };
  }

  /** Resolves at the first change after a position, or when the signal aborts. While somebody waits, it is looked for changes. */
  async next(position: string, signal: AbortSignal): Promise<void> {
    if (this.position !== position || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
      this.#lookLater();
    });
  }

  /** Ends all who wait. */
  close(): void {
    this.#cancelLook?.();
    this.#end.abort();
    this.#wake();
  }

  #lookLater(): void {
    if (this.#cancelLook || this.#end.signal.aborted) return;
    this.#cancelLook = this.options.clock.after(LOOK_MS, () => {
      this.#cancelLook = undefined;
      this.fresh().catch(() => {}).finally(() => {
        if (this.#waiting.size > 0) this.#lookLater();
      });
    }, { background: true });
  }

  async #work(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const { source, clock } = this.options;
      this.#lookAtLog();
      const timely = clock.now() >= this.#timelyAt;
      if (timely) this.#timelyAt = clock.now() + TIMELY_MS;
      const before = this.#model;
      const model = buildModel(await source.read(), before, timely);
      this.#model = model;
      this.#note(before, model);
    }
  }

  /** Notes what has changed. Accounts that have not are the same objects in both models. */
  #note(before: DashboardModel | undefined, model: DashboardModel): void {
    const at = this.#at + 1;
    let news = before?.accounts.length !== model.accounts.length ||
      model.accounts.some((account, index) => account !== before.accounts[index]);
    for (const [id, html] of sharedParts(model)) {
      if (this.#parts.get(id)?.html === html) continue;
      this.#parts.set(id, { html, at });
      news = true;
    }
    if (before && shape(before) !== shape(model)) {
      this.#states.clear();
      news = true;
    }
    if (!news) return;
    this.#at = at;
    this.#states.set(at, model);
    this.#states.delete(at - MAX_STATES);
    this.#wake();
  }

  #lookAtLog(): void {
    const lines = this.options.source.log.look();
    if (lines.length === 0) return;
    this.#lines = [...this.#lines, ...lines].slice(-MAX_BEHIND);
    this.#lineCount += lines.length;
    this.#wake();
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }

  /** Whether time alone has changed something: a block, a model's too, a pin, a token or a window has ended. */
  #due(): boolean {
    const { model } = this;
    const now = this.options.clock.now();
    if (now >= this.#timelyAt) return true;
    const passed = (at: number | null) => at !== null && at > model.now && at <= now;
    return passed(model.pin?.until ?? null) ||
      model.accounts.some(({ blockedUntil, tokenExpiresAt, windows, blockedModels }) =>
        passed(blockedUntil) || passed(tokenExpiresAt) ||
        windows.some(({ resetsAt }) => passed(resetsAt)) ||
        blockedModels.some(({ until }) => passed(until))
      );
  }
}

/** Which elements a page has: pages of another kind are loaded anew. */
function shape({ locked, accounts }: DashboardModel): string {
  return locked !== null ? "locked" : accounts.length === 0 ? "empty" : "open";
}
