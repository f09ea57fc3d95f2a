import { carryOut } from "./carry_out.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { JSON_ABOUT } from "./output.ts";

/** `uninstall`: takes out of OpenCode what `install` put in. The accounts stay. */
export function registerUninstall(program: CommandLine, context: Context): void {
  program.command("uninstall")
    .summary("Take the plugin out of OpenCode; accounts stay")
    .description(
      "Takes the plugin and its entry in auth.json out of OpenCode. The accounts stay.",
    )
    .option("-y, --yes", "do not ask")
    .option("--dry-run", "only show what would be done")
    .option("--json", JSON_ABOUT)
    .action(async (options) => {
      const { planUninstall } = await import("../opencode/install.ts");
      await carryOut(context, planUninstall({ env: context.env }), {
        ...options,
        done: "The plugin is out of OpenCode. Restart it if it is running.",
        nothing: "The plugin is not in OpenCode's configuration.",
      });
    });
}
