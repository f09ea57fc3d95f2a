import { exchangeRefreshToken } from "../oauth/refresh.ts";
import { createRefresher } from "../oauth/refresh_transaction.ts";
import type { Device } from "../codex_cli/device.ts";
import { createDashboard } from "../dashboard/app.ts";
import { checkHost } from "../dashboard/guard.ts";
import { announce, answers, linkOf, originOf, readRunning } from "../dashboard/running.ts";
import { PortInUse, serve } from "../dashboard/serve.ts";
import { newSecret } from "../dashboard/session.ts";
import type { LimitQueue } from "../limits/limit_queue.ts";
import { resolveEndpoints } from "../platform/endpoints.ts";
import { Failure } from "../platform/failure.ts";
import { fileLog } from "../platform/log.ts";
import { resolvePaths } from "../platform/paths.ts";
import { readSettings } from "../platform/settings.ts";
import { PROGRAM } from "../platform/version.ts";
import { openLocalStore } from "../store/local.ts";
import type { Context } from "./context.ts";

/**
 * Prints a fresh link for the dashboard that runs.
 *
 * @throws {Failure} when none runs on that port.
 */
export async function printLink(context: Context, port: number): Promise<void> {
  const running = readRunning(resolvePaths(context.env), port);
  if (!running || !await answers(running, context.fetch)) {
    throw new Failure(
      `No dashboard of yours runs on port ${port}.`,
      `Start one: ${PROGRAM} web${port === 3434 ? "" : ` --port ${port}`}`,
    );
  }
  context.write(`${linkOf(running, context.clock.now())}\n`);
}

/**
 * Serves the dashboard until the context's signal.
 *
 * @throws {Failure} when the host is refused or the port is taken.
 */
export async function runDashboard(
  context: Context,
  options: { readonly port: number; readonly host: string; readonly open: boolean },
): Promise<void> {
  const { env, clock, random, fetch, signal } = context;
  checkHost(options.host);
  const paths = resolvePaths(env);
  const { issuer } = resolveEndpoints(env);
  const log = fileLog({ path: paths.log, clock });
  const store = await openLocalStore({ paths, env, clock, random });
  const refresher = createRefresher({
    store,
    clock,
    random,
    log,
    gapMs: () => readSettings(paths, env).refreshGap,
    exchange: ({ credentials }) => exchangeRefreshToken({ fetch, issuer, credentials, clock }),
  });
  const key = newSecret();
  let port = options.port;
  const dashboard = createDashboard({
    store,
    paths,
    env,
    clock,
    fetch,
    log,
    refresher,
    limits: noQueue,
    device: noDevice,
    project: () => ({ trendPerHour: null, projection: null }),
    issuer,
    callbackPorts: context.callbackPorts,
    key,
    port: () => port,
  });
  const serving = await serve({ ...options, fetch: (request) => dashboard.app.fetch(request) })
    .catch((error) => {
      if (!(error instanceof PortInUse)) throw error;
      throw new Failure(`Port ${error.port} is in use.`, "Try another --port.");
    });
  port = serving.port;
  const conceal = announce(paths, { host: serving.host, port, key });
  try {
    await dashboard.start();
    const link = linkOf({ host: serving.host, port, key }, clock.now());
    context.write(
      `\nDashboard: ${link}\n\n` +
        `The link works once. A fresh one: ${PROGRAM} web --url\n` +
        `Listening on ${originOf(serving)}; Ctrl-C ends it.\n`,
    );
    log.info(`dashboard: listening on ${originOf(serving)}`);
    if (options.open || context.terminal.output) await context.openBrowser(link);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
  } finally {
    conceal();
    await Promise.all([dashboard.close(), serving.close()]);
    await store.close();
    await log.flush();
  }
}

const noQueue: LimitQueue = {
  add: () => Promise.reject(new Failure("Limits cannot be asked for yet.")),
  stop: () => Promise.resolve(),
  state: () => Promise.resolve({ running: false, done: 0, total: 0, stopped: false, tasks: [] }),
  settled: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

const noDevice: Device = {
  state: () =>
    Promise.resolve({
      path: "~/.codex/auth.json",
      credentialStore: "file",
      content: { kind: "absent" },
      changedAt: null,
    }),
  sync: () => Promise.resolve({ kind: "unchanged", text: "Nothing to do." }),
  switchTo: () => Promise.reject(new Failure("This device cannot be switched yet.")),
  watch: () => () => {},
};
