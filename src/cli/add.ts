import type { Account } from "../account/account.ts";
import { checkAlias, printable } from "../account/alias.ts";
import { resolveEndpoints } from "../platform/endpoints.ts";
import { Failure } from "../platform/failure.ts";
import { PROGRAM } from "../platform/version.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { type OpenStore, withUnlockedStore } from "./open_store.ts";
import { openCodeHint } from "./opencode_hint.ts";
import { JSON_ABOUT, narrate, report } from "./output.ts";
import { checkWritable } from "../store/writable.ts";

/** `add`: signs an account in and stores it; an alias that exists is signed in again in place. */
export function registerAdd(program: CommandLine, context: Context): void {
  program.command("add").alias("login")
    .summary("Add a new account (opens browser for OAuth)")
    .description(
      "Signs in to a ChatGPT account and stores it under a name of your choice. An\n" +
        "account of that name is signed in again in place.",
    )
    .argument("<alias>", "your name for the account, such as personal or work")
    .option(
      "--no-browser",
      "for a remote machine: you open the address elsewhere and paste the answer",
    )
    .option("--device", "sign in with a code on another device")
    .option("--json", JSON_ABOUT)
    .action((alias, options) => {
      if (options.device && !options.browser) {
        throw new Failure("--device and --no-browser are two ways to sign in.", "Choose one.", 2);
      }
      return withUnlockedStore(context, async (open) => {
        checkBefore(open, alias);
        const { signIn } = await import("./sign_in.ts");
        const { issuer } = resolveEndpoints(context.env);
        const way = options.device ? "device" : options.browser ? "browser" : "paste";
        const tokens = await signIn(
          context,
          issuer,
          way,
          (text) => narrate(context, options, text),
        );
        // Ctrl-C after the last answer still means no.
        context.signal.throwIfAborted();
        const { admit } = await import("../store/admission.ts");
        const { account, added } = await admit(
          open.store,
          alias,
          tokens,
          "login",
          context.clock.now(),
        );
        const hint = await openCodeHint(context);
        report(
          context,
          options,
          {
            ok: true,
            alias,
            added,
            email: account.email ?? null,
            plan: account.plan ?? null,
            enabled: account.enabled,
            hint: hint ?? null,
          },
          storedText(account, added) + (hint === undefined ? "" : `\n${hint}\n`),
        );
      });
    });
}

/** Says that an account is stored now. */
export function storedText({ alias, email, enabled }: Account, added: boolean): string {
  const name = printable(alias);
  return `\nAccount "${name}" ${added ? "added" : "signed in again"} successfully!\n` +
    `Email: ${printable(email ?? "unknown")}\n` +
    (enabled ? "" : `It stays disabled; to use it: ${PROGRAM} enable ${name}\n`);
}

/** Refuses what would be refused after the login anyway, before the person goes through it. */
export function checkBefore({ snapshot, paths }: OpenStore, alias: string): void {
  // An alias of an older store may break today's rule and stays as it is.
  if (!snapshot.accounts.some((account) => account.alias === alias)) checkAlias(alias);
  checkWritable(paths.folder);
}
