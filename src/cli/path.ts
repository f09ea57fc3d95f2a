import { resolvePaths } from "../platform/paths.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { JSON_ABOUT, type OutputOptions, report } from "./output.ts";

/** `path`: where the accounts are kept. Touches no file. */
export function registerPath(program: CommandLine, context: Context): void {
  program.command("path")
    .summary("Show config file location")
    .description("Shows where the accounts are kept; with --json also our other files.")
    .option("--json", JSON_ABOUT)
    .action((options) => showPath(context, options));
}

/** Does it. */
export function showPath(context: Context, options: OutputOptions): void {
  const { folder, accounts, state, settings, log } = resolvePaths(context.env);
  report(context, options, { path: accounts, folder, state, settings, log }, `${accounts}\n`);
}
