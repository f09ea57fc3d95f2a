import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { formatDuration } from "../platform/duration.ts";
import { NO_END } from "../quota/block.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../quota/window.ts";
import { BlockIndex, hindrance } from "../rotation/eligibility.ts";
import type { Snapshot } from "../store/store.ts";

/** One window of an account's plan as people look at it. */
export interface WindowView {
  /** `5h`, `week`, … */
  readonly span: string;
  /** Whole percent; 100 once the window has begun anew. */
  readonly left: number;
  /** Epoch milliseconds; null where it is not known or over. */
  readonly resetsAt: number | null;
}

/** One account as people look at it inside OpenCode. Holds no token and no address. */
export interface AccountView {
  readonly id: string;
  readonly alias: string;
  readonly plan: string | undefined;
  /** Shortest first. */
  readonly windows: readonly WindowView[];
  /** Why it cannot serve now, in a few words; undefined when it can. */
  readonly trouble: string | undefined;
  /** When that ends, epoch milliseconds; undefined where no end is known. */
  readonly until: number | undefined;
}

/**
 * Every account, in the person's order.
 *
 * @param now Epoch milliseconds.
 */
export function accountViews(snapshot: Snapshot, now: number): AccountView[] {
  const blocks = new BlockIndex();
  blocks.reset(snapshot.blocks);
  return snapshot.accounts.map((account) => ({
    id: account.id,
    alias: printable(account.alias),
    plan: account.plan === undefined ? undefined : printable(account.plan),
    windows: (snapshot.figures.get(account.id)?.windows ?? [])
      .filter((window) => window.bucket === PLAN_BUCKET)
      .toSorted((a, b) => a.minutes - b.minutes)
      .map((window) => windowView(window, now)),
    ...trouble(account, blocks, now),
  }));
}

/** The account that serves a session, or that served last; the pin comes first, where its account can serve. */
export function servingId(snapshot: Snapshot, sessionAccountId: string | undefined, now: number) {
  const { pin, activeId } = snapshot;
  const pinned = pin && (pin.until === null || pin.until > now) ? pin.accountId : undefined;
  const account = snapshot.accounts.find(({ id }) => id === pinned);
  const blocks = new BlockIndex();
  blocks.reset(snapshot.blocks);
  if (account && hindrance(account, blocks, undefined, now) === undefined) return account.id;
  return sessionAccountId ?? activeId ?? undefined;
}

/** The window with the least left. */
export function tightest(view: AccountView): WindowView | undefined {
  let worst: WindowView | undefined;
  for (const window of view.windows) if (!worst || window.left < worst.left) worst = window;
  return worst;
}

/** `60% left of 5h (resets in 2h)`. */
export function windowText({ span, left, resetsAt }: WindowView, now: number): string {
  const reset = resetsAt === null ? "" : `, resets ${clockTime(resetsAt, now)}`;
  return `${span} ${left}% left${reset}`;
}

/** What an account has and lacks, on one line. */
export function viewText(view: AccountView, now: number): string {
  const { trouble, until } = view;
  const parts = view.windows.map((window) => windowText(window, now));
  if (trouble !== undefined) {
    parts.unshift(until === undefined ? trouble : `${trouble} until ${clockTime(until, now)}`);
  }
  return parts.length === 0 ? "no figures yet" : parts.join("; ");
}

/** A moment as the person's clock shows it, and how far away it is: `8:00 PM (in 2h)`. */
export function clockTime(at: number, now: number): string {
  return `${shortTime(at, now)} (in ${formatDuration(at - now)})`;
}

/** A moment as the person's clock shows it: `8:00 PM`, or `Nov 27, 6:00 PM` on another day. */
export function shortTime(at: number, now: number): string {
  const date = new Date(at);
  const today = date.toDateString() === new Date(now).toDateString();
  return date.toLocaleString(undefined, {
    ...(today ? {} : { month: "short", day: "numeric" }),
    hour: "numeric",
    minute: "2-digit",
  }).replaceAll("\u202f", " ");
}

function windowView({ minutes, usedPercent, resetsAt }: QuotaWindow, now: number): WindowView {
  // A window that is over is full again, until somebody hears otherwise.
  const over = resetsAt !== null && resetsAt <= now;
  return {
    span: spanOf(minutes),
    left: over ? 100 : Math.max(0, Math.round(100 - usedPercent)),
    resetsAt: over ? null : resetsAt,
  };
}

function trouble(
  account: Account,
  blocks: BlockIndex,
  now: number,
): Pick<AccountView, "trouble" | "until"> {
  const found = hindrance(account, blocks, undefined, now);
  switch (found?.kind) {
    case "disabled":
      return { trouble: "disabled", until: undefined };
    case "set aside":
      return { trouble: found.reason, until: undefined };
    case "blocked": {
      const { reason, until } = found.block;
      return { trouble: reason, until: until >= NO_END ? undefined : until };
    }
    default:
      return { trouble: undefined, until: undefined };
  }
}

/** A window's length as people say it. */
function spanOf(minutes: number): string {
  if (minutes === 10_080) return "week";
  if (minutes === 1_440) return "day";
  if (minutes % 1_440 === 0) return `${minutes / 1_440}d`;
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
}
