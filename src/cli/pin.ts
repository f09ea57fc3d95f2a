import { printable } from "../account/alias.ts";
import { parseDuration } from "../platform/duration.ts";
import { Failure } from "../platform/failure.ts";
import { pinAccount } from "../store/by_hand.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { accountNamed, withUnlockedStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";
import { moment } from "./time.ts";

/** `pin`: one account serves everything, at once and until it ends. */
export function registerPin(program: CommandLine, context: Context): void {
  program.command("pin")
    .summary("Use one account for everything (--for 2h)")
    .description(
      "Sends every request to one account, running conversations included. While that\n" +
        "account cannot serve, the others step in.",
    )
    .argument("<alias>", "the account's name")
    .option("--for <span>", "how long, such as 30m, 2h or 1d (default: until unpin)")
    .option("--json", JSON_ABOUT)
    .action((alias, options) => {
      const span = options.for === undefined ? undefined : spanOf(options.for);
      return withUnlockedStore(context, async ({ store, snapshot }) => {
        const account = accountNamed(snapshot, alias);
        const now = context.clock.now();
        const until = span === undefined ? null : now + span;
        const { pin } = snapshot;
        const already = pin?.accountId === account.id && pin.until === until;
        await pinAccount(store, account, until);
        const end = until === null
          ? "until you unpin it (opencode-multi-auth unpin)"
          : `until ${moment(until, now, context)}`;
        report(
          context,
          options,
          { ok: true, alias, until, changed: !already },
          `${already ? "Already pinned" : "Pinned"} to "${printable(alias)}" ${end}.\n`,
        );
      });
    });
}

function spanOf(text: string): number {
  const span = parseDuration(text);
  if (span !== undefined) return span;
  throw new Failure(`"${printable(text)}" is not a span of time.`, "Write 30m, 2h or 1d.", 2);
}
