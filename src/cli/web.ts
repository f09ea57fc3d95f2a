import { Failure } from "../platform/failure.ts";
import { PROGRAM } from "../platform/version.ts";
import type { CommandLine } from "./command_line.ts";
import type { Context } from "./context.ts";
import { addExamples } from "./examples.ts";
import { JSON_ABOUT } from "./output.ts";

/** Where the dashboard listens unless something else is asked for. */
const PORT = 3434;
const HOST = "127.0.0.1";

/** `web`: the dashboard. */
export function registerWeb(program: CommandLine, context: Context): void {
  const command = program.command("web")
    .summary("Launch local Codex auth.json dashboard (use --port/--host)")
    .description(
      "Serves the dashboard until Ctrl-C and prints a link that opens it. The link works\n" +
        "once and for 15 minutes; --url prints a fresh one for a dashboard that runs.",
    )
    .option("--port <number>", `port to listen on (default: ${PORT})`)
    .option("--host <address>", `loopback address to listen on (default: ${HOST})`)
    .option("--open", "open the link in the browser")
    .option("--url", "only print a fresh link for the dashboard that runs")
    .option("--json", JSON_ABOUT)
    .action(async (options) => {
      const port = portOf(options.port);
      const { printLink, runDashboard } = await import("./run_dashboard.ts");
      if (options.url) return await printLink(context, port, options);
      await runDashboard(context, {
        port,
        host: options.host ?? HOST,
        open: options.open === true,
        json: options.json,
      });
    });
  addExamples(
    command,
    `${PROGRAM} web`,
    `${PROGRAM} web --port 3500 --open`,
    `${PROGRAM} web --url`,
  );
}

function portOf(text: string | undefined): number {
  if (text === undefined) return PORT;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  // As in the projects before us, with 1.
  throw new Failure(
    `"${text}" is not a port.`,
    "Give a number from 1 to 65535; 0 takes a free one.",
  );
}
