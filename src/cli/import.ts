import { resolve } from "node:path";
import { checkAlias, printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";
import { followLink } from "../platform/files.ts";
import { PROGRAM } from "../platform/version.ts";
import type { ImportAction, ImportRow } from "../store/import_plan.ts";
import { withOpenedStore, withOpenedStoreToChange } from "./ask_passphrase.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import type { OpenStore } from "./open_store.ts";
import { openCodeHint } from "./opencode_hint.ts";
import { JSON_ABOUT, narrate, type OutputOptions, report } from "./output.ts";
import { checkWritable } from "../store/writable.ts";

interface ImportOptions extends OutputOptions {
  readonly alias?: string | undefined;
  readonly yes?: true | undefined;
  readonly dryRun?: true | undefined;
}

/** `import`: takes accounts over from a file. */
export function registerImport(program: CommandLine, context: Context): void {
  const command = program.command("import")
    .summary("Take accounts over from a file")
    .description(
      "Takes accounts over from an export, an accounts.json of any version (sealed\n" +
        "or not), a Codex auth.json, or a JSON list of such accounts. Shows what will\n" +
        "change; on a terminal it asks first. Tokens never replace newer ones, and one\n" +
        "that was used up is refused. The passphrase of a sealed file is asked for, or\n" +
        "comes from OPENCODE_MULTI_AUTH_EXPORT_PASSPHRASE.",
    )
    .argument("<file>", "the file")
    .option("--alias <alias>", "name for the account of a file with one (default: the file's)")
    .option("--dry-run", "only show what would change")
    .option("-y, --yes", "do not ask")
    .option("--json", JSON_ABOUT)
    .action((file, options) => importFile(context, file, options));
  addExamples(
    command,
    `${PROGRAM} import accounts.sealed --dry-run`,
    `${PROGRAM} import ~/.codex/auth.json --alias work`,
  );
}

async function importFile(context: Context, file: string, options: ImportOptions): Promise<void> {
  if (options.alias !== undefined) checkAlias(options.alias);
  const { readImportFile } = await import("./import_file.ts");
  const source = await readImportFile(context, file);
  const { items, kind } = source;
  if (items.length === 0) {
    throw new Failure("The file holds no accounts; nothing was changed.", "Choose another file.");
  }
  if (options.alias !== undefined && items.length > 1) {
    throw new Failure(
      `--alias names one account, and the file holds ${items.length}.`,
      "Leave it away.",
      2,
    );
  }
  const work = async ({ store, paths }: OpenStore) => {
    const { importAccounts, previewImport } = await import("../store/import_accounts.ts");
    const details = { alias: options.alias, now: context.clock.now() };
    const planned = await previewImport(store, items, details);
    checkSome(context, options, planned);
    if (options.dryRun) {
      const text = `${importTable(planned)}\nNothing was changed (--dry-run).\n`;
      report(context, options, outcomeOf(kind, planned, true), text);
      return;
    }
    const changes = planned.filter(({ account }) => account !== undefined).length;
    if (changes > 0) {
      checkWritable(paths.folder);
      await consent(context, options, planned, changes);
    }
    // Decided anew where no refresh can come between.
    const done = changes > 0 ? await importAccounts(store, items, details) : planned;
    const hint = changes > 0 ? await openCodeHint(context) : undefined;
    const notices = [
      ...(kind === "Codex auth.json" && changes > 0 && !await isDeviceFile(context, file)
        ? [SHARED_WITH_CODEX]
        : []),
      ...(hint === undefined ? [] : [hint]),
    ];
    report(
      context,
      options,
      { ...outcomeOf(kind, done, false), notices },
      `${importTable(done)}\n${summaryOf(done)}\n${
        notices.map((notice) => `${notice}\n`).join("")
      }`,
    );
  };
  await (options.dryRun ? withOpenedStore : withOpenedStoreToChange)(context, work);
}

const SHARED_WITH_CODEX =
  "The Codex CLI holds the same refresh token. When one of the two renews it, the other's is dead.";

/** Whether a file is the `auth.json` of this machine's Codex CLI, with which tokens are shared. */
async function isDeviceFile(context: Context, file: string): Promise<boolean> {
  const { authPath } = await import("../codex_cli/codex_home.ts");
  return followLink(resolve(context.folder, file)) === followLink(authPath(context.env));
}

/** Refuses a file of which nothing can be taken, with the reason. */
function checkSome(context: Context, options: OutputOptions, rows: readonly ImportRow[]): void {
  const first = rows[0];
  if (!first || rows.some(({ action }) => action !== "refused")) return;
  if (rows.length > 1) narrate(context, options, importTable(rows));
  const who = first.email ?? first.alias;
  throw new Failure(
    rows.length === 1
      ? `The account of ${printable(who)} is refused: ${first.why}.`
      : `All ${rows.length} accounts are refused, the first because ${first.why}.`,
    "Nothing was changed.",
  );
}

async function consent(
  context: Context,
  options: ImportOptions,
  rows: readonly ImportRow[],
  changes: number,
): Promise<void> {
  const { input, output } = context.terminal;
  if (options.yes || !input || !output) return;
  narrate(context, options, importTable(rows));
  const prompts = await context.prompts();
  const sure = await prompts.confirm(
    `Import ${changes} ${changes === 1 ? "account" : "accounts"}?`,
    true,
  );
  if (!sure) throw new Failure("Cancelled; nothing was changed.");
}

/** What the actions are called in the table. */
const WORDS: Readonly<Record<ImportAction, string>> = {
  add: "add",
  update: "update",
  unchanged: "unchanged",
  kept: "kept ours",
  refused: "refused",
};

/** What becomes of each account, one line each. */
export function importTable(rows: readonly ImportRow[]): string {
  const cells = rows.map(({ alias, email, action, why }) => [
    printable(alias),
    printable(email ?? "unknown email"),
    WORDS[action],
    why,
  ]);
  const widths = [0, 1, 2].map((at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const lines = cells.map((row) =>
    `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ").trimEnd()}\n`
  );
  return `\n${lines.join("")}`;
}

function summaryOf(rows: readonly ImportRow[]): string {
  const count = (action: ImportAction) => rows.filter((row) => row.action === action).length;
  const parts = [
    [count("add"), "added"],
    [count("update"), "updated"],
    [count("unchanged"), "unchanged"],
    [count("kept"), "kept as here"],
    [count("refused"), "refused"],
  ].filter(([number]) => number !== 0);
  return `${parts.map(([number, what]) => `${number} ${what}`).join(", ")}.`;
}

/** What `--json` shows: never the accounts themselves. */
function outcomeOf(
  kind: string,
  rows: readonly ImportRow[],
  dryRun: boolean,
): Record<string, unknown> {
  return {
    ok: true,
    dryRun,
    kind,
    accounts: rows.map(({ alias, email, action, why }) => ({
      alias,
      email: email ?? null,
      action,
      why: why === "" ? null : why,
    })),
  };
}
