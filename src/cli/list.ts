import { printable } from "../account/alias.ts";
import type { Snapshot } from "../store/store.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { lockedText, withStore } from "./open_store.ts";
import { JSON_ABOUT, type OutputOptions, report } from "./output.ts";
import { type Paint, paintOf } from "./style.ts";

/** `list`: one line for each account. */
export function registerList(program: CommandLine, context: Context): void {
  program.command("list").alias("ls")
    .summary("List all configured accounts")
    .description("Lists the accounts, one line each.")
    .option("--json", JSON_ABOUT)
    .action((options) => showList(context, options));
}

/** Does it. */
export function showList(context: Context, options: OutputOptions): Promise<void> {
  return withStore(context, ({ store, snapshot }) => {
    const text = snapshot.locked ? `${lockedText(store)}\n` : listText(snapshot, paintOf(context));
    report(context, options, listObject(snapshot), text);
    return Promise.resolve();
  });
}

function listObject({ accounts, figures, locked }: Snapshot): Record<string, unknown> {
  return {
    locked,
    accounts: accounts.map(({ id, alias, email, plan, enabled, setAside }) => ({
      alias,
      email: email ?? null,
      plan: plan ?? null,
      uses: figures.get(id)?.uses ?? 0,
      enabled,
      setAside: setAside?.reason ?? null,
    })),
  };
}

function listText({ accounts, figures }: Snapshot, paint: Paint): string {
  if (accounts.length === 0) {
    return "No accounts configured.\nAdd one with: opencode-multi-auth add <alias>\n";
  }
  const lines = accounts.map((account) => {
    const alias = paint("bold", printable(account.alias));
    const email = printable(account.email ?? "unknown email");
    const uses = figures.get(account.id)?.uses ?? 0;
    const mark = account.enabled ? "" : paint("dim", " [disabled]");
    return `  ${alias}: ${email} (uses: ${uses})${mark}\n`;
  });
  return `\nConfigured accounts:\n\n${lines.join("")}\n`;
}
