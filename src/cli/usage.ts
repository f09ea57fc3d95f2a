import { printable } from "../account/alias.ts";
import { addDays } from "../platform/day.ts";
import { LEDGER_DAYS } from "../store/token_use.ts";
import type { Account } from "../account/account.ts";
import type { TokenUse } from "../store/past.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { countOf } from "./count.ts";
import { lockedText, withStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";
import { type Paint, paintOf } from "./style.ts";
import { dayOf } from "./time.ts";
import { amount, cachedPercent, sumTokens, type TokenSums } from "./token_sums.ts";
import { indented } from "./wrapped.ts";

/** `usage`: what the answers have cost, by account and model. */
export function registerUsage(program: CommandLine, context: Context): void {
  program.command("usage")
    .summary("Show tokens by account and model (--days 7)")
    .description(
      "Shows the tokens that the answers have cost, by account and model. Cached is the\n" +
        "part of what was sent that the backend knew already: keeping a conversation on\n" +
        "its account saves that. An answer that was broken off names no tokens.",
    )
    .option("--days <number>", "how many days, today included (default: 7)")
    .option("--json", JSON_ABOUT)
    .action((options) => {
      const days = options.days === undefined ? 7 : countOf(options.days, "days", LEDGER_DAYS);
      return withStore(context, async ({ store, snapshot }) => {
        const until = dayOf(context.clock.now(), context);
        const since = addDays(until, 1 - days);
        const { readTokenUse } = await import("../store/past.ts");
        const uses = (await readTokenUse(store, since)).filter(({ day }) => day <= until);
        const usage = usageObject({ since, until, days }, uses, snapshot.accounts);
        const text = snapshot.locked
          ? `${lockedText(store)}\n`
          : usageText(usage, paintOf(context), context.columns);
        report(context, options, { locked: snapshot.locked, ...usage }, text);
      });
    });
}

/** What one account or model has cost. */
interface Row extends TokenSums {
  /** Null for an account that is gone. */
  readonly alias: string | null;
  readonly model: string;
}

/** What `usage --json` prints. Days are local ones, as `2026-11-24`. */
interface Usage {
  readonly since: string;
  readonly until: string;
  readonly days: number;
  /** By account, in the person's order, and model. */
  readonly rows: readonly (Row & { readonly cachedPercent: number | null })[];
  /** The same by day, oldest first. */
  readonly daily: readonly (Row & { readonly day: string })[];
  readonly total: TokenSums & { readonly cachedPercent: number | null };
}

function usageObject(
  span: Pick<Usage, "since" | "until" | "days">,
  uses: readonly TokenUse[],
  accounts: readonly Account[],
): Usage {
  const position = new Map(accounts.map(({ id }, index) => [id, index]));
  const alias = (id: string) => accounts[position.get(id) ?? -1]?.alias ?? null;
  const groups = Map.groupBy(uses, ({ accountId, model }) => `${accountId}\n${model}`);
  const place = (id: string) => position.get(id) ?? accounts.length;
  const total = sumTokens(uses);
  return {
    ...span,
    rows: [...groups.values()]
      .flatMap((group) => group[0] ? [{ ...group[0], ...sumTokens(group) }] : [])
      .sort((a, b) => place(a.accountId) - place(b.accountId) || (a.model < b.model ? -1 : 1))
      .map(({ accountId, day: _, model, ...sums }) => ({
        alias: alias(accountId),
        model,
        ...sums,
        cachedPercent: cachedPercent(sums),
      })),
    daily: uses.map(({ accountId, ...use }) => ({ alias: alias(accountId), ...use })),
    total: { ...total, cachedPercent: cachedPercent(total) },
  };
}

/** Columns of figures: heading, width, content. */
const FIGURES: readonly (readonly [string, number, (row: TokenSums) => string])[] = [
  ["In", 8, ({ input }) => amount(input)],
  ["Cached", 8, (row) => `${cachedPercent(row) ?? "-"}%`.replace("-%", "-")],
  ["Out", 8, ({ output }) => amount(output)],
  ["Reasoning", 11, ({ reasoning }) => amount(reasoning)],
  ["Answers", 9, ({ answers }) => amount(answers)],
];
const FIGURES_WIDTH = FIGURES.reduce((sum, [, width]) => sum + width, 0);
/** What is left of 80 characters for alias and model, the space between them included. */
const NAMES = 80 - 2 - 2 - FIGURES_WIDTH;
/** Of that, at most this for the model. */
const MODEL = 19;

function usageText(
  { since, until, days, rows, total }: Usage,
  paint: Paint,
  columns: number,
): string {
  const span = days === 1 ? `today (${until})` : `the last ${days} days (${since} to ${until})`;
  if (rows.length === 0) {
    return `No answers with tokens in ${days === 1 ? until : span}.\n`;
  }
  const names = rows.map(({ alias, model }) =>
    [
      alias === null ? "(removed)" : printable(alias),
      model === "" ? "(unknown)" : printable(model),
    ] as const
  );
  const title = indented(`Tokens of ${span}`, "", columns);
  const longest = (column: 0 | 1, least: number) =>
    Math.max(least, ...names.map((name) => name[column].length));
  const modelWidth = Math.min(MODEL, longest(1, 5));
  const aliasWidth = Math.min(NAMES - modelWidth, longest(0, 7));
  if (columns < Math.min(2 + aliasWidth + 2 + modelWidth + FIGURES_WIDTH, 80)) {
    const stacked = (sums: TokenSums) =>
      indented(
        FIGURES.map(([heading, , text]) => `${heading.toLowerCase()} ${text(sums)}`).join(", "),
        "    ",
        columns,
      );
    return [
      "",
      ...title,
      "",
      ...rows.flatMap((row, at) => [
        ...indented((names[at] ?? []).join(", "), "  ", columns).map((one) => paint("bold", one)),
        ...stacked(row),
      ]),
      paint("bold", "  Total"),
      ...stacked(total),
      "",
      "",
    ].join("\n");
  }
  const line = (alias: string, model: string, figures: readonly string[]) => {
    const cells = figures.map((text, at) => text.padStart(FIGURES[at]?.[1] ?? 0));
    return `  ${fit(alias, aliasWidth)}  ${fit(model, modelWidth)}${cells.join("")}`;
  };
  const figures = (sums: TokenSums) => FIGURES.map(([, , text]) => text(sums));
  return [
    "",
    ...title,
    "",
    paint("bold", line("Account", "Model", FIGURES.map(([heading]) => heading))),
    ...rows.map((row, at) => line(names[at]?.[0] ?? "", names[at]?.[1] ?? "", figures(row))),
    paint("bold", line("Total", "", figures(total))),
    "",
    "",
  ].join("\n");
}

/** Cut or filled to this width. */
function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}
