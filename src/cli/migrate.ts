import { existsSync } from "node:fs";
import { printable } from "../account/alias.ts";
import { Failure, messageOf } from "../platform/failure.ts";
import { PROGRAM } from "../platform/version.ts";
import type { InstallPlan } from "../opencode/install.ts";
import type { ImportRow } from "../store/import_plan.ts";
import type { ImportSource } from "../store/import_source.ts";
import type { OlderPlace } from "../store/older_places.ts";
import { carryOut } from "./carry_out.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { importTable } from "./import.ts";
import { planFor } from "./install.ts";
import { installationOf, machineOf } from "./machine.ts";
import { lockedText, type OpenStore, withStore, withUnlockedStore } from "./open_store.ts";
import { JSON_ABOUT, narrate, type OutputOptions } from "./output.ts";
import { checkWritable } from "../store/writable.ts";

interface MigrateOptions extends OutputOptions {
  readonly yes?: true | undefined;
  readonly dryRun?: true | undefined;
}

/** A file of another project and what would become of its accounts. */
interface Found extends OlderPlace {
  readonly source: ImportSource;
  readonly rows: readonly ImportRow[];
}

/** `migrate`: everything it takes to come from an earlier project. */
export function registerMigrate(program: CommandLine, context: Context): void {
  const command = program.command("migrate")
    .summary("Move in from an earlier project of this kind")
    .description(
      "Moves in from an earlier project of this kind, in one go: its accounts are taken\n" +
        "over, its plugin entries leave OpenCode's configuration, ours comes in. Stores in\n" +
        "our own folder, versions 1 and 2, plain or sealed, are used as they are; other\n" +
        "projects' files are imported and stay where they are. Shows what it will do and\n" +
        "asks.",
    )
    .option("-y, --yes", "do not ask")
    .option("--dry-run", "only show what would be done")
    .option("--json", JSON_ABOUT)
    .action((options) => migrate(context, options));
  addExamples(command, `${PROGRAM} migrate --dry-run`, `${PROGRAM} migrate`);
}

async function migrate(context: Context, options: MigrateOptions): Promise<void> {
  // What cannot be read or edited is said before anything changes.
  const plan = await planFor(context, undefined, { movingIn: true });
  const { present, found, notices } = await look(context);
  const wanted = found.filter(({ rows }) => rows.some(({ account }) => account !== undefined));
  const without = wanted.length > 0 ? [] : leftBehind(plan, present !== "");
  const text = `${present}${found.map(describe).join("")}`;
  const object = {
    store: present.trim(),
    files: found.map(({ path, project, rows }) => ({
      path,
      project,
      accounts: rows.map(({ alias, email, action, why }) => ({
        alias,
        email: email ?? null,
        action,
        why: why === "" ? null : why,
      })),
    })),
  };
  if (!options.dryRun && wanted.length > 0) {
    narrate(context, options, text);
    await consent(context, options, wanted);
    await takeOver(context, wanted);
  } else {
    narrate(context, options, text);
  }
  const left = wanted.map(({ path }) =>
    `${path} still holds the same refresh tokens. Delete it once all is well: ` +
    "whoever renews one first ends the other's."
  );
  await carryOut(
    context,
    { ...plan, notices: [...plan.notices, ...notices, ...left, ...without] },
    {
      ...options,
      also: object,
      done: "You have moved in. Restart OpenCode if it is running.",
      nothing: `OpenCode is set up already. Accounts: ${PROGRAM} list`,
    },
  );
}

/** What there is to move. */
async function look(
  context: Context,
): Promise<{ present: string; found: Found[]; notices: string[] }> {
  const { olderPlaces } = await import("../store/older_places.ts");
  const { readImportFile } = await import("./import_file.ts");
  const { previewImport } = await import("../store/import_accounts.ts");
  return await withStore(context, async ({ store, snapshot, paths }) => {
    if (snapshot.locked) throw new Failure(lockedText(store));
    const last = store.files.accounts.last;
    const version = last?.kind === "open" ? last.document.version : undefined;
    const count = snapshot.accounts.length;
    const present = count === 0
      ? ""
      : `\n${paths.accounts}:\n  ${count} ${
        count === 1 ? "account" : "accounts"
      }, used as they are${
        version === 1 || version === 2
          ? ` (format ${version}; the first change writes ours and keeps a copy)`
          : ""
      }\n`;
    const found: Found[] = [];
    const notices = await serviceNotice(context);
    for (const place of olderPlaces(context.env)) {
      if (!existsSync(place.path) || place.path === paths.accounts) continue;
      try {
        const source = await readImportFile(context, place.path);
        const details = { now: context.clock.now() };
        found.push({ ...place, source, rows: await previewImport(store, source.items, details) });
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        notices.push(`Not taken over: ${messageOf(error)}`);
      }
    }
    return { present, found, notices };
  });
}

/** Says of which plugins the entry goes and no account comes; an older package's store is ours. */
function leftBehind({ steps }: InstallPlan, hasAccounts: boolean): readonly string[] {
  const gone = steps.filter(({ reason }) =>
    reason === "rival" || (reason === "older" && !hasAccounts)
  );
  if (gone.length === 0) return [];
  const names = [...new Set(gone.map(({ before }) => before))].join(" and ");
  return [
    `No account comes along from ${names}: no file of its with one was found. If you know ` +
    `where it is: ${PROGRAM} import <file>; else sign in: ${PROGRAM} add personal`,
  ];
}

function describe({ path, project, rows }: Found): string {
  return `\n${path} (of ${project}):${rows.length === 0 ? " no accounts\n" : importTable(rows)}`;
}

async function consent(
  context: Context,
  options: MigrateOptions,
  wanted: readonly Found[],
): Promise<void> {
  if (options.yes) return;
  const { input, output } = context.terminal;
  const names = [...new Set(wanted.map(({ project }) => printable(project)))].join(" and ");
  if (!input || !output) {
    throw new Failure(
      `Nobody can be asked here whether to take over the accounts of ${names}. Nothing was changed.`,
      "Run it on a terminal, or take them with --yes.",
    );
  }
  const prompts = await context.prompts();
  if (!await prompts.confirm(`Take over the accounts of ${names}?`, true)) {
    throw new Failure("Cancelled; nothing was changed.");
  }
}

function takeOver(context: Context, wanted: readonly Found[]): Promise<void> {
  return withUnlockedStore(context, async ({ store, paths }: OpenStore) => {
    checkWritable(paths.folder);
    const { importAccounts } = await import("../store/import_accounts.ts");
    for (const { source } of wanted) {
      await importAccounts(store, source.items, { now: context.clock.now() });
    }
  });
}

/** A service that an older project has written goes on with its program until ours takes its place. */
async function serviceNotice(context: Context): Promise<string[]> {
  const machine = await machineOf(context);
  const { findManager } = await import("../service/find_manager.ts");
  try {
    const { file, present } = findManager({ env: context.env, ...machine });
    if (present() === undefined) return [];
    const { readTextIfExists } = await import("../platform/files.ts");
    const { place } = installationOf(context, machine);
    if ((readTextIfExists(file) ?? "").includes(place)) return [];
    return [
      `The service ${file} starts another program; give it ours with: ${PROGRAM} service install`,
    ];
  } catch {
    return [];
  }
}
