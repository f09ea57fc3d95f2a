import { Failure } from "../platform/failure.ts";
import { set } from "../platform/paths.ts";
import { PROGRAM } from "../platform/version.ts";
import { newPassphrase, withOpenedStoreToChange } from "./ask_passphrase.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { noAction } from "./no_action.ts";
import { JSON_ABOUT, type OutputOptions, report } from "./output.ts";
import { PASSPHRASE_VARIABLES } from "./seal.ts";
import { checkWritable } from "../store/writable.ts";

/** The environment variable that holds the passphrase to change to. */
const NEW = "CODEX_SOFT_STORE_PASSPHRASE_NEW";

/** `passphrase change`: seals a sealed store anew. */
export function registerPassphrase(program: CommandLine, context: Context): void {
  const passphrase = program.command("passphrase")
    .summary("Change the passphrase of a sealed store (change)")
    .description("Changes the passphrase of a sealed store.")
    .usage("<action> [options]")
    .argument("[action]", "change")
    .option("--json", JSON_ABOUT)
    .helpCommand(false)
    .enablePositionalOptions()
    .action((action) => {
      throw noAction("passphrase", action, "change");
    });
  const command = passphrase.command("change")
    .summary("Seal the store with another passphrase")
    .description(
      "Seals the store with another passphrase. The present one comes from the\n" +
        "environment or is asked for; the new one is asked for twice, or comes from\n" +
        `${NEW}.`,
    )
    .option("--json", JSON_ABOUT)
    .action((options) => change(context, options));
  for (const one of [passphrase, command]) {
    addExamples(
      one,
      `${PROGRAM} passphrase change`,
      `${NEW}="$NEW" ${PROGRAM} passphrase change`,
    );
  }
}

function change(context: Context, options: OutputOptions): Promise<void> {
  return withOpenedStoreToChange(context, async ({ store, paths, snapshot }) => {
    if (store.files.accounts.last?.sealed === undefined) {
      throw new Failure(`${paths.accounts} is not sealed.`, `Seal it with: ${PROGRAM} seal`);
    }
    checkWritable(paths.folder);
    const passphrase = await newPassphrase(context, NEW, "the store from now on");
    const { seal } = await import("../store/reseal.ts");
    await seal(store, passphrase);
    const stale = ["CODEX_SOFT_STORE_PASSPHRASE", "CODEX_SOFT_STORE_PASSPHRASE_COMMAND"]
      .some((name) => set(context.env[name]) !== undefined);
    report(
      context,
      options,
      { ok: true, accounts: snapshot.accounts.length, update: stale },
      `${paths.accounts} is sealed with the new passphrase.\n` +
        `Give it to ${PASSPHRASE_VARIABLES},\nwherever these accounts are used; ` +
        "an OpenCode that runs must be restarted with it.\n",
    );
  });
}
