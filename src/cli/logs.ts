import { Option } from "@commander-js/extra-typings";
import { stripVTControlCharacters } from "node:util";
import { sleep } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import type { Level } from "../platform/log.ts";
import type { LogEntry } from "../platform/log_reader.ts";
import { resolvePaths } from "../platform/paths.ts";
import { redact } from "../platform/redaction.ts";
import { PROGRAM } from "../platform/version.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { lineCountOf } from "./count.ts";
import { addExamples } from "./examples.ts";
import { JSON_ABOUT, report } from "./output.ts";
import { type Paint, paintOf } from "./style.ts";

/** Lines that are shown unless the person says how many. */
const LINES = 50;
/** How often a followed file is looked at, in milliseconds. */
const PAUSE_MS = 250;

/** `logs`: what the plugin and the commands have recorded. */
export function registerLogs(program: CommandLine, context: Context): void {
  const command = program.command("logs")
    .summary("Show what the plugin recorded, as it happens with -f")
    .description(
      "Shows the end of the log file. Tokens are never in it. With --follow it goes on\n" +
        "with what comes, also when the file is begun anew, until Ctrl-C.",
    )
    .option("-f, --follow", "go on until Ctrl-C")
    .option("-n, --lines <number>", `how many of the last lines (default: ${LINES})`)
    .addOption(
      new Option("--level <level>", "the least severe level to show")
        .choices(["debug", "info", "warn", "error"] as const)
        .default("debug" as const, "all"),
    )
    .option("--json", JSON_ABOUT)
    .action(async ({ follow, lines, level, json }) => {
      const { lastEntries, LogTail } = await import("../platform/log_reader.ts");
      const { log: path } = resolvePaths(context.env);
      const count = lines === undefined ? LINES : lineCountOf(lines);
      if (follow && json) {
        throw new Failure("--follow has no end, so it makes no JSON object.", "Choose one.", 2);
      }
      const tail = follow ? open(path, () => new LogTail(path)) : undefined;
      const entries = open(path, () => lastEntries(path, count, level)).map(clean);
      const paint = paintOf(context);
      report(
        context,
        { json },
        { path, entries: entries.map((entry) => ({ ...entry, at: entry.at ?? null })) },
        entries.map((entry) => lineOf(entry, paint)).join(""),
      );
      if (entries.length === 0 && !json) {
        const what = level === "debug" ? "Nothing was" : `Nothing of level ${level} or above was`;
        context.warn(`${what} recorded ${follow ? "yet " : ""}in ${path}.\n`);
      }
      if (tail) await followed(context, path, tail, level, paint);
    });
  addExamples(
    command,
    `${PROGRAM} logs`,
    `${PROGRAM} logs -f --level warn`,
    `${PROGRAM} logs -n 500 --json`,
  );
}

async function followed(
  context: Context,
  path: string,
  tail: { next(): LogEntry[] },
  level: Level,
  paint: Paint,
): Promise<void> {
  const { atLeast } = await import("../platform/log_reader.ts");
  while (!context.signal.aborted) {
    const entries = open(path, () => tail.next()).filter((entry) => atLeast(level, entry));
    if (entries.length > 0) {
      context.write(entries.map((entry) => lineOf(clean(entry), paint)).join(""));
    }
    // Ctrl-C is the way in which this ends well.
    await sleep(context.clock, PAUSE_MS, context.signal).catch(() => {});
  }
}

function open<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code !== "string") throw error;
    throw new Failure(`${path} cannot be read (${code}).`, "Give yourself the right to read it.");
  }
}

/** Older projects and other programs may have written there: nothing that steers a terminal, no token. */
function clean(entry: LogEntry): LogEntry {
  const plain = stripVTControlCharacters(entry.message)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu, "\uFFFD");
  return { ...entry, message: redact(plain) };
}

function lineOf({ at, level, message }: LogEntry, paint: Paint): string {
  if (at === undefined) return `${message}\n`;
  const mark = `[${level}]`;
  const word = level === "error"
    ? paint("red", mark)
    : level === "warn"
    ? paint("yellow", mark)
    : mark;
  return `${paint("dim", at)} ${word} ${message}\n`;
}
