import { printable } from "../account/alias.ts";
import { Failure } from "../platform/failure.ts";
import { PROGRAM } from "../platform/version.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { isOnDevice } from "./on_device.ts";
import { accountNamed, withUnlockedStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";

/** Said when the Codex CLI goes on with the account. */
const STILL_THERE =
  "The Codex CLI of this machine is still signed in to it; from there it does not\n" +
  "come back by itself. To sign Codex out too: codex logout, which ends this login\n" +
  `everywhere, or give Codex another account: ${PROGRAM} switch <alias>\n`;

/**
 * `remove`: forgets an account. On a terminal it asks first; without one it
 * removes at once, as it always did for scripts.
 */
export function registerRemove(program: CommandLine, context: Context): void {
  program.command("remove").alias("rm")
    .summary("Remove an account")
    .description(
      "Removes an account and all that is known about it. On a terminal it asks first.",
    )
    .argument("<alias>", "the account's name")
    .option("-y, --yes", "do not ask")
    .option("--json", JSON_ABOUT)
    .action((alias, options) =>
      withUnlockedStore(context, async ({ store, snapshot }) => {
        const account = accountNamed(snapshot, alias);
        if (!options.yes && context.terminal.input && context.terminal.output) {
          const prompts = await context.prompts();
          const whose = account.email === undefined ? "" : ` (${printable(account.email)})`;
          const sure = await prompts.confirm(
            `Remove account "${printable(alias)}"${whose}? Its tokens will be deleted.`,
          );
          if (!sure) throw new Failure(`Account "${printable(alias)}" stays; nothing was changed.`);
        }
        const onDevice = await isOnDevice(context, account);
        await store.remove(account.id);
        const { clearSandbox, sandboxFolder } = await import("../codex_cli/sandbox.ts");
        const aliases = snapshot.accounts.map((one) => one.alias);
        clearSandbox(sandboxFolder(account.alias, aliases, context.env));
        report(
          context,
          options,
          { ok: true, alias, onDevice },
          `Account "${printable(alias)}" removed.\n${onDevice ? STILL_THERE : ""}`,
        );
      })
    );
}
