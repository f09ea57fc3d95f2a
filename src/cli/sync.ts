import { checkAlias } from "../account/alias.ts";
import { PROGRAM } from "../platform/version.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { openDevice } from "./open_device.ts";
import { withUnlockedStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";
import { checkWritable } from "../store/writable.ts";

/** `sync`: takes the Codex CLI's login over. */
export function registerSync(program: CommandLine, context: Context): void {
  const command = program.command("sync")
    .summary("Take over the Codex CLI's login")
    .description(
      "Takes what ~/.codex/auth.json (or $CODEX_HOME) holds into the store: a login\n" +
        "that is not here becomes an account, newer tokens take the place of older ones.\n" +
        "Where the Codex CLI holds spent tokens, it gets the new ones. An account that\n" +
        "was removed comes back only with --alias.",
    )
    .option("--alias <alias>", "name for a new account (default: from its email)")
    .option("--json", JSON_ABOUT)
    .action((options) => {
      if (options.alias !== undefined) checkAlias(options.alias);
      return withUnlockedStore(context, async (open) => {
        checkWritable(open.paths.folder);
        const { device } = await openDevice(context, open);
        const { kind, alias, text } = await device.sync({ alias: options.alias });
        report(
          context,
          options,
          { ok: true, result: kind, alias: alias ?? null, text },
          `${text}\n`,
        );
      });
    });
  addExamples(command, `${PROGRAM} sync`, `${PROGRAM} sync --alias work`);
}
