import { type Account, isRenewed } from "../account/account.ts";
import type { Refresher } from "../oauth/refresh_transaction.ts";
import { atEnd } from "../platform/at_end.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { resolveEndpoints } from "../platform/endpoints.ts";
import { messageOf } from "../platform/failure.ts";
import { type Log, silentLog } from "../platform/log.ts";
import { liveSettings } from "../platform/live_settings.ts";
import { type Environment, resolvePaths } from "../platform/paths.ts";
import { Pool } from "../rotation/pool.ts";
import { type LocalStore, openLocalStore } from "../store/local.ts";
import type { Store } from "../store/store.ts";
import { createSender } from "./attempt.ts";
import { Exposure } from "./exposure.ts";
import type { Discovery } from "./discovery.ts";
import { type CodexFetch, createCodexFetch } from "./fetch.ts";
import { keepFresh } from "./freshness.ts";
import { knownModels } from "./known_models.ts";
import { lateRefresher } from "./late_refresher.ts";
import { createModelMap, latestModel } from "./model_map.ts";
import { poolNews } from "./pool_news.ts";
import type { PoolEvent } from "./pool_event.ts";
import type { Recheck } from "./recheck.ts";
import type { Renewing } from "./renewing.ts";

/** A pool of accounts with a `fetch` in front of it. */
export interface Client {
  /** Serves a request to the Responses API on whichever account can. */
  readonly fetch: CodexFetch;
  /** Chooses the account of each request. */
  readonly pool: Pool;
  /** What the accounts are kept in. */
  readonly store: Store;
  /** Renews tokens, one at a time over all processes of the machine. */
  readonly refresher: Refresher;
  /** Finishes what is under way, saves and lets go of every file. */
  close(): Promise<void>;
}

/** Where a client finds everything; all have the obvious defaults. */
export interface ClientOptions {
  /** Says where the store lies and what is set, as `process.env` does. */
  readonly env: Environment;
  /** Whose time passes (default: the machine's). */
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** The network. Looked up anew at each call when not given. */
  readonly fetch?: typeof fetch;
  /** What is recorded (default: nothing). */
  readonly log?: Log;
  /** Called for what the pool does on the way. */
  readonly onEvent?: (event: PoolEvent) => void;
  /** Is told what the person should know, in one sentence. */
  readonly notice?: (message: string) => void;
}

/** After what time the part that renews tokens is loaded if nobody has needed it yet, in milliseconds. */
const RENEWING_MS = 5_000;

/** How long after its first request a process begins to ask which models there are, and most that chance adds, in milliseconds. */
const DISCOVERY_MS = 2_000;

/** How long `close` waits for a refresh that is under way, in milliseconds. */
const SETTLE_MS = 8_000;

/**
 * Puts store, pool, refresh and failover together.
 *
 * @throws {Failure} when the store cannot be opened or an address override is refused.
 *
 * @example
 * ```ts
 * const client = await createClient({ env: process.env });
 * const response = await client.fetch("https://api.openai.com/v1/responses", {
 *   method: "POST",
 *   headers: { "content-type": "application/json", "session-id": "my-conversation" },
 *   body: JSON.stringify({ model: "gpt-5.5", instructions: "Be brief.", input: [{ role: "user", content: "Hello" }] }),
 * });
 * ```
 */
export async function createClient(options: ClientOptions): Promise<Client> {
  const { env, clock = systemClock, random = Math.random } = options;
  const store = await openLocalStore({ paths: resolvePaths(env), env, clock, random });
  return await clientOver(store, options);
}

/**
 * The same over a store that is open already. The client takes it over and closes it.
 *
 * @throws {Failure} when an address override is refused.
 */
