import type { InstallPlan } from "../opencode/install.ts";
import { checkAlias } from "../account/alias.ts";
import { PROGRAM } from "../platform/version.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { carryOut } from "./carry_out.ts";
import { JSON_ABOUT } from "./output.ts";

/** `install`: makes OpenCode load the plugin and ask it. */
export function registerInstall(program: CommandLine, context: Context): void {
  program.command("install")
    .summary("Set OpenCode up to use the accounts")
    .description(
      "Adds the plugin to OpenCode's configuration and gives its auth.json the entry by\n" +
        "which OpenCode asks the plugin. An existing ChatGPT login of OpenCode becomes an\n" +
        "account, older packages of this family go. Shows the account beside the prompt of\n" +
        "OpenCode's terminal interface. Shows what it will do and asks.",
    )
    .option("-y, --yes", "do not ask, take the standard answers")
    .option("--dry-run", "only show what would be done")
    .option("--plugin <spec>", "another plugin entry: a package, or the path of a plugin.js")
    .option("--alias <alias>", "name for OpenCode's own ChatGPT login (default: from its email)")
    .option("--no-tui", "leave OpenCode's terminal interface as it is")
    .option("--json", JSON_ABOUT)
    .action(async (options) => {
      if (options.alias !== undefined) checkAlias(options.alias);
      await carryOut(context, await planFor(context, options.plugin, { tui: options.tui }), {
        ...options,
        done: "OpenCode is set up. Restart it if it is running.",
        nothing: `OpenCode is set up already. Accounts: ${PROGRAM} list`,
      });
    });
}

/**
 * What makes OpenCode load this program's plugin.
 *
 * @param asked The plugin entry that the person named, if any.
 * @param options.movingIn Whether plugins that claim the same provider go without being asked about (default false).
 * @param options.tui Whether the terminal interface gets its entry too (default true).
 */
export async function planFor(
  context: Context,
  asked: string | undefined,
  { movingIn = false, tui: withTui = true }: { movingIn?: boolean; tui?: boolean } = {},
): Promise<InstallPlan> {
  const { planInstall } = await import("../opencode/install.ts");
  const { choosePluginSpec, chooseTuiSpec } = await import("../opencode/plugin_spec.ts");
  const { systemDisk } = await import("../opencode/disk.ts");
  const spec = choosePluginSpec({
    program: context.programFile,
    asked,
    folder: context.folder,
    disk: systemDisk,
  });
  const tui = withTui ? chooseTuiSpec(spec, systemDisk) : undefined;
  return planInstall({ env: context.env, spec, exact: asked !== undefined, movingIn, tui });
}
