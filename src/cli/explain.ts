import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { NO_END } from "../quota/block.ts";
import { MAX_CHOICES } from "../store/choices.ts";
import type { Explanation } from "../store/store.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { countOf } from "./count.ts";
import { lockedText, withStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";
import { paintOf } from "./style.ts";
import { clockTime, until } from "./time.ts";
import { wrapped } from "./wrapped.ts";

/** Choices that are shown without a number. */
const SHOWN = 20;

/** `explain`: which account was chosen when, and why. */
export function registerExplain(program: CommandLine, context: Context): void {
  program.command("explain")
    .summary("Show why sessions are on their accounts")
    .description(
      "Shows the last choices, newest last: the first one of each session, its moves, and\n" +
        "pins. Requests of a session that stays on its account are not listed.",
    )
    .argument("[session]", "a session's id, or how it begins")
    .option("--last <number>", `how many (default: ${SHOWN})`)
    .option("--json", JSON_ABOUT)
    .action((session, options) => {
      const limit = options.last === undefined
        ? SHOWN
        : countOf(options.last, "choices", MAX_CHOICES);
      return withStore(context, async ({ store, snapshot }) => {
        const { readChoices } = await import("../store/past.ts");
        const choices = (await readChoices(store, limit, session))
          .map((explanation) => choiceOf(explanation, snapshot.accounts));
        const text = snapshot.locked
          ? `${lockedText(store)}\n`
          : explainText(choices, session, context);
        report(context, options, { locked: snapshot.locked, choices }, text);
      });
    });
}

/** One choice in `explain --json`. Times are epoch milliseconds. */
interface ShownChoice {
  readonly at: number;
  /** Null for a request that named none. */
  readonly session: string | null;
  /** Null for an account that is gone. */
  readonly alias: string | null;
  readonly reason: string;
  /** The account that the session left, and why; null for a first choice. */
  readonly left: {
    readonly alias: string | null;
    readonly reason: string | null;
    readonly until: number | null;
  } | null;
}

function choiceOf(explanation: Explanation, accounts: readonly Account[]): ShownChoice {
  const { at, session, accountId, reason, leftId, why } = explanation;
  const alias = (id: string) => accounts.find((account) => account.id === id)?.alias ?? null;
  return {
    at,
    session: session ?? null,
    alias: alias(accountId),
    reason,
    left: leftId === undefined
      ? null
      : { alias: alias(leftId), reason: why ?? null, until: explanation.until ?? null },
  };
}

function explainText(
  choices: readonly ShownChoice[],
  session: string | undefined,
  context: Context,
): string {
  if (choices.length === 0) {
    return session === undefined
      ? "No choices yet. They come with OpenCode's first request.\n"
      : `No choice of a session "${printable(session)}" is kept.\n`;
  }
  const paint = paintOf(context);
  const lines = choices.map((choice) => [
    until(choice.at, context.clock.now(), context),
    choice.session === null ? "(no session)" : printable(choice.session),
    named(choice.alias),
    reasonText(choice, context),
  ]);
  const width = (column: number) => Math.max(...lines.map((line) => line[column]?.length ?? 0));
  const widths = [width(0), width(1), width(2)];
  const head = (widths[0] ?? 0) + (widths[1] ?? 0) + (widths[2] ?? 0) + 3 * GAP.length;
  // In a pipe a choice is one line, whatever its length; on a terminal its reason goes beneath.
  const beneath = context.terminal.output && head + width(3) > context.columns;
  return lines.map(([at = "", session = "", alias = "", reason = ""]) => {
    const parts = [
      paint("dim", at.padStart(widths[0] ?? 0)),
      session.padEnd(widths[1] ?? 0),
      paint("bold", alias.padEnd(widths[2] ?? 0)),
    ];
    if (!beneath) return `${[...parts, reason].join(GAP)}\n`;
    const reasons = wrapped(reason, context.columns - 2 * GAP.length);
    return `${parts.join(GAP).trimEnd()}\n` +
      reasons.map((line) => `${GAP}${GAP}${line}\n`).join("");
  }).join("");
}

/** Between two columns. */
const GAP = "  ";

/** `next in turn, leaves personal (usage limit until 8:00 PM)`. */
function reasonText({ reason, at, left }: ShownChoice, context: Context): string {
  if (!left) return printable(reason);
  const end = left.until === null || left.until >= NO_END
    ? ""
    : ` until ${clockTime(left.until, at, context)}`;
  const why = left.reason === null ? "" : ` (${printable(left.reason)}${end})`;
  return `${printable(reason)}, leaves ${named(left.alias)}${why}`;
}

function named(alias: string | null): string {
  return alias === null ? "a removed account" : printable(alias);
}
