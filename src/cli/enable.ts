import { printable } from "../account/alias.ts";
import { enableAccount } from "../store/by_hand.ts";
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
        const changed = await enableAccount(store, accountNamed(snapshot, alias));
        const text = changed ? "enabled" : "is enabled already";
        report(
          context,
          options,
          { ok: true, alias, enabled: true, changed },
          `Account "${printable(alias)}" ${text}.\n`,
        );
      })
    );
}
