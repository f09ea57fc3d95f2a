import { printable } from "../account/alias.ts";
import { formatDuration } from "../platform/duration.ts";
import { colourOf, span } from "./status_text.ts";
import type { StatusAccount, StatusWindow } from "./status_object.ts";
import type { Paint } from "./style.ts";
import { moment, type Place } from "./time.ts";

/** One account as `limits` shows it. */
export type LimitsAccount =
  & Pick<
    StatusAccount,
    "alias" | "plan" | "quota" | "resetCredits" | "credits" | "blockReason"
  >
  & { readonly error: string | null };

/** How the text is written. */
export interface LimitsTextOptions {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly place: Place;
  readonly paint: Paint;
}

/** Widths of the columns: window, bar, and the moment of the reset. */
const LABEL = 6;
const BAR = 16;
const RESET = 29;
/** Text below a window begins under its bar. */
const INDENT = " ".repeat(2 + LABEL);
/** Longest line of prose. */
const PROSE = 76;

/** The table for people: for each account its windows, what is left, until when, and how old that is. */
export function limitsText(accounts: readonly LimitsAccount[], options: LimitsTextOptions): string {
  if (accounts.length === 0) {
    return "No accounts configured. Run: opencode-multi-auth add <alias>\n";
  }
  return `\n${accounts.map((account) => accountText(account, options)).join("\n")}\n`;
}

function accountText(account: LimitsAccount, options: LimitsTextOptions): string {
  const { paint } = options;
  const { windows, models } = account.quota;
  const plan = account.plan === null ? "" : paint("dim", `  ${printable(account.plan)}`);
  const lines = [`${paint("bold", printable(account.alias))}${plan}`];
  for (const window of windows) lines.push(...windowLines(window, options));
  for (const [name, own] of Map.groupBy(models, ({ name, bucket }) => name ?? bucket)) {
    lines.push(`  ${printable(name)}`);
    for (const window of own) lines.push(...windowLines(window, options));
  }
  if (windows.length === 0 && models.length === 0 && account.error === null) {
    lines.push(paint("dim", "  No figures yet."));
  }
  if (account.resetCredits !== null && account.resetCredits > 0) {
    lines.push(`  Reset credits: ${account.resetCredits} (each resets a limit early)`);
  }
  const { credits } = account;
  if (credits?.hasCredits) {
    lines.push(
      `  Credits: ${credits.unlimited ? "unlimited" : printable(credits.balance ?? "some")}`,
    );
  }
  if (account.error !== null) lines.push(...prose(account.error).map((one) => paint("red", one)));
  else if (account.blockReason?.startsWith("needs login")) {
    const text =
      `Not asked: ${account.blockReason}. Sign in: opencode-multi-auth add ${account.alias}`;
    lines.push(...prose(printable(text)).map((one) => paint("yellow", one)));
  }
  return `${lines.join("\n")}\n`;
}

function windowLines(window: StatusWindow, options: LimitsTextOptions): string[] {
  const { now, place, paint } = options;
  const { resetsAt, observedAt, minutes } = window;
  const over = resetsAt !== null && resetsAt <= now;
  const left = over ? 100 : Math.round(100 - window.usedPercent);
  const colour = colourOf(left);
  const full = Math.round(left / 100 * BAR);
  const bar = paint(colour, "█".repeat(full)) + paint("dim", "░".repeat(BAR - full));
  const reset = resetsAt === null
    ? "not started"
    : `${over ? "was reset" : "resets"} ${moment(resetsAt, now, place)}`;
  const age = now - observedAt < 60_000 ? "just now" : `${formatDuration(now - observedAt)} ago`;
  const lines = [
    `  ${span(minutes).padEnd(LABEL)}${bar} ${paint(colour, `${left}%`.padStart(4))} left  ` +
    `${reset.padEnd(RESET)} ${paint("dim", age)}`,
  ];
  const outlook = [
    window.trendPerHour !== null && window.trendPerHour > 0
      ? `${round(window.trendPerHour)} %/h`
      : undefined,
    window.projection ?? undefined,
  ].filter((text) => text !== undefined);
  if (outlook.length > 0) {
    const soon = window.projection?.startsWith("runs out") ?? false;
    lines.push(INDENT + paint(soon ? "yellow" : "dim", outlook.join(", ")));
  }
  return lines;
}

/** `12`, `3.4`, `0.3`. */
function round(percent: number): string {
  return percent >= 10 ? `${Math.round(percent)}` : `${Math.round(percent * 10) / 10}`;
}

/** Words over as many lines as they need, indented. */
function prose(text: string): string[] {
  const lines: string[] = [];
  for (const word of printable(text, 400).split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= PROSE) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines.map((line) => `  ${line}`);
}
