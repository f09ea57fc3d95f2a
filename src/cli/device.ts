import { printable } from "../account/alias.ts";
import { codexHome } from "../codex_cli/codex_home.ts";
import type { DeviceState } from "../codex_cli/device.ts";
import { PROGRAM } from "../platform/version.ts";
import type { Snapshot } from "../store/store.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { openDevice } from "./open_device.ts";
import { lockedText, withStore } from "./open_store.ts";
import { JSON_ABOUT, report } from "./output.ts";
import { dateTime } from "./time.ts";

/** `device`: who the Codex CLI of this machine is. */
export function registerDevice(program: CommandLine, context: Context): void {
  const command = program.command("device")
    .summary("Show the Codex CLI's account")
    .description(
      "Shows which account the Codex CLI of this machine uses, where it keeps its\n" +
        "login, and whether one runs. Asks no server: a login that the issuer has ended\n" +
        "looks the same.",
    )
    .option("--json", JSON_ABOUT)
    .action((options) =>
      withStore(context, async (open) => {
        const { toUseFile } = await import("../codex_cli/credential_store.ts");
        const { device, running } = await openDevice(context, open);
        const [state, processes] = [await device.state(), await running()];
        const account = accountOf(state, open.snapshot);
        const { content, credentialStore, path, changedAt } = state;
        const hidden = content.kind === "stranger" && open.snapshot.locked;
        report(
          context,
          options,
          {
            path,
            credentialStore,
            content: content.kind,
            alias: account?.alias ?? null,
            email: account?.email ?? ("email" in content ? content.email : undefined) ?? null,
            why: "why" in content && !hidden ? content.why : null,
            changedAt,
            processes: processes ?? null,
          },
          [
            `Account: ${accountText(state, open.snapshot)}`,
            ...(open.snapshot.locked ? [lockedText(open.store)] : []),
            `Credential store: ${storeText(state)}`,
            ...(changedAt === null || content.kind === "elsewhere"
              ? []
              : [`Last change: ${dateTime(changedAt, context)}`]),
            `Running: ${runningText(processes)}`,
            ...(open.snapshot.locked ? [] : takeOverText(content)),
            ...(credentialStore === "file" ? [] : [toUseFile(codexHome(context.env))]),
            "",
          ].join("\n"),
        );
      })
    );
  addExamples(command, `${PROGRAM} device`, `${PROGRAM} device --json`);
}

function accountOf({ content }: DeviceState, { accounts }: Snapshot) {
  return content.kind === "account"
    ? accounts.find(({ id }) => id === content.accountId)
    : undefined;
}

function accountText(state: DeviceState, snapshot: Snapshot): string {
  const { content, credentialStore } = state;
  switch (content.kind) {
    case "account": {
      const { alias = "", email } = accountOf(state, snapshot) ?? {};
      return printable(alias) + (email === undefined ? "" : ` (${printable(email)})`) +
        (credentialStore === "auto" ? ", if Codex uses its file and no keyring" : "");
    }
    case "elsewhere":
      return "not known from here";
    case "absent":
      return credentialStore === "file" ? "none, Codex is not signed in" : "not known from here";
    case "api key":
      return "none, Codex uses an API key";
    case "unreadable":
      return `not known: ${content.why}`;
    case "stranger":
      // Whether it is in the store shows only when that is open.
      return printable(content.email ?? "unknown email") +
        (snapshot.locked ? "" : `, not in the store: ${content.why}`);
  }
}

/** How a login that is not stored becomes an account, if it can. */
function takeOverText(content: DeviceState["content"]): string[] {
  if (content.kind !== "stranger") return [];
  if (content.reason === "new") return [`To take it over: ${PROGRAM} sync`];
  return content.reason === "removed" ? [`To bring it back: ${PROGRAM} sync --alias <alias>`] : [];
}

function storeText({ credentialStore, path }: DeviceState): string {
  switch (credentialStore) {
    case "file":
      return `file (${path})`;
    case "keyring":
      return "keyring of the system; it is neither read nor changed from here";
    case "auto":
      return `auto (the system's keyring, or ${path}; only Codex knows which)`;
    case "ephemeral":
      return "ephemeral; Codex forgets its login when it ends";
  }
}

function runningText(processes: readonly number[] | undefined): string {
  if (processes === undefined) return "cannot be seen on this machine";
  return processes.length === 0
    ? "no"
    : `yes (pid ${processes.join(", ")}); it keeps its account until it is restarted`;
}
