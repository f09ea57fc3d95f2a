import { dirname, resolve } from "node:path";
import type { Account } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { errorCode, Failure, messageOf } from "../platform/failure.ts";
import { followLink, systemFiles, writeFileAtomic } from "../platform/files.ts";
import type { Paths } from "../platform/paths.ts";
import { PROGRAM } from "../platform/version.ts";
import { newPassphrase, withOpenedStore } from "./ask_passphrase.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { JSON_ABOUT, type OutputOptions, report } from "./output.ts";

/** The environment variable with the passphrase of an export. */
export const EXPORT_PASSPHRASE = "OPENCODE_MULTI_AUTH_EXPORT_PASSPHRASE";

/** What a person types who wants an export that everybody can read. */
const PLAIN_WORDS = "plain tokens";

interface ExportOptions extends OutputOptions {
  readonly dryRun?: true | undefined;
  readonly force?: true | undefined;
  readonly plain?: true | undefined;
  readonly yesPlainTokens?: true | undefined;
}

/** `export`: the accounts with their tokens, in a sealed file. */
export function registerExport(program: CommandLine, context: Context): void {
  const command = program.command("export")
    .summary("Write the accounts to a sealed file, to move them")
    .description(
      "Writes all accounts with their tokens, sealed with a passphrase of its own:\n" +
        `asked for twice, or from ${EXPORT_PASSPHRASE}.\n` +
        "Uses, limits and settings stay here. Refresh tokens are for one machine:\n" +
        "once the other one has renewed them, those here are dead.",
    )
    .argument("[file]", "where to; without one, standard output, unless that is a terminal")
    .option("--dry-run", "only show what would be written")
    .option("--force", "replace a file that is there")
    .option("--plain", "do not seal it; asks for a typed confirmation")
    .option("--yes-plain-tokens", "with --plain: do not ask")
    .option("--json", JSON_ABOUT)
    .action((file, options) => {
      checkUsage(context, file, options);
      return withOpenedStore(context, async ({ store, paths }) => {
        const target = file === undefined ? undefined : resolve(context.folder, file);
        if (target !== undefined) checkTarget(target, paths, options.force === true);
        const { accountsToExport, sealExport, writeExport } = await import("../store/transfer.ts");
        const now = context.clock.now();
        const { accounts, interrupted } = await accountsToExport(store, now);
        if (accounts.length === 0) {
          throw new Failure("There are no accounts to export.", `Add one: ${PROGRAM} add <alias>`);
        }
        const aliases = accounts.map(({ alias }) => alias);
        const sealed = options.plain !== true;
        const what = `${aliases.length} ${aliases.length === 1 ? "account" : "accounts"}, ` +
          `${sealed ? "sealed" : "in plain text"}, to ${target ?? "standard output"}`;
        const notices = noticesOf(interrupted);
        const notes = notices.map((notice) => `Note: ${notice}\n`).join("");
        const outcome = {
          ok: true,
          dryRun: options.dryRun === true,
          file: target ?? null,
          sealed,
          accounts: aliases,
          notices,
        };
        if (options.dryRun) {
          const text = `${accountTable(accounts)}\nWould export ${what}.\n${notes}` +
            "Nothing was written (--dry-run).\n";
          report(context, options, outcome, text);
          return;
        }
        if (options.plain) await consentToPlain(context, options);
        const plain = writeExport(accounts, now);
        const text = options.plain
          ? plain
          : await sealExport(plain, await newPassphrase(context, EXPORT_PASSPHRASE, "the export"));
        if (target === undefined) {
          context.write(text);
          context.warn(notes);
          return;
        }
        save(target, text);
        report(
          context,
          options,
          outcome,
          `Exported ${what}.\n` +
            `On the other machine: ${PROGRAM} import <file>\n${notes}`,
        );
      });
    });
  addExamples(
    command,
    `${PROGRAM} export accounts.sealed --dry-run`,
    `${PROGRAM} export accounts.sealed`,
    `${PROGRAM} export | ssh laptop 'cat > accounts.sealed'`,
    `${PROGRAM} export --plain --yes-plain-tokens | age -p > accounts.age`,
  );
}

function checkUsage(context: Context, file: string | undefined, options: ExportOptions): void {
  if (options.yesPlainTokens && !options.plain) {
    throw new Failure("--yes-plain-tokens answers a question of --plain.", "Give both.", 2);
  }
  if (file !== undefined || options.dryRun) return;
  if (options.json) {
    throw new Failure("With --json standard output is taken.", "Name a file to export to.", 2);
  }
  if (options.force) throw new Failure("--force is about a file.", "Name the file.", 2);
  if (context.terminal.output) {
    throw new Failure(
      "An export is not for a terminal, which shows and keeps it.",
      `Name a file: ${PROGRAM} export accounts.sealed`,
      2,
    );
  }
}

/** Refuses files that are there, and those of the store in any case. */
function checkTarget(target: string, paths: Paths, force: boolean): void {
  const real = followLink(target);
  const own = [paths.accounts, paths.state, paths.settings, paths.log].map((path) =>
    followLink(path)
  );
  const isOwn = own.some((path) => real === path || real.startsWith(`${path}.`)) ||
    real.startsWith(`${followLink(paths.state)}-`);
  if (isOwn) {
    throw new Failure(
      `${target} is a file of the store; nothing was written.`,
      "Choose another place for the export.",
    );
  }
  let there = true;
  try {
    if (systemFiles.lstat(target).isDirectory()) {
      throw new Failure(`${target} is a folder.`, "Name a file in it.");
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    there = errorCode(error) !== "ENOENT" && errorCode(error) !== "ENOTDIR";
  }
  if (there && !force) {
    throw new Failure(
      `${target} is there already; nothing was written.`,
      "Choose another name, or replace it with --force.",
    );
  }
}

async function consentToPlain(context: Context, options: ExportOptions): Promise<void> {
  if (options.yesPlainTokens) return;
  if (!context.terminal.input) {
    throw new Failure(
      "Nobody can be asked here whether the tokens may leave in plain text; nothing was written.",
      "Leave --plain away, or say so with --yes-plain-tokens.",
    );
  }
  const prompts = await context.prompts();
  const typed = await prompts.text(
    `Whoever gets a plain export can use the accounts. If you want that, type: ${PLAIN_WORDS}`,
  );
  if (typed.trim() !== PLAIN_WORDS) {
    throw new Failure("Nothing was written.", "Without --plain the export is sealed.");
  }
}

/** Who would be in the export, one line each. */
function accountTable(accounts: readonly Account[]): string {
  const width = Math.max(...accounts.map(({ alias }) => printable(alias).length));
  const lines = accounts.map(({ alias, email, setAside }) =>
    `  ${printable(alias).padEnd(width)}  ${printable(email ?? "unknown email")}${
      setAside ? `  ${setAside.reason}` : ""
    }\n`
  );
  return `\n${lines.join("")}`;
}

function noticesOf(interrupted: readonly string[]): string[] {
  return [
    ...interrupted.map((alias) =>
      `A refresh of "${printable(alias)}" has not ended; in the export it needs a login.`
    ),
    "Use the accounts on one machine: when the other has renewed a token, the one here is dead.",
  ];
}

function save(target: string, text: string): void {
  try {
    writeFileAtomic(target, text);
  } catch (error) {
    throw new Failure(
      `${target} cannot be written (${errorCode(error) ?? messageOf(error)}).`,
      `Check the disk and the folder ${dirname(target)}.`,
    );
  }
}
