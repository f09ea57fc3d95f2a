import { printable } from "../account/alias.ts";
import { restoreAccount } from "../store/by_hand.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { accountNamed, withUnlockedStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";

/**
 * `restore`: the person's word that an account may be tried again. Only this
 * sends a refresh token once more whose refresh was cut off.
 */
export function registerRestore(program: CommandLine, context: Context): void {
  program.command("restore")
    .summary("Try an account again that was set aside or blocked")
    .description(
      "Brings back an account that was set aside, and lifts its blocks. If its tokens are\n" +
        "really dead it will be set aside again; then sign in with: add <alias>",
    )
    .argument("<alias>", "the account's name")
    .option("--json", JSON_ABOUT)
    .action((alias, options) =>
      withUnlockedStore(context, async ({ store, snapshot }) => {
        const account = accountNamed(snapshot, alias);
        const lifted = await restoreAccount(store, account, snapshot, context.clock.now());
        const text = lifted.length === 0
          ? `Account "${printable(alias)}" was neither set aside nor blocked.`
          : `Account "${printable(alias)}" will be tried again (was: ${lifted.join(", ")}).`;
        report(context, options, { ok: true, alias, lifted }, `${text}\n`);
      })
    );
}
