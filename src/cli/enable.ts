import { printable } from "../account/alias.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { accountNamed, withUnlockedStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";

/** `enable`: lets a disabled account serve again. */
export function registerEnable(program: CommandLine, context: Context): void {
  program.command("enable")
    .summary("Let a disabled account serve again")
    .description("Lets a disabled account serve again.")
    .argument("<alias>", "the account's name")
    .option("--json", JSON_ABOUT)
    .action((alias, options) =>
      withUnlockedStore(context, async ({ store, snapshot }) => {
        const { id, enabled } = accountNamed(snapshot, alias);
        if (!enabled) {
          await store.edit(id, ({ disabled: _disabled, ...account }) => ({
            ...account,
            enabled: true,
          }));
        }
        const text = enabled ? "is enabled already" : "enabled";
        report(
          context,
          options,
          { ok: true, alias, enabled: true, changed: !enabled },
          `Account "${printable(alias)}" ${text}.\n`,
        );
      })
    );
}
