import { Failure } from "../platform/failure.ts";
import { set } from "../platform/paths.ts";
import { PROGRAM } from "../platform/version.ts";
import { withOpenedStoreToChange } from "./ask_passphrase.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { JSON_ABOUT, report } from "./output.ts";
import { checkWritable } from "../store/writable.ts";

/** `unseal`: makes a sealed store plain again. */
export function registerUnseal(program: CommandLine, context: Context): void {
  const command = program.command("unseal")
    .summary("Keep the accounts in plain text again")
    .description(
      "Takes the encryption of accounts.json back: whoever can read the file can then\n" +
        "use the accounts. Asks first.",
    )
    .option("-y, --yes", "do not ask")
    .option("--json", JSON_ABOUT)
    .action((options) =>
      withOpenedStoreToChange(context, async ({ store, paths, snapshot }) => {
        const accounts = snapshot.accounts.length;
        if (store.files.accounts.last?.sealed === undefined) {
          const text = `${paths.accounts} is not sealed; nothing was changed.\n`;
          report(context, options, { ok: true, changed: false, accounts, notices: [] }, text);
          return;
        }
        checkWritable(paths.folder);
        if (!options.yes) await consent(context, paths.accounts);
        const { unseal } = await import("../store/reseal.ts");
        await unseal(store);
        const notices = stillSet(context);
        report(
          context,
          options,
          { ok: true, changed: true, accounts, notices },
          `${paths.accounts} holds its tokens in plain text now.\n` +
            notices.map((notice) => `${notice}\n`).join(""),
        );
      })
    );
  addExamples(
    command,
    `${PROGRAM} unseal`,
    `${PROGRAM} unseal --yes`,
  );
}

async function consent(context: Context, path: string): Promise<void> {
  const { input, output } = context.terminal;
  if (!input || !output) {
    throw new Failure(
      "Nobody can be asked here whether tokens may stand in plain text; nothing was changed.",
      "If they may: --yes",
    );
  }
  const prompts = await context.prompts();
  const sure = await prompts.confirm(
    `Write the tokens in plain text to ${path}? Whoever can read the file can use the accounts.`,
  );
  if (!sure) throw new Failure("The store stays sealed; nothing was changed.");
}

/** What would seal it again. */
function stillSet({ env }: Context): string[] {
  return ["CODEX_SOFT_STORE_PASSPHRASE", "CODEX_SOFT_STORE_PASSPHRASE_COMMAND"]
    .filter((name) => set(env[name]) !== undefined)
    .map((name) =>
      `${name} is still set: unset it, also for OpenCode, or the next save seals the store again.`
    );
}
