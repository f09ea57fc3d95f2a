import type { Installation, PackageManager } from "../platform/installation.ts";
import { PACKAGE, PROGRAM, VERSION } from "../platform/version.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { installationOf, machineOf } from "./machine.ts";
import { JSON_ABOUT, report } from "./output.ts";

/** `upgrade`: says how this copy is brought up to date. It changes nothing and asks no server. */
export function registerUpgrade(program: CommandLine, context: Context): void {
  const command = program.command("upgrade")
    .summary("Say how to bring this copy up to date")
    .description(
      "Says how this copy was installed and which commands bring it up to date. It\n" +
        "changes nothing and asks no server.",
    )
    .option("--json", JSON_ABOUT)
    .action(async (options) => {
      const machine = await machineOf(context);
      const installation = installationOf(context, machine);
      const { commands, note } = upgradeOf(installation);
      const after = [
        `${PROGRAM} install            # OpenCode's copy of the plugin follows`,
        ...await serviceStep(context),
      ];
      report(
        context,
        options,
        {
          version: VERSION,
          installation: installation.kind,
          manager: installation.manager ?? null,
          place: installation.place,
          commands,
          note,
          after: after.map((line) => line.replace(/\s+#.*/, "")),
        },
        `${PROGRAM} ${VERSION}\n` +
          `${describeInstallation(installation)}: ${installation.place}\n\n` +
          `${note}\n` +
          commands.map((line) => `  ${line}\n`).join("") +
          `Then:\n${after.map((line) => `  ${line}\n`).join("")}`,
      );
    });
  addExamples(command, `${PROGRAM} upgrade`, `${PROGRAM} upgrade --json`);
}

/** A service goes on with what it was started with. */
async function serviceStep(context: Context): Promise<string[]> {
  const { findManager } = await import("../service/find_manager.ts");
  try {
    const manager = findManager({ env: context.env, ...await machineOf(context) });
    return manager.present() === undefined
      ? []
      : [`${PROGRAM} service install    # the dashboard's service starts anew`];
  } catch {
    return [];
  }
}

/** How something was installed, in words that a place may follow. */
export function describeInstallation({ kind, manager }: Installation): string {
  switch (kind) {
    case "binary":
      return "Installed as one binary";
    case "package":
      return `Installed by ${manager ?? "a package manager"}`;
    case "project":
      return "Installed in a project";
    case "npx":
      return "A package runner's throw-away copy";
    case "opencode":
      return "OpenCode's own copy";
    case "source":
      return "Run from a checkout";
    case "url":
      return "Run by its address";
    case "file":
      return "Run from a downloaded file";
  }
}

const GLOBAL: Readonly<Record<PackageManager, string>> = {
  npm: `npm install --global ${PACKAGE}@latest`,
  pnpm: `pnpm add --global ${PACKAGE}@latest`,
  yarn: `yarn global add ${PACKAGE}@latest`,
  bun: `bun add --global ${PACKAGE}@latest`,
};

/** The commands that bring an installation up to date, and what is to be said about them. */
export function upgradeOf(
  { kind, manager, place }: Installation,
): { readonly commands: readonly string[]; readonly note: string } {
  switch (kind) {
    case "binary":
      return {
        note: "Download the new binary for this system from the project's releases, check it\n" +
          "against SHA256SUMS, and put it in the place of the old one:",
        commands: [
          "sha256sum --check --ignore-missing SHA256SUMS",
          `mv ${PROGRAM}-* ${word(place)}`,
        ],
      };
    case "package":
      return { note: "Run:", commands: [GLOBAL[manager ?? "npm"]] };
    case "project":
      return {
        note: "Run, in the project's folder:",
        commands: [`npm install ${PACKAGE}@latest`],
      };
    case "npx":
      return {
        note: "Name the newest version when you run it, or install it for good:",
        commands: [`npx ${PACKAGE}@latest status`, GLOBAL.npm],
      };
    case "opencode":
      return {
        note: "OpenCode keeps the copy it once fetched. The newest version's install clears it:",
        commands: [`npx ${PACKAGE}@latest install`],
      };
    case "source":
      return {
        note: "Take the newest source and build it:",
        commands: [`git -C ${word(place)} pull`, `cd ${word(place)}`, "npx -y deno@2.9.6 task npm"],
      };
    case "url":
      return {
        note: "Deno keeps what it once downloaded. Use a newer release's address, or fetch anew:",
        commands: [`deno cache --reload ${word(place)}`],
      };
    case "file":
      return {
        note: "Download the new cli.js from the project's releases into the place of the old one:",
        commands: [`mv cli.js ${word(place)}`],
      };
  }
}

/** A word for a POSIX shell. */
function word(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
