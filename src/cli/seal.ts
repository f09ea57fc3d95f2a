import { PROGRAM } from "../platform/version.ts";
import { newPassphrase, withOpenedStoreToChange } from "./ask_passphrase.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import type { OpenStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";
import { checkWritable } from "../store/writable.ts";

/** Where a passphrase is looked for, in words for a person. */
export const PASSPHRASE_VARIABLES =
  "CODEX_SOFT_STORE_PASSPHRASE, or CODEX_SOFT_STORE_PASSPHRASE_COMMAND";

/** `seal`: encrypts a plain store. */
export function registerSeal(program: CommandLine, context: Context): void {
  const command = program.command("seal")
    .summary("Encrypt the accounts with a passphrase")
    .description(
      "Encrypts accounts.json (AES-256-GCM, key by scrypt) and removes every plain copy\n" +
        "beside it. The passphrase is that of the environment, which OpenCode needs as\n" +
        "well; without one it is asked for on the terminal.",
    )
    .option("--json", JSON_ABOUT)
    .action((options) =>
      withOpenedStoreToChange(context, async ({ store, paths, snapshot }) => {
        checkWritable(paths.folder);
        const already = store.files.accounts.last?.sealed !== undefined;
        if (!already) await sealPlain(context, store);
        // One that an older project sealed gets today's key cost.
        const stronger = already && await strengthen(store);
        const changed = !already || stronger;
        // The Codex CLI's sandboxes may hold access tokens in plain text.
        (await import("../codex_cli/sandbox.ts")).clearSandboxes(context.env);
        const count = snapshot.accounts.length;
        const plainCopies = store.files.accounts.plainCopies.length;
        const text = already
          ? `${paths.accounts} is sealed already${
            stronger ? "; it has a stronger key now" : ""
          }.\nTo change the passphrase: ${PROGRAM} passphrase change\n`
          : `Sealed ${count} ${count === 1 ? "account" : "accounts"} in ${paths.accounts}.\n` +
            (plainCopies === 0 ? "No plain copy is left beside it.\n" : "") +
            FROM_NOW_ON;
        report(context, options, {
          ok: true,
          changed,
          accounts: count,
          plainCopiesLeft: plainCopies,
        }, text);
      })
    );
  addExamples(
    command,
    `${PROGRAM} seal`,
    `CODEX_SOFT_STORE_PASSPHRASE_COMMAND="pass show codex" ${PROGRAM} seal`,
  );
}

const FROM_NOW_ON = `From now on ${PASSPHRASE_VARIABLES},
must be set wherever these accounts are used, also where OpenCode is started;
without it the store is locked. Nobody can recover a passphrase: keep it.
`;

/** Seals a plain store with the environment's passphrase, else with one that is asked for. */
async function sealPlain(context: Context, store: OpenStore["store"]): Promise<void> {
  // What the environment says wins: every later save would use it.
  if (store.files.keyring.configured) return await rewrite(store);
  const passphrase = await newPassphrase(context, "CODEX_SOFT_STORE_PASSPHRASE", "the store");
  const { seal } = await import("../store/reseal.ts");
  await seal(store, passphrase);
}

/** Whether a weak key was replaced. */
async function strengthen(store: OpenStore["store"]): Promise<boolean> {
  const { isStrong } = await import("../store/seal.ts");
  const sealed = store.files.accounts.last?.sealed;
  if (!sealed || isStrong(sealed)) return false;
  await rewrite(store);
  return true;
}

/** Saves the accounts as they are; with a passphrase every save is sealed. */
function rewrite(store: OpenStore["store"]): Promise<void> {
  return store.files.change((entries) => ({ entries, result: undefined }));
}