export async function clientOver(store: LocalStore, options: ClientOptions): Promise<Client> {
  const { env, clock = systemClock, random = Math.random, log = silentLog } = options;
  const request: typeof fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const endpoints = resolveEndpoints(env);
  const paths = resolvePaths(env);

  // A program that ends without closing us, by a signal too, still saves its last second.
  const stopListening = atEnd(() => store.flushNow());

  // What an older project kept beside its accounts counts until a setting of ours is written.
  // A store that cannot be read is said by the first request.
  const older = await store.olderSettings().catch(() => undefined) ?? {};
  const live = liveSettings({ paths, env, clock, log, older });
  const settings = () => live.current;

  const pool: Pool = new Pool({
    store,
    clock,
    random,
    settings,
    onChange(change) {
      const event = options.onEvent && poolNews(change, pool, settings());
      if (event) options.onEvent?.(event);
    },
  });
  let loading: Promise<Renewing> | undefined;
  const renewing = () =>
    loading ??= import("./renewing.ts").then(({ createRenewing }) =>
      createRenewing({
        store,
        env,
        fetch: request,
        issuer: endpoints.issuer,
        clock,
        random,
        gapMs: () => settings().refreshGap,
        log,
        ...(options.notice ? { notice: options.notice } : {}),
        onSetAside: (account) => options.onEvent?.({ kind: "set aside", account }),
      })
    ).catch((error) => {
      loading = undefined;
      throw error;
    });
  const refresher = lateRefresher(async () => (await renewing()).refresher, clock, log);
  // Loaded late, but long before it is needed: an update may take the file away while OpenCode runs. And a process
  // that died in the middle of this may have left the Codex CLI with spent tokens.
  const cancelLoading = clock.after(RENEWING_MS, () => {
    renewing().then(async (part) => {
      // In here: nobody would catch what a look at a damaged store throws at once.
      await pool.refresh();
      await part.heal(pool.accounts);
    }).catch((error) => log.warn(messageOf(error)));
  }, { background: true });
  const sender = createSender({
    fetch: request,
    clock,
    limits: settings,
    onWindows: (account, windows) => void pool.observe(account.id, windows).catch(() => {}),
  });
  const setAside = async (
    account: Account,
    reason: "needs login" | "workspace deactivated",
  ): Promise<void> => {
    const workspace = reason === "workspace deactivated"
      ? account.identity?.workspaceId
      : undefined;
    const concerned = pool.accounts.filter((one) =>
      one.id === account.id ||
      (workspace !== undefined && one.identity?.workspaceId === workspace)
    );
    for (const one of concerned) {
      const mark = (now: Account): Account =>
        isRenewed(one, now) || now.setAside
          ? now
          : { ...now, setAside: { at: clock.now(), reason } };
      // This process must leave the account alone also where the store cannot be written.
      pool.replace(mark(pool.account(one.id) ?? one));
      await store.edit(one.id, mark).catch((error) => log.error(messageOf(error)));
    }
    log.warn(`${account.alias}: set aside, ${reason}`);
    const marked = pool.account(account.id);
    if (marked) options.onEvent?.({ kind: "set aside", account: marked });
    options.notice?.(`${account.alias}: ${reason}`);
  };
  const exposure = new Exposure(clock);
  let recheck: Promise<Recheck | undefined> | undefined;
  /** Looks whether a limit is over early. Loaded when there is one, which is rare. */
  const inUse = () => {
    if (!recheck && !pool.limited) return;
    recheck ??= import("./recheck.ts").then(({ Recheck }) =>
      new Recheck({
        fetch: request,
        backend: endpoints.backend,
        pool,
        store,
        fresh: async (account) => (await keepFresh(account, { pool, refresher, clock })).account,
        careful: () => exposure.careful,
        clock,
        random,
        log,
      })
    ).catch((error) => {
      // An update has taken the file away: limits last until they end.
      log.error(messageOf(error));
      return undefined;
    });
    recheck.then((one) => one?.inUse());
    return recheck;
  };
  const known = knownModels({ store, pool, clock, log });
  let discovery: Promise<Discovery> | undefined;
  let cancelDiscovery: (() => void) | undefined;
  /** Looks for models beside the requests. Loaded after the first of them, which it must not slow down. */
  const discover = () => {
    if (discovery) return void discovery.then((one) => one.inUse(), () => {});
    cancelDiscovery ??= clock.after(DISCOVERY_MS * (1 + random()), () => {
      discovery = import("./discovery.ts").then(({ Discovery }) =>
        new Discovery({
          fetch: request,
          backend: endpoints.backend,
          pool,
          store,
          known,
          credits: () => settings().notify && settings().notifyAbout.includes("expiring"),
          careful: () => exposure.careful,
          clock,
          random,
          log,
        })
      );
      discovery.then((one) => one.inUse(), (error) => log.error(messageOf(error)));
    }, { background: true });
  };
  const codexFetch = createCodexFetch({
    mapModel: createModelMap(
      env,
      (asked) => latestModel(env, known.serving(), asked),
      known.nobodyFor,
    ),
    pool,
    store,
    sender,
    refresher,
    setAside,
    askUsage: () => Promise.resolve(void inUse()),
    catchUp: async (signal) => await (await inUse())?.catchUp(signal) ?? false,
    exposure,
    backend: endpoints.backend,
    settings,
    clock,
    random,
    log,
    ...(options.onEvent ? { onEvent: options.onEvent } : {}),
  });

  return {
    fetch: async (input, init) => {
      live.touch();
      inUse();
      const reading = known.touch();
      if (reading) await reading;
      try {
        return await codexFetch(input, init);
      } finally {
        inUse();
        discover();
      }
    },
    pool,
    store,
    refresher,
    async close() {
      cancelLoading();
      recheck?.then((one) => one?.stop());
      cancelDiscovery?.();
      discovery?.then((one) => one.stop(), () => {});
      // New tokens that could not be saved so far: whoever else holds this login gets them before we go.
      await store.flush().catch(() => {});
      let cancel = () => {};
      const patience = new Promise<void>((resolve) => cancel = clock.after(SETTLE_MS, resolve));
      await Promise.race([refresher.settled(), patience]);
      cancel();
      await store.close();
      stopListening();
    },
  };
}
