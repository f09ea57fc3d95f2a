import { printable } from "../account/alias.ts";
import { formatDuration } from "../platform/duration.ts";
import { colourOf, span } from "./status_text.ts";
import type { StatusAccount, StatusWindow } from "./status_object.ts";
import type { Paint } from "./style.ts";
import { moment, type Place } from "./time.ts";
import { indented } from "./wrapped.ts";

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
  /** Width of the terminal in characters. */
  readonly columns: number;
}

/** Widths of the columns: window, bar with its percent, and the moment of the reset. */
const LABEL = 7;
const BAR = 16;
const LEFT = BAR + 7;
const RESET = 30;
/** Text below a window begins under its bar. */
const INDENT = " ".repeat(2 + LABEL);
/** The same where the bar has the line to itself. */
const NARROW = " ".repeat(4);
/** Smallest trend that is shown, in percent per hour: below it rounds to nothing. */
const LEAST_TREND = 0.05;
/** Longest line of all, on a wide terminal too. */
const WIDEST = 78;
/** A narrower terminal gets what stands beside the bar below it. */
const TABLE = 72;

/** The table for people: for each account its windows, what is left, until when, and how old that is. */
export function limitsText(accounts: readonly LimitsAccount[], options: LimitsTextOptions): string {
  if (accounts.length === 0) {
    return "No accounts configured. Run: opencode-multi-auth add <alias>\n";
  }
  const head = `  ${"Window".padEnd(LABEL)}${"Left".padEnd(LEFT)}${"Resets".padEnd(RESET)}Seen`;
  const parts = accounts.map((account) => accountText(account, options));
  const headLine = options.columns < TABLE ? "" : `${options.paint("dim", head)}\n\n`;
  return `\n${headLine}${parts.join("\n")}\n`;
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
    lines.push(
      ...below(`Reset credits: ${account.resetCredits} (each resets a limit early)`, options),
    );
  }
  const { credits } = account;
  if (credits?.hasCredits) {
    lines.push(
      `  Credits: ${credits.unlimited ? "unlimited" : printable(credits.balance ?? "some")}`,
    );
  }
  if (account.error !== null) {
    lines.push(...below(account.error, options).map((one) => paint("red", one)));
  } else if (account.blockReason?.startsWith("needs login")) {
    const text =
      `Not asked: ${account.blockReason}. Sign in: opencode-multi-auth add ${account.alias}`;
    lines.push(...below(text, options).map((one) => paint("yellow", one)));
  }
  return `${lines.join("\n")}\n`;
}

function windowLines(window: StatusWindow, options: LimitsTextOptions): string[] {
  const { now, place, paint } = options;
  const { resetsAt, observedAt, minutes } = window;
  const over = resetsAt !== null && resetsAt <= now;
  const left = over ? 100 : Math.round(100 - window.usedPercent);
  const colour = colourOf(left);
  // A last bit that is left, or gone, must not look like nothing.
  const full = Math.min(Math.max(Math.round(left / 100 * BAR), left > 0 ? 1 : 0), BAR);
  const bar = paint(colour, "█".repeat(full)) + paint("dim", "░".repeat(BAR - full));
  const percent = paint(colour, `${left}%`.padStart(5));
  const at = resetsAt === null ? "not known" : moment(resetsAt, now, place);
  const age = now - observedAt < 60_000 ? "just now" : `${formatDuration(now - observedAt)} ago`;
  const head = `  ${span(minutes).padEnd(LABEL)}${bar}${percent}`;
  const narrow = options.columns < TABLE;
  const lines = narrow
    ? [
      head,
      ...indented(`${over ? "was reset" : "resets"} ${at}, seen ${age}`, NARROW, options.columns),
    ]
    : [`${head}  ${`${over ? "was " : ""}${at}`.padEnd(RESET - 1)} ${paint("dim", age)}`];
  const outlook = [
    window.trendPerHour !== null && window.trendPerHour >= LEAST_TREND
      ? `${round(window.trendPerHour)} %/h`
      : undefined,
    window.projection ?? undefined,
  ].filter((text) => text !== undefined);
  if (outlook.length > 0) {
    const soon = window.projection?.startsWith("runs out") ?? false;
    const told = indented(outlook.join(", "), narrow ? NARROW : INDENT, options.columns);
    lines.push(...told.map((one) => paint(soon ? "yellow" : "dim", one)));
  }
  return lines;
}

/** `12`, `3.4`, `0.3`. */
function round(percent: number): string {
  return percent >= 10 ? `${Math.round(percent)}` : `${Math.round(percent * 10) / 10}`;
}

/** Words below an account, over as many lines as they need. */
function below(text: string, { columns }: LimitsTextOptions): string[] {
  return indented(printable(text, { most: 400 }), "  ", Math.min(columns, WIDEST));
}
