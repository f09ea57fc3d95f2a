import { resolveEndpoints } from "../platform/endpoints.ts";
import { Failure } from "../platform/failure.ts";
import { PROGRAM } from "../platform/version.ts";
import { checkBefore, storedText } from "./add.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { noAction } from "./no_action.ts";
import { withUnlockedStore } from "./open_store.ts";
import { openCodeHint } from "./opencode_hint.ts";
import { JSON_ABOUT, report } from "./output.ts";

/** What standard input would have to give, and what makes no ChatGPT login. */
const NO_LOGIN = ["--with-api-key", "--with-access-token", "status", "help", "--help", "-h"];

/** `codex login`: signs in through the Codex CLI without touching the login it has. */
export function registerCodex(program: CommandLine, context: Context): void {
  const group = program.command("codex")
    .summary("Sign in through the Codex CLI (login)")
    .description("Works with the Codex CLI of this machine.")
    .usage("<action> [options]")
    .argument("[action]", "login")
    .option("--json", JSON_ABOUT)
    .helpCommand(false)
    .enablePositionalOptions()
    .action((action) => {
      throw noAction("codex", action, "login");
    });
  const command = group.command("login")
    .summary("Sign in with codex login and store the account")
    .description(
      "Runs codex login in an empty folder of its own and stores the account that\n" +
        "signs in. Codex itself stays as it is: a plain codex login would first revoke\n" +
        "the tokens it has, and those would be dead here too. What follows -- goes to\n" +
        "codex login.",
    )
    .argument("<alias>", "your name for the account, such as personal or work")
    .argument("[options...]", "options of codex login, after --")
    .option("--json", JSON_ABOUT)
    .action((alias, args, options) => {
      const wrong = args.find((arg) => NO_LOGIN.includes(arg));
      if (wrong !== undefined) {
        throw new Failure(`codex login ${wrong} makes no ChatGPT login.`, "Leave it away.", 2);
      }
      return withUnlockedStore(context, async (open) => {
        checkBefore(open, alias);
        const { loginWithCodex } = await import("../codex_cli/login_home.ts");
        const { runInTerminal } = await import("./run_in_terminal.ts");
        const { env, signal, clock } = context;
        const login = await loginWithCodex({
          env,
          issuer: resolveEndpoints(env).issuer,
          folder: open.paths.folder,
          args,
          now: clock.now(),
          run: context.runInTerminal ??
            ((command, args, env) =>
              runInTerminal(command, args, env, options.json ? "error" : "output", signal)),
        });
        signal.throwIfAborted();
        const { admit } = await import("../store/admission.ts");
        const { account, added } = await admit(open.store, alias, login, "codex", clock.now());
        const hint = await openCodeHint(context);
        report(
          context,
          options,
          { ok: true, alias, added, email: account.email ?? null, hint: hint ?? null },
          `${storedText(account, added)}For the Codex CLI itself: ${PROGRAM} switch ${alias}\n` +
            (hint === undefined ? "" : `\n${hint}\n`),
        );
      });
    });
  for (const one of [group, command]) {
    addExamples(
      one,
      `${PROGRAM} codex login work`,
      `${PROGRAM} codex login work -- --device-auth`,
    );
  }
}
