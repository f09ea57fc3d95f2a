import { mayServe } from "../account/account.ts";
import { printable } from "../account/alias.ts";
import { disableAccount } from "../store/by_hand.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { accountNamed, withUnlockedStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";

/** `disable`: takes an account out of the rotation without forgetting it. */
export function registerDisable(program: CommandLine, context: Context): void {
  program.command("disable")
    .summary("Keep an account, but do not use it")
    .description("Takes an account out of the rotation; its tokens stay.")
    .argument("<alias>", "the account's name")
    .option("--reason <text>", "a note for yourself, shown by status")
    .option("--json", JSON_ABOUT)
    .action((alias, options) =>
      withUnlockedStore(context, async ({ store, snapshot }) => {
        const { id, enabled, disabled } = accountNamed(snapshot, alias);
        const newReason = options.reason !== undefined && options.reason !== disabled?.reason;
        const changed = enabled || newReason;
        if (changed) await disableAccount(store, id, context.clock.now(), options.reason);
        const last = !snapshot.accounts.some((other) => other.id !== id && mayServe(other));
        report(
          context,
          options,
          { ok: true, alias, enabled: false, changed, lastOne: last },
          `Account "${printable(alias)}" ${
            enabled ? "disabled" : `is disabled already${newReason ? "; the reason is new" : ""}`
          }.\n` +
            (last ? "No account is left that may serve.\n" : ""),
        );
      })
    );
}
