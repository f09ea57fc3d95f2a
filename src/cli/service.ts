import { printable } from "../account/alias.ts";
import { isLoopback } from "../platform/endpoints.ts";
import { Failure } from "../platform/failure.ts";
import { PROGRAM } from "../platform/version.ts";
import type { ServiceManager } from "../service/service.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { lineCountOf } from "./count.ts";
import { addExamples } from "./examples.ts";
import { installationOf, machineOf } from "./machine.ts";
import { noAction } from "./no_action.ts";
import { JSON_ABOUT, type OutputOptions, report } from "./output.ts";

interface AddressOptions extends OutputOptions {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
}

const PORT = 3434;
const HOST = "127.0.0.1";
/** Lines of the log that are shown unless the person says how many. */
const LINES = 100;

/** `service`: the dashboard as a service of the person's session. */
export function registerService(program: CommandLine, context: Context): void {
  const service = program.command("service")
    .summary("Install/disable systemd user service (install|disable|status)")
    .description(
      "Runs the dashboard (the command web) as a service of your own session: a systemd\n" +
        "user service on Linux, a launchd agent on macOS. Never as root.",
    )
    .usage("<action> [options]")
    .argument("[action]", "install, status, disable, uninstall or logs")
    .option("--json", JSON_ABOUT)
    .helpCommand(false)
    .enablePositionalOptions()
    .action((action) => {
      throw noAction("service", action, "install, status, disable, uninstall, logs");
    });
  addExamples(
    service,
    `${PROGRAM} service install --port 3434 --host 127.0.0.1`,
    `${PROGRAM} service logs --follow`,
  );

  const install = service.command("install")
    .summary("Write the service and start it, now and with each session")
    .description(
      "Writes the service and starts it, now and with each session. Done again, it\n" +
        "takes over a new version, another port, or a changed environment; what you\n" +
        "leave out stays as it is.\n\n" +
        "The service gets PATH and our variables as they are now (service.env, 0600). A\n" +
        "passphrase itself is never written down: for a sealed store, set\n" +
        "CODEX_SOFT_STORE_PASSPHRASE_COMMAND before you install. It stays until you install\n" +
        "with another one, or with an empty one.",
    )
    .option("--port <port>", `the dashboard's port (default: as it is, else ${PORT})`, portOf)
    .option("--host <address>", `a loopback address (default: as it is, else ${HOST})`, hostOf)
    .option("--json", JSON_ABOUT)
    .action((options) => installService(context, options));
  addExamples(
    install,
    `${PROGRAM} service install`,
    `${PROGRAM} service install --port 4000`,
    'export CODEX_SOFT_STORE_PASSPHRASE_COMMAND="pass show codex"',
  );

  const status = service.command("status")
    .summary("Show what the service is doing")
    .description(
      "Shows the service manager's own report. Ends with 1 where the service is not\n" +
        "installed or does not run.",
    )
    // Taken by the projects before us; they change nothing here.
    .option("--port <port>", "taken and ignored, as it always was", portOf)
    .option("--host <address>", "taken and ignored, as it always was", hostOf)
    .option("--json", JSON_ABOUT)
    .action((options) => serviceStatus(context, options));
  addExamples(status, `${PROGRAM} service status`, `${PROGRAM} service status --json`);

  const disable = service.command("disable")
    .summary("Stop the service, and do not start it again")
    .description("Stops the service, now and for later sessions. Its file stays.")
    .option("--port <port>", "taken and ignored, as it always was", portOf)
    .option("--host <address>", "taken and ignored, as it always was", hostOf)
    .option("--json", JSON_ABOUT)
    .action(async (options) => {
      const manager = await managerOf(context);
      present(manager);
      await manager.disable();
      report(
        context,
        options,
        { ok: true, file: manager.file },
        `Disabled codex-soft ${manager.kind}.\n`,
      );
    });
  addExamples(disable, `${PROGRAM} service disable`);

  const uninstall = service.command("uninstall")
    .summary("Stop the service and remove its files")
    .description(
      "Stops the service and removes what install wrote: the service's file and its\n" +
        "environment. Accounts and settings stay.",
    )
    .option("--json", JSON_ABOUT)
    .action(async (options) => {
      const manager = await managerOf(context);
      const there = manager.present() !== undefined;
      if (there) await manager.uninstall();
      report(
        context,
        options,
        { ok: true, removed: there, file: manager.file },
        there
          ? `Removed codex-soft ${manager.kind}, ${manager.file}\n`
          : "The service is not installed.\n",
      );
    });
  addExamples(uninstall, `${PROGRAM} service uninstall`);

  const logs = service.command("logs")
    .summary("Show what the service has printed")
    .description(
      "Shows what the service has printed. What the program itself records is shown by\n" +
        "the command logs.",
    )
    .option("-f, --follow", "go on until Ctrl-C")
    .option("-n, --lines <number>", "how many of the last lines", lineCountOf, LINES)
    .action(async ({ follow = false, lines }) => {
      const manager = await managerOf(context);
      present(manager);
      const code = await manager.showLog({ lines, follow });
      if (code !== 0) {
        throw new Failure(
          `The log of ${manager.service} could not be shown (code ${code}).`,
          `See: ${PROGRAM} service status`,
        );
      }
    });
  addExamples(logs, `${PROGRAM} service logs`, `${PROGRAM} service logs -f -n 20`);
}

