import { answers, readRunning } from "../dashboard/running.ts";
import { PortInUse, serve, type Serving } from "../dashboard/serve.ts";
import { Failure } from "../platform/failure.ts";
import { resolvePaths } from "../platform/paths.ts";
import { PROGRAM } from "../platform/version.ts";
import type { Context } from "./context.ts";
import { listenerOf } from "./listener.ts";
import type { OutputOptions } from "./output.ts";

/** How the dashboard is started. */
export interface WebOptions extends OutputOptions {
  readonly port: number;
  readonly host: string;
  readonly open: boolean;
}

/** How many ports above the one that is taken are tried for another. */
const TRIES = 20;

/**
 * Listens on the port that was asked for. Where that is taken, says by whom and offers the next free
 * one: on a terminal as a question, else in words.
 *
 * @throws {Failure} when the port is taken and nobody takes another.
 */
export async function servePort(
  context: Context,
  { port, host }: WebOptions,
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<Serving> {
  try {
    return await serve({ port, host, fetch });
  } catch (error) {
    if (!(error instanceof PortInUse)) throw error;
  }
  const running = readRunning(resolvePaths(context.env), port);
  if (running && await answers(running, context.fetch)) {
    throw new Failure(
      `Your dashboard runs on port ${port} already (pid ${running.pid}).`,
      `A link for it: ${PROGRAM} web --url${port === 3434 ? "" : ` --port ${port}`}`,
    );
  }
  const who = await listenerOf(port);
  const taken = `Port ${port} is in use${who === undefined ? "" : ` by ${who}`}.`;
  for (let other = port + 1; other <= Math.min(port + TRIES, 65_535); other++) {
    try {
      const serving = await serve({ port: other, host, fetch });
      if (await wanted(context, taken, other)) return serving;
      await serving.close();
      throw new Failure(taken, `Take another one: ${PROGRAM} web --port ${other}`);
    } catch (error) {
      if (!(error instanceof PortInUse)) throw error;
    }
  }
  throw new Failure(taken, "Take another one with --port.");
}

/** Whether the person at the terminal takes another port. A script asked for this one. */
async function wanted(context: Context, taken: string, port: number): Promise<boolean> {
  if (!context.terminal.input || !context.terminal.output) return false;
  return await (await context.prompts()).confirm(`${taken} Use port ${port} instead?`, true);
}
