/**
 * The dashboard: its routes, in front of what they stand on.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import type { Device } from "../codex_cli/device.ts";
import type { LimitQueue } from "../limits/limit_queue.ts";
import type { Refresher } from "../oauth/refresh_transaction.ts";
import { type Clock, sleep } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Environment, Paths } from "../platform/paths.ts";
import type { LocalStore } from "../store/local.ts";
import { accountActions } from "./account_actions.ts";
import { guard, type GuardedEnv, setCookie } from "./guard.ts";
import { Live } from "./live.ts";
import { loginActions } from "./login_actions.ts";
import { Logins } from "./logins.ts";
import type { Page } from "./model.ts";
import { list, readQuery, writeQuery } from "./query.ts";
import { queueActions } from "./queue_actions.ts";
import { actionHandler } from "./run_action.ts";
import { Links, proofOf, Sessions } from "./session.ts";
import { Source } from "./source.ts";
import { storeActions } from "./store_actions.ts";
import { Streams } from "./stream.ts";
import { TokenQueue } from "./token_queue.ts";
import { SCRIPT, STYLE } from "./views/assets.ts";
import { renderPage, renderSignIn } from "./views/page.tsx";

/** What the dashboard stands on. It closes none of it. */
export interface DashboardOptions {
  readonly store: LocalStore;
  /** Other stores of this process on the same folder, to which a passphrase is handed on. */
  readonly others?: readonly LocalStore[];
  readonly paths: Paths;
  readonly env: Environment;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  readonly log: Log;
  readonly refresher: Refresher;
  readonly limits: LimitQueue;
  readonly device: Device;
  /** The issuer's URL, without a slash at the end. */
  readonly issuer: string;
  /** Ports for a login's return (default: those that the issuer takes). */
  readonly callbackPorts?: readonly number[] | undefined;
  /** Signs one-time links; see `session.ts`. */
  readonly key: string;
  /** The port that is listened on. */
  readonly port: () => number;
}

/** A dashboard that answers requests. */
export interface Dashboard {
  readonly app: Hono<GuardedEnv>;
  /** Prepares the first page. */
  start(): Promise<void>;
  /** Ends logins, streams and sessions; a token that is being renewed is waited for. */
  close(): Promise<void>;
}

/** Puts the dashboard together. Nothing happens before the first request or {@linkcode Dashboard.start}. */
export function createDashboard(options: DashboardOptions): Dashboard {
  const { store, clock, log, device, limits, port, refresher } = options;
  const changed = () => void live.refresh().catch(() => {});
  const tokens = new TokenQueue({ store, refresher, changed });
  const logins = new Logins({
    store,
    clock,
    fetch: options.fetch,
    issuer: options.issuer,
    ports: options.callbackPorts,
    changed,
  });
  const source = new Source({
    ...options,
    tokens,
    logins,
  });
  const live = new Live({ source, clock });
  const sessions = new Sessions(clock);
  const links = new Links(options.key, clock);
  const streams = new Streams({
    live,
    pause: (ms, signal) => sleep(clock, ms, signal),
    touch: (session) => sessions.touch(session),
  });
  const actions = [
    ...accountActions(options),
    ...queueActions({ store, limits, tokens }),
    ...loginActions({ store, logins, folder: options.paths.folder }),
    ...storeActions(options),
  ];

  const app = new Hono<GuardedEnv>();
  app.use(guard({ port, sessions, open: isOpen, visitor }));
  app.get("/", async (context) => {
    const session = context.get("session");
    await live.fresh();
    const query = readQuery(new URL(context.req.url).searchParams);
    const address = writeQuery(query);
    const page: Page = {
      csrf: session.csrf,
      query,
      listing: list(live.model.accounts, query),
      events: `/events${address}${address === "" ? "?" : "&"}since=${live.position}`,
    };
    const { notice, importing } = session;
    session.notice = null;
    const html = renderPage(
      { ...live.model, now: clock.now(), notice, importing: importing?.model ?? null },
      page,
    );
    return context.html(html);
  });
  app.get("/events", (context) => streams.answer(context));
  app.get("/page.css", (context) => asset(context, "text/css", STYLE));
  app.get("/page.js", (context) => asset(context, "text/javascript", SCRIPT));
  app.get(
    "/proof/:challenge",
    (context) => context.text(proofOf(options.key, context.req.param("challenge"))),
  );
  app.get("/open/:token", (context) => {
    // A browser that fetches ahead must not use the link up.
    if (context.req.method === "HEAD" || context.req.header("sec-purpose") !== undefined) {
      return visitor(context);
    }
    if (!links.redeem(context.req.param("token"))) return visitor(context);
    context.header("set-cookie", setCookie(port(), sessions.open()));
    return context.redirect("/", 303);
  });
  app.post("/sign-out", (context) => {
    sessions.end(context.get("session"));
    context.header("set-cookie", setCookie(port(), ""));
    return context.redirect("/", 303);
  });
  const handle = actionHandler({ ...options, live });
  for (const action of actions) app.post(action.path, (context) => handle(action, context));
  app.notFound((context) => context.text("Nothing is here.", 404));
  app.onError((error, context) => {
    log.error(`dashboard: ${error.stack ?? error}`);
    return context.text("Something went wrong; the log says more.", 500);
  });

  const endWatch = { call: () => {} };
  return {
    app,
    async start() {
      endWatch.call = device.watch((outcome) => {
        if (outcome.kind !== "unchanged") log.info(`dashboard: ${outcome.text}`);
        changed();
      });
      await live.refresh();
    },
    async close() {
      endWatch.call();
      logins.cancel();
      tokens.stop();
      live.close();
      sessions.endAll();
      await tokens.settled();
    },
  };
}

/** What needs no session: nothing of an account is in it. */
function isOpen(path: string): boolean {
  return path === "/page.css" || path === "/page.js" || path.startsWith("/open/") ||
    path.startsWith("/proof/");
}

/** Answers somebody without a session. */
function visitor(context: Context): Response | Promise<Response> {
  const wantsPage = context.req.method === "GET" && context.req.path !== "/events";
  return wantsPage
    ? context.html(renderSignIn(), 401)
    : context.text("This needs a session: opencode-multi-auth web --url", 401);
}

function asset(context: Context, type: string, text: string): Response {
  return context.body(text, 200, { "content-type": `${type}; charset=utf-8` });
}
