import type { PoolEvent } from "../codex/pool_event.ts";
import { printable } from "../account/alias.ts";
import {
  backNews,
  blockedNews,
  exhaustedNews,
  loginNews,
  usageNews,
  windowName,
} from "../notify/account_news.ts";
import type { Notification } from "../notify/notification.ts";
import type { Clock } from "../platform/clock.ts";
import type { NotifySettings } from "../platform/notify_settings.ts";
import { type Block, type BlockReason, NO_END } from "../quota/block.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../quota/window.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Two processes, and two answers, may see the same end this far apart, in milliseconds. */
const SLACK_MS = 10 * MINUTE_MS;
/** The same trouble is not looked at again within this, in milliseconds: every request meets it. */
const AGAIN_MS = MINUTE_MS;
/** How soon after the moment that was named an account is looked for, in milliseconds. */
const GRACE_MS = 1_000;

const REASONS: Readonly<Record<BlockReason, string>> = {
  "usage limit": "usage limit reached",
  "rate limit": "slowed down",
  "not included in plan": "no Codex in its plan",
  "model not supported": "model not supported",
  "workspace limit": "its workspace's limit is reached",
  "workspace deactivated": "its workspace is deactivated",
};

/** What the watch over accounts needs. */
export interface AccountWatchOptions {
  readonly clock: Clock;
  readonly settings: () => NotifySettings;
  /** Whether this process is the one to tell something; see `claimNotice`. */
  readonly claim: (key: string, end: number, slackMs: number) => Promise<boolean>;
  /** Aliases of the accounts that may serve now. */
  readonly available: () => Promise<readonly string[]>;
  /** Whether it is taken: not where too many are under way, and then nothing is claimed. */
  readonly tell: (find: () => Promise<Notification | undefined>) => boolean;
}

/** Makes notifications of what happens to accounts, each once over all processes of the machine. */
export class AccountWatch {
  /** What was seen lately -> until when it counts as seen, epoch milliseconds. */
  readonly #seen = new Map<string, number>();
  #wantsBack = false;
  #cancel = () => {};

  constructor(private readonly options: AccountWatchOptions) {}

  /** Takes an event of the pool in. */
  event(event: PoolEvent): void {
    const now = this.options.clock.now();
    switch (event.kind) {
      case "blocked":
        return this.#blocked(event.accounts.map(({ alias }) => alias), event.block, now);
      case "set aside": {
        const { id, alias, generation, setAside } = event.account;
        const reason = setAside?.reason ?? "needs login";
        const news = reason === "workspace deactivated"
          ? blockedNews(alias, REASONS[reason], undefined, now)
          : loginNews(alias, reason);
        return void this.#tell(
          [`set aside ${id} ${generation}`],
          now + 90 * DAY_MS,
          Infinity,
          news,
        );
      }
      case "exhausted": {
        const { message, earliest } = event.exhaustion;
        if (this.#isRepeated("exhausted", now)) return;
        this.#tell(["exhausted"], earliest ?? now + HOUR_MS, SLACK_MS, exhaustedNews(message));
        return void this.#waitForBack(earliest).catch(() => {});
      }
      case "lifted":
        return void this.#lookForBack().catch(() => {});
      case "used":
        for (const window of event.windows) this.#used(event.account, window, now);
    }
  }

  /** Forgets what it waits for. */
  stop(): void {
    this.#wantsBack = false;
    this.#cancel();
  }

  #blocked(aliases: readonly string[], block: Block, now: number): void {
    if (aliases.length === 0 || this.#isRepeated(`blocked ${block.subject}`, now)) return;
    const { reason, until, source, subject } = block;
    const known = until < NO_END && source !== "guess";
    this.#tell(
      [`blocked ${subject}`],
      known ? until : Math.max(now + HOUR_MS, Math.min(until, now + DAY_MS)),
      known ? SLACK_MS : Infinity,
      blockedNews(
        aliases.map((text) => printable(text)).join(", "),
        REASONS[reason],
        known ? until : undefined,
        now,
      ),
    );
  }

  #used(account: { id: string; alias: string }, window: QuotaWindow, now: number): void {
    const { bucket, minutes, usedPercent, resetsAt } = window;
    const passed = this.options.settings().notifyThresholds.filter((one) => one <= usedPercent);
    // That a plan's window is full is told as the block that comes of it.
    if (passed.length === 0 || (bucket === PLAN_BUCKET && usedPercent >= 100)) return;
    const length = minutes * MINUTE_MS;
    const end = resetsAt ?? now + length;
    if (end <= now) return;
    const slack = resetsAt === null ? Infinity : length / 20;
    // Whoever is told of a threshold is told of those below it: the figure may go down and up again.
    const keys = passed.reverse().map((one) => `used ${account.id} ${bucket}/${minutes} ${one}`);
    const told = this.#seen.get(keys[0] ?? "");
    // The next window ends later, and an end that had to be guessed is the latest that can be.
    if (told !== undefined && told > now && end - told <= slack) return;
    const name = windowName(minutes, bucket === PLAN_BUCKET ? undefined : bucket);
    const news = usageNews(account.alias, { name, usedPercent, resetsAt }, now);
    if (this.#tell(keys, end, slack, news)) { for (const key of keys) this.#seen.set(key, end); }
  }

  async #waitForBack(earliest: number | undefined): Promise<void> {
    // Only some model has nobody: that is over when the person takes another one.
    if ((await this.options.available()).length > 0) return;
    this.#wantsBack = true;
    this.#arm(earliest);
  }

  #arm(at: number | undefined): void {
    const { clock } = this.options;
    this.#cancel();
    const wait = at === undefined ? MINUTE_MS : Math.max(at - clock.now(), 0) + GRACE_MS;
    this.#cancel = clock.after(wait, () => {
      this.#lookForBack().catch(() => {}).finally(() => {
        if (this.#wantsBack) this.#arm(undefined);
      });
    }, { background: true });
  }

  async #lookForBack(): Promise<void> {
    if (!this.#wantsBack) return;
    const aliases = await this.options.available();
    if (aliases.length === 0 || !this.#wantsBack) return;
    this.stop();
    this.#seen.delete("exhausted");
    this.#tell(["back"], this.options.clock.now() + SLACK_MS, Infinity, backNews(aliases));
  }

  /** Whether the same was seen within the last minute. */
  #isRepeated(key: string, now: number): boolean {
    const until = this.#seen.get(key);
    // A clock that was set back must not keep it quiet for longer.
    if (until !== undefined && until > now && until <= now + AGAIN_MS) return true;
    this.#seen.set(key, now + AGAIN_MS);
    return false;
  }

  /** Whether it is on its way, or another process's business. The first key decides, the others count as told with it. */
  #tell(
    keys: readonly string[],
    end: number,
    slackMs: number,
    news: Notification,
  ): boolean {
    const { notify, notifyAbout } = this.options.settings();
    // What is not wanted must not count as told.
    if (!notify || !notifyAbout.includes(news.topic)) return false;
    return this.options.tell(async () => {
      for (const key of keys) {
        if (!await this.options.claim(key, end, slackMs) && key === keys[0]) return undefined;
      }
      return news;
    });
  }
}
