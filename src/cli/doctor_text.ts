import type { State } from "../doctor/check.ts";
import type { Result } from "../doctor/examination.ts";
import type { Context } from "./context.ts";
import { type Paint, paintOf } from "./style.ts";
import { wrapped } from "./wrapped.ts";

/** How each state looks on a terminal. */
const LOOKS = {
  ok: { sign: "✓", format: "green" },
  warning: { sign: "!", format: "yellow" },
  wrong: { sign: "✗", format: "red" },
  unseen: { sign: "?", format: "yellow" },
} as const;

/** Width of the column with the state. */
const WORD = "warning".length;

/**
 * The report: under each heading a line for each finding, its fix beneath it. On a terminal it has signs
 * and is broken at its width; piped, each finding is one line and each fix another.
 */
export function doctorText(results: readonly Result[], context: Context): string {
  const paint = paintOf(context);
  const groups = [...new Set(results.map(({ group }) => group))];
  return groups.map((group) => {
    const lines = results.filter((result) => result.group === group)
      .map((result) => findingText(result, context, paint));
    return `${paint("bold", group)}\n${lines.join("")}`;
  }).join("\n");
}

/** The last line: how many of each there are. */
export function summaryText(results: readonly Result[]): string {
  const count = (state: State) => results.filter((result) => result.state === state).length;
  const bad = count("wrong");
  const warnings = count("warning");
  const unseen = count("unseen") > 0;
  if (bad + warnings === 0 && !unseen) return "All is well.";
  const parts = [
    ...(bad === 0
      ? ["Nothing is wrong"]
      : [`${bad} ${bad === 1 ? "thing is" : "things are"} wrong`]),
    ...(warnings === 0 ? [] : [`${warnings} ${warnings === 1 ? "warning" : "warnings"}`]),
    ...(unseen ? ["not everything could be looked at"] : []),
  ];
  return `${parts.join(", ")}.`;
}

function findingText(result: Result, context: Context, paint: Paint): string {
  const { sign, format } = LOOKS[result.state];
  const terminal = context.terminal.output;
  const word = result.fixed ? "mended" : result.state;
  const head = `  ${terminal ? `${sign} ` : ""}${word.padEnd(WORD)}  `;
  const width = terminal ? Math.max(40, Math.min(context.columns, 100)) - head.length : Infinity;
  const indent = " ".repeat(head.length);
  const lines = wrapped(steerless(result.text), width);
  const fix = result.fix === undefined || result.state === "ok"
    ? []
    : wrapped(steerless(result.fix), width - 2);
  return [
    `${paint(format, head.trimEnd()).padEnd(0)}${head.slice(head.trimEnd().length)}${
      lines[0] ?? ""
    }`,
    ...lines.slice(1).map((line) => indent + line),
    ...fix.map((line, at) => `${indent}${paint("cyan", `${at === 0 ? "→" : " "} ${line}`)}`)
      .map((line) => terminal ? line : line.replace("→ ", "Fix: ")),
  ].map((line) => `${line}\n`).join("");
}

/** Text without what could steer a terminal: parts of it come from files and other programs. */
function steerless(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu, "\uFFFD");
}
