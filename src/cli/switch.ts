import { printable } from "../account/alias.ts";
import { PROGRAM } from "../platform/version.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { openDevice } from "./open_device.ts";
import { accountNamed, withUnlockedStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";

/** `switch`: gives the Codex CLI of this machine another account. */
export function registerSwitch(program: CommandLine, context: Context): void {
  const command = program.command("switch")
    .summary("Let the Codex CLI use an account")
    .description(
      "Writes an account's login into ~/.codex/auth.json (or $CODEX_HOME), under the\n" +
        "Codex CLI's own locks. What stands there is taken into the store before, and\n" +
        "settings beside the login stay. A Codex that runs keeps its account until it is\n" +
        "restarted.",
    )
    .argument("<alias>", "the account's name")
    .option("--force", "also replace a login that cannot be taken into the store")
    .option("--json", JSON_ABOUT)
    .action((alias, options) =>
      withUnlockedStore(context, async (open) => {
        const account = accountNamed(open.snapshot, alias);
        const { device, running } = await openDevice(context, open);
        const { codexRuns } = await device.switchTo(account, {
          overwrite: options.force === true,
        });
        const processes = codexRuns ? await running() : [];
        const { path } = await device.state();
        report(
          context,
          options,
          { ok: true, alias, path, codexRuns, processes: processes ?? null },
          `The Codex CLI of this machine uses "${printable(alias)}" now (${path}).\n` +
            (codexRuns ? `${restartText(processes)}\n` : ""),
        );
      })
    );
  addExamples(command, `${PROGRAM} switch work`, `${PROGRAM} switch work --json`);
}

/** Tells the person what a running Codex does with a switch. */
function restartText(processes: readonly number[] | undefined): string {
  if (processes === undefined) {
    return "If a Codex runs, restart it: until then it keeps the account it began with.";
  }
  const [first, ...more] = processes;
  if (first === undefined) return "A Codex was running: one that goes on keeps its account.";
  return more.length === 0
    ? `A Codex runs (pid ${first}). Restart it: until then it keeps the account it began with.`
    : `${processes.length} Codex run (pids ${
      processes.join(", ")
    }). Restart them: until then they ` +
      "keep the account they began with.";
}
