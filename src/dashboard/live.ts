/**
 * The page as it is now, for all who look at it: built once for a change, whoever made it, and kept with
 * the place in time of each part, so that every stream finds out for itself what it has not sent yet.
 *
 * @module
 */
import type { Clock } from "../platform/clock.ts";
import type { LogLine } from "../platform/log_tail.ts";
import { buildModel } from "./build_model.ts";
import { cardId, type DashboardModel, type Page } from "./model.ts";
import { readQuery } from "./query.ts";
import { newSecret } from "./session.ts";
import type { Source } from "./source.ts";
import { renderParts } from "./views/page.tsx";

/** Pause between two looks for changes while somebody looks at the page, in milliseconds. */
const LOOK_MS = 400;
/** After this time what only time has changed (pace, projection) is sent as well, in milliseconds. */
const TIMELY_MS = 5 * 60_000;
/** Lines of the log that a stream may be behind. */
const MAX_BEHIND = 400;
/** Parts that differ from session to session. */
const OWN_PARTS: readonly string[] = ["notice", "move", "log-lines"];

/** What a stream has not sent yet. */
export interface News {
  /** HTML by element id. */
  readonly parts: Readonly<Record<string, string>>;
  /** Element ids of cards that are no more. */
  readonly gone: readonly string[];
  readonly lines: readonly LogLine[];
  /** Whether the page must be loaded anew. */
  readonly reload: boolean;
  /** Where the stream stands when it has sent this. */
  readonly position: string;
}

interface Part {
  readonly html: string;
  /** The change that made it so. */
  readonly at: number;
}

/** The state of the page, kept up to date. */
export class Live {
  /** Differs from process to process, so that an older one's positions mean nothing. */
  readonly #run = newSecret().slice(0, 8).replaceAll("-", "_");
  /** Stands for the session's token in what is rendered for all. No text of a person can be it. */
  readonly #token = newSecret();
  readonly #parts = new Map<string, Part>();
  readonly #gone = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  readonly #end = new AbortController();
  #model: DashboardModel | undefined;
  #at = 0;
  /** The change in which the page took its present shape. */
  #shapeAt = 0;
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
    return this.#model;
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

  /** What has changed since a position, with a session's token in its forms. Everything for a position that is not of this run. */
  since(position: string, csrf: string): News {
    const [run, at = "", line = ""] = position.split("-");
    const ours = run === this.#run && /^\d+$/.test(at) && /^\d+$/.test(line);
    const from = ours ? Number(at) : -1;
    const behind = ours ? Math.min(this.#lineCount - Number(line), MAX_BEHIND) : 0;
    const parts: Record<string, string> = {};
    for (const [id, { html, at }] of this.#parts) {
      if (at > from) parts[id] = html.replaceAll(this.#token, csrf);
    }
    return {
      parts,
      gone: [...this.#gone].filter(([, at]) => at > from).map(([id]) => id),
      lines: behind > 0 ? this.#lines.slice(-behind) : [],
      reload: ours && this.#shapeAt > from,
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
      this.#compare(before, model);
    }
  }

  /** Renders what may have changed, and notes what has. */
  #compare(before: DashboardModel | undefined, model: DashboardModel): void {
    const at = this.#at + 1;
    let news = false;
    const known = new Map(before?.accounts.map((account) => [account.id, account]));
    const changed = new Set(
      model.accounts.filter((account) => known.get(account.id) !== account).map(({ id }) => id),
    );
    const page: Page = {
      csrf: this.#token,
      query: readQuery(new URLSearchParams()),
      order: [],
      events: "",
    };
    for (const [id, html] of renderParts(model, page, changed)) {
      if (OWN_PARTS.includes(id) || this.#parts.get(id)?.html === html) continue;
      this.#parts.set(id, { html, at });
      this.#gone.delete(id);
      news = true;
    }
    for (const { id } of model.accounts) known.delete(id);
    for (const id of known.keys()) {
      this.#parts.delete(cardId(id));
      this.#gone.set(cardId(id), at);
      news = true;
    }
    if (before && (before.locked === null) !== (model.locked === null)) {
      this.#shapeAt = at;
      news = true;
    }
    const order = (accounts: DashboardModel["accounts"] | undefined) =>
      accounts?.map(({ id }) => id).join();
    if (!news && order(before?.accounts) === order(model.accounts)) return;
    this.#at = at;
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

  /** Whether time alone has changed something: a block, a pin or a window has ended. */
  #due(): boolean {
    const { model } = this;
    const now = this.options.clock.now();
    if (now >= this.#timelyAt) return true;
    const passed = (at: number | null) => at !== null && at > model.now && at <= now;
    return passed(model.pin?.until ?? null) ||
      model.accounts.some(({ blockedUntil, windows }) =>
        passed(blockedUntil) || windows.some(({ resetsAt }) => passed(resetsAt))
      );
  }
}
