import { printable } from "../account/alias.ts";
import { NO_END } from "../quota/block.ts";
import type { StatusAccount, StatusObject, StatusWindow } from "./status_object.ts";
import type { Paint } from "./style.ts";
import { amount, cachedPercent, type TokenSums } from "./token_sums.ts";
import { dateTime, distance, moment, type Place, until } from "./time.ts";

/** How the text is written. */
export interface StatusTextOptions {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly place: Place;
  readonly paint: Paint;
  /** What is said instead of the accounts when the store is locked. */
  readonly locked: string;
}

/** Block reasons that the older projects show as a rate limit. */
const LIMITS: ReadonlySet<string> = new Set(["usage limit", "rate limit", "workspace limit"]);
/** Figures older than this, in milliseconds, are shown with their age. */
const OLD_MS = 3_600_000;
/** At or below this share left, in percent, a window is shown in red or yellow. */
const LOW_PERCENT = 10;
const SCARCE_PERCENT = 30;

/**
 * The status for people. The first lines of everything are to the letter those
 * of the projects before us, which scripts read; ours follow.
 */
export function statusText(status: StatusObject, options: StatusTextOptions): string {
  const { paint } = options;
  const head = [
    "",
    paint("bold", "[multi-auth] Account Status"),
    "",
    `Strategy: ${status.strategy}`,
  ];
  if (status.locked) {
    return [...head, "Accounts: locked", "", options.locked, "", ""].join("\n");
  }
  head.push(
    `Accounts: ${status.accounts.length}`,
    `Active: ${status.active === null ? "none" : printable(status.active)}`,
    "",
  );
  if (status.accounts.length === 0) {
    head.push("No accounts configured. Run: opencode-multi-auth add <alias>", "");
  }
  for (const account of status.accounts) {
    const pin = status.pinned?.alias === account.alias ? status.pinned : undefined;
    head.push(
      title(account, account.alias === status.active, options),
      ...details(account, options).map((line) => `    ${line}`),
      ...(pin
        ? [`    Pinned: ${pin.until === null ? "until unpin" : ending(pin.until, options)}`]
        : []),
      "",
    );
  }
  return head.join("\n") + "\n";
}

function title(account: StatusAccount, active: boolean, options: StatusTextOptions): string {
  const { now, place, paint } = options;
  let text = `  ${paint("bold", printable(account.alias))}`;
  if (active) text += paint("green", " (active)");
  if (account.blockedUntil !== null && LIMITS.has(account.blockReason ?? "")) {
    const end = account.blockedUntil === NO_END
      ? ""
      : ` until ${until(account.blockedUntil, now, place)}`;
    text += paint("yellow", ` [RATE LIMITED${end}]`);
  }
  if (!account.enabled) text += paint("dim", " [DISABLED]");
  return text;
}

function details(account: StatusAccount, options: StatusTextOptions): string[] {
  const { place, paint } = options;
  const lines = [
    `Email: ${printable(account.email ?? "unknown")}`,
    `Uses: ${account.uses}`,
    `Token expires: ${dateTime(account.expiresAt, place)}`,
  ];
  if (account.plan !== null) lines.push(`Plan: ${printable(account.plan)}`);
  for (const window of account.quota.windows) {
    lines.push(`${span(window.minutes)}: ${left(window, options)}`);
  }
  for (const window of account.quota.models) {
    const name = printable(window.name ?? window.bucket);
    lines.push(`${span(window.minutes)} (${name}): ${left(window, options)}`);
  }
  if (!account.enabled) {
    lines.push(
      `Disabled: ${printable(account.disableReason ?? "by hand")}; ` +
        `to use it: opencode-multi-auth enable ${shown(account.alias)}`,
    );
  }
  if (account.blockReason !== null && account.blockedUntil !== null) {
    lines.push(paint(needsPerson(account) ? "red" : "yellow", hindrance(account, options)));
  }
  for (const { model, until, reason } of account.blockedModels) {
    lines.push(
      paint("yellow", `Blocked for ${printable(model)}: ${reason}, ${ending(until, options)}`),
    );
  }
  if (account.today) lines.push(`Today: ${tokens(account.today)}`);
  if (account.onDevice) lines.push("On device: Codex CLI");
  if (account.tags.length > 0) lines.push(`Tags: ${account.tags.map(printable).join(", ")}`);
  if (account.notes.trim() !== "") lines.push(`Notes: ${printable(account.notes.trim())}`);
  return lines;
}

/** `1.2M in (93% cached), 40k out`. */
function tokens(sums: TokenSums): string {
  const cached = cachedPercent(sums);
  const share = cached === null ? "" : ` (${cached}% cached)`;
  return `${amount(sums.input)} in${share}, ${amount(sums.output)} out`;
}

/** Whether no amount of waiting brings the account back. */
function needsPerson(account: StatusAccount): boolean {
  return account.blockReason !== null && account.blockReason.startsWith("needs login");
}

function hindrance(account: StatusAccount, options: StatusTextOptions): string {
  const { blockReason: reason, blockedUntil } = account;
  if (needsPerson(account)) {
    return `Set aside: ${reason}; sign in: opencode-multi-auth add ${shown(account.alias)}`;
  }
  if (blockedUntil === NO_END) {
    return `Blocked: ${reason}; to try again: opencode-multi-auth restore ${shown(account.alias)}`;
  }
  return `Blocked: ${reason}, ${ending(blockedUntil ?? NO_END, options)}`;
}

function ending(at: number, { now, place }: StatusTextOptions): string {
  return at === NO_END ? "no end known" : `until ${moment(at, now, place)}`;
}

/** `60% left, resets 8:00 PM (in 2h)`. */
function left(window: StatusWindow, { now, place, paint }: StatusTextOptions): string {
  const { resetsAt, observedAt } = window;
  if (resetsAt !== null && resetsAt <= now) {
    return `${paint("green", "100% left")}, was reset ${moment(resetsAt, now, place)}`;
  }
  const percent = Math.round(100 - window.usedPercent);
  const colour = colourOf(percent);
  const reset = resetsAt === null ? "" : `, resets ${moment(resetsAt, now, place)}`;
  const age = now - observedAt > OLD_MS ? paint("dim", `, seen ${distance(observedAt, now)}`) : "";
  const soon = window.projection?.startsWith("runs out") ?? false;
  const projection = window.projection === null
    ? ""
    : paint(soon ? "yellow" : "dim", `, ${window.projection}`);
  return `${paint(colour, `${percent}% left`)}${reset}${age}${projection}`;
}

/** The colour of a share that is left, in percent. */
export function colourOf(percent: number): "red" | "yellow" | "green" {
  return percent <= LOW_PERCENT ? "red" : percent <= SCARCE_PERCENT ? "yellow" : "green";
}

/** A window's length as people say it: `5h`, `week`, `30d`. */
export function span(minutes: number): string {
  if (minutes === 10_080) return "week";
  if (minutes === 1_440) return "day";
  if (minutes % 1_440 === 0) return `${minutes / 1_440}d`;
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
}

/** An alias as an argument of a command line that can be copied. */
function shown(alias: string): string {
  const text = printable(alias);
  return /^[\w.@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
