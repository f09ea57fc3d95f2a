import { codexDevice } from "../codex_cli/codex_device.ts";
import { findCodex } from "../codex_cli/running_codex.ts";
import { clientOver } from "../codex/client.ts";
import { createDashboard } from "../dashboard/app.ts";
import { checkHost } from "../dashboard/guard.ts";
import { announce, answers, linkOf, originOf, readRunning } from "../dashboard/running.ts";
import { newSecret } from "../dashboard/session.ts";
import { openLimitQueue } from "../limits/open.ts";
import { resolveEndpoints } from "../platform/endpoints.ts";
import { Failure } from "../platform/failure.ts";
import { fileLog } from "../platform/log.ts";
import { resolvePaths, set } from "../platform/paths.ts";
import { PROGRAM } from "../platform/version.ts";
import { openLocalStore } from "../store/local.ts";
import { checkWritable } from "../store/writable.ts";
import type { Context } from "./context.ts";
import { type OutputOptions, report } from "./output.ts";
import { servePort, type WebOptions } from "./serve_port.ts";

/**
 * Prints a fresh link for the dashboard that runs.
 *
 * @throws {Failure} when none runs on that port.
 */
export async function printLink(
  context: Context,
  port: number,
  options: OutputOptions,
): Promise<void> {
  const running = readRunning(resolvePaths(context.env), port);
  if (!running || !await answers(running, context.fetch)) {
    throw new Failure(
      `No dashboard of yours runs on port ${port}.`,
      `Start one: ${PROGRAM} web --port ${port}`,
    );
  }
  const link = linkOf(running, context.clock.now());
  report(context, options, { ok: true, port, link }, `${link}\n`);
}

/**
 * Serves the dashboard until the context's signal.
 *
 * @throws {Failure} when the host is refused, or no port can be had.
 */
export async function runDashboard(context: Context, options: WebOptions): Promise<void> {
  const { env, clock, random, fetch, signal, folder } = context;
  checkHost(options.host);
  const paths = resolvePaths(env);
  const { issuer } = resolveEndpoints(env);
  checkWritable(paths.folder);
  const debug = set(env["OPENCODE_MULTI_AUTH_DEBUG"]) === "1";
  const log = fileLog({ path: paths.log, clock, debug });
  const open = () => openLocalStore({ paths, env, clock, random });
  const store = await open();
  // The pool has a store of its own, so that it hears of what is done here as any other process does.
  const poolStore = await open();
  const client = await clientOver(poolStore, { env, clock, random, fetch, log });
  const limits = openLimitQueue({ client, store, paths, env, folder, fetch, clock, random, log });
  const key = newSecret();
  let port = options.port;
  const dashboard = createDashboard({
    store,
    others: [poolStore],
    paths,
    env,
    clock,
    fetch,
    log,
    refresher: client.refresher,
    limits,
    device: codexDevice({
      store,
      env,
      issuer,
      clock,
      random,
      log,
      findCodex: context.findCodex ?? findCodex(env),
    }),
    issuer,
    callbackPorts: context.callbackPorts,
    key,
    port: () => port,
  });
  try {
    const serving = await servePort(context, options, (request) => dashboard.app.fetch(request));
    port = serving.port;
    const conceal = announce(paths, { host: serving.host, port, key });
    try {
      await dashboard.start();
      const link = linkOf({ host: serving.host, port, key }, clock.now());
      report(context, options, { ok: true, port, link }, welcome(link, originOf(serving), port));
      log.info(`dashboard: listening on ${originOf(serving)}`);
      if (options.open || (context.terminal.input && context.terminal.output)) {
        await context.openBrowser(link);
      }
      await ended(signal);
    } finally {
      conceal();
      await Promise.all([dashboard.close(), serving.close()]);
    }
    log.info("dashboard: ended");
  } finally {
    await limits.close();
    await client.close();
    await store.close();
    await log.flush();
  }
}

function welcome(link: string, origin: string, port: number): string {
  const fresh = `${PROGRAM} web --url${port === 3434 ? "" : ` --port ${port}`}`;
  return `\nDashboard:\n\n${link}\n\n` +
    `The link works once, within 15 minutes. A fresh one: ${fresh}\n` +
    `Listening on ${origin}; Ctrl-C ends it.\n`;
}

/** Resolves when the person or the system ends the program. */
function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