async function managerOf(context: Context): Promise<ServiceManager> {
  const { findManager } = await import("../service/find_manager.ts");
  return findManager({ env: context.env, ...await machineOf(context) });
}

/** The present settings. Throws where there is no service. */
function present(manager: ServiceManager): void {
  if (manager.present() !== undefined) return;
  throw new Failure("The service is not installed.", `Install it with: ${PROGRAM} service install`);
}

async function installService(context: Context, options: AddressOptions): Promise<void> {
  const machine = await machineOf(context);
  const manager = await managerOf(context);
  const installation = installationOf(context, machine);
  if (machine.uid === 0 && context.env["SUDO_USER"] !== undefined) {
    throw new Failure(
      "The service belongs to you, not to root.",
      `Run it without sudo: ${PROGRAM} service install`,
    );
  }
  if (installation.kind === "npx") {
    throw new Failure(
      "This copy of the program is a package runner's, and may be gone tomorrow.",
      "Install it first: npm install --global opencode-multi-auth-codex",
    );
  }
  const before = manager.present();
  const kept = before?.host !== undefined && isLoopback(before.host) ? before.host : undefined;
  const host = options.host ?? kept ?? HOST;
  const port = options.port ?? before?.port ?? PORT;
  const { startWords } = await import("../platform/installation.ts");
  const { keptEnvironment, leavesPassphrase } = await import("../service/kept_environment.ts");
  const command = [
    ...startWords(installation),
    "web",
    "--host",
    host,
    "--port",
    String(port),
  ];
  const environment = keptEnvironment(context.env, before?.environment);
  const installed = await manager.install({ command, environment });
  const notices = [
    ...(leavesPassphrase(context.env, environment) ? [NO_PASSPHRASE] : []),
    ...installed.notices,
  ];
  report(
    context,
    options,
    { ok: true, manager: manager.name, file: manager.file, command, host, port, notices },
    `Installed ${manager.kind} at ${manager.file}\n` +
      `It serves http://${host.includes(":") ? `[${host}]` : host}:${port}; open it with: ` +
      `${PROGRAM} web --url${port === PORT ? "" : ` --port ${port}`}\n` +
      notices.map((notice) => `${notice}\n`).join(""),
  );
}

const NO_PASSPHRASE = "CODEX_SOFT_STORE_PASSPHRASE was not written down, so a sealed store stays " +
  "locked in the service; set CODEX_SOFT_STORE_PASSPHRASE_COMMAND and install it again.";

async function serviceStatus(context: Context, options: OutputOptions): Promise<void> {
  const manager = await managerOf(context);
  const settings = manager.present();
  if (options.json) {
    const state = settings === undefined
      ? { installed: false, running: false, enabled: false }
      : await manager.state();
    const { name, service, file } = manager;
    const address = { host: settings?.host ?? null, port: settings?.port ?? null };
    return report(context, options, { manager: name, service, file, ...address, ...state }, "");
  }
  present(manager);
  const { text, running } = await manager.report();
  context.write(text === "" || text.endsWith("\n") ? text : `${text}\n`);
  if (running) return;
  throw new Failure("The service does not run.", `See: ${PROGRAM} service logs`);
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  // 1 and not 2, as it was in the projects before us.
  throw new Failure(`"${printable(text)}" is not a port.`, "Give a number from 1 to 65535.");
}

function hostOf(text: string): string {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  if (isLoopback(host)) return host;
  throw new Failure(
    `"${printable(text)}" is not a loopback address.`,
    "The dashboard answers this machine alone: use 127.0.0.1, ::1 or localhost.",
  );
}
