import { PROGRAM, VERSION } from "../platform/version.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { installationOf, machineOf } from "./machine.ts";
import { JSON_ABOUT, report } from "./output.ts";
import { describeInstallation } from "./upgrade.ts";

/** `version`: which version this is, where it came from and what runs it. */
export function registerVersion(program: CommandLine, context: Context): void {
  const command = program.command("version")
    .summary("Show the version and how it was installed")
    .description("Shows the version, how this copy was installed, and what runs it.")
    .option("--json", JSON_ABOUT)
    .action(async (options) => {
      const machine = await machineOf(context);
      const installation = installationOf(context, machine);
      const { runtime, kind, place, manager } = installation;
      const runtimeVersion = machine.versions[runtime] ?? null;
      report(
        context,
        options,
        {
          name: PROGRAM,
          version: VERSION,
          installation: kind,
          place,
          manager: manager ?? null,
          runtime,
          runtimeVersion,
          platform: machine.platform,
        },
        `${PROGRAM} ${VERSION}\n` +
          `${describeInstallation(installation)}: ${place}\n` +
          `Runs in ${NAMES[runtime]} ${runtimeVersion ?? ""} on ${machine.platform}\n`,
      );
    });
  addExamples(command, `${PROGRAM} version`, `${PROGRAM} version --json`, `${PROGRAM} --version`);
}

const NAMES = { deno: "Deno", bun: "Bun", node: "Node" } as const;
