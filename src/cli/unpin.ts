import { printable } from "../account/alias.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { withUnlockedStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";

/** `unpin`: back to the strategy. */
export function registerUnpin(program: CommandLine, context: Context): void {
  program.command("unpin")
    .summary("End the pin, rotate again")
    .description("Ends the pin; accounts are chosen by the strategy again.")
    .option("--json", JSON_ABOUT)
    .action((options) =>
      withUnlockedStore(context, async ({ store, snapshot }) => {
        const { pin, accounts } = snapshot;
        if (pin) await store.setPin(null);
        const alias = accounts.find((account) => account.id === pin?.accountId)?.alias;
        const text = pin === null
          ? "No account was pinned."
          : alias === undefined
          ? "Unpinned."
          : `Unpinned "${printable(alias)}".`;
        report(context, options, { ok: true, alias: alias ?? null }, `${text}\n`);
      })
    );
}
