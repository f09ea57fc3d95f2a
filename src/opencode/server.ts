import type { Client } from "../codex/client.ts";
import type { PoolEvent } from "../codex/pool_event.ts";
import { missingPartAnswer, storeAnswer } from "../codex/own_answers.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import { fileLog, type Log } from "../platform/log.ts";
import { type Environment, resolvePaths } from "../platform/paths.ts";
import { runtime } from "../platform/runtime.ts";
import { PACKAGE, PROGRAM, VERSION } from "../platform/version.ts";
import { isPlaceholder } from "./placeholder.ts";
import type { AuthEntry, Hooks, HostConfig, PluginInput } from "./host.ts";
import { loginMethods } from "./login_methods.ts";
import { ensureEntry } from "./ensure_entry.ts";
import { lateClient } from "./late_client.ts";
import { modelHooks } from "./model_hooks.ts";
import { accountTools, addCommands } from "./tools.ts";
import type { Notifications } from "./notifications.ts";

/** Names of plugins that sign in to ChatGPT; good enough for a hint in the log, `install` knows them exactly. */
const LOOKS_LIKE_A_RIVAL = /(?:codex|openai|chatgpt)[\w-]*auth|multi-auth/i;

/** An exhausted pool is announced at most this often, in milliseconds. */
const EXHAUSTED_MS = 60_000;

/** OpenCode's events that notifications come from. */
const SESSION_EVENTS: ReadonlySet<string> = new Set([
  "session.created",
  "session.updated",
  "session.deleted",
  "session.status",
  "session.idle",
  "session.error",
]);

/** What OpenCode sends as the key of its requests; our fetch replaces it. */
const DUMMY_KEY = "opencode-multi-auth";

/**
 * The plugin's entry for OpenCode. Never throws, never prints, and reads
 * nothing from the network while it loads.
 *
 * @param input What OpenCode gives to a plugin.
 * @param env The process's environment.
 */
export async function server(
  input: PluginInput,
  env: Environment = runtime.env,
): Promise<Hooks> {
  const log = fileLog({
    path: resolvePaths(env).log,
    clock: systemClock,
    debug: env["OPENCODE_MULTI_AUTH_DEBUG"] === "1",
  });
  log.info(`${PACKAGE} ${VERSION} loaded by OpenCode, pid ${runtime.pid}`);
  const guard = guarded(log);
  const announce = announcer(input, systemClock);
  let client: Promise<Client> | undefined;
  let notifications: Promise<Notifications> | undefined;
  /** Never waits, keeps the order, and loads what notifies when there is something to see. */
  const notify = (use: (notifications: Notifications) => void) => {
    notifications ??= import("./notifications.ts").then(({ createNotifications }) =>
      createNotifications({ input, env, clock: systemClock, log, client: () => client })
    );
    void guard("notifications", async () => use(await notifications!));
  };
  const open = () =>
    client ??= lateClient().then(({ createClient }) =>
      createClient({
        env,
        log,
        onEvent: (event) => {
          void guard("toast", () => announce(event));
          notify((notifications) => notifications.pool(event));
        },
        notice: (message) => void guard("toast", () => toast(input, "warning", message)),
      })
    ).catch((error) => {
      client = undefined;
      throw error;
    });

  const signIn = () => import("./sign_in.ts");
  const signInOptions = {
    env,
    store: async () => (await open()).store,
    clock: systemClock,
    log,
  };

  await guard("auth entry", () => ensureEntry(input, env, log));
  const models = modelHooks(env, log);

  return {
    provider: models.provider,
    tool: accountTools({ open, now: () => systemClock.now(), log }),
    auth: {
      provider: "openai",
      async loader(getAuth) {
        const entry = await guard("auth entry", getAuth);
        // An API key of the person's own: the built-in provider serves it.
        if (entry && entry.type !== "oauth") return {};
        if (entry && !isPlaceholder(entry)) {
          await guard("adopting OpenCode's login", async () => {
            const { store } = await open();
            const { adoptLogin } = await signIn();
            await adoptLogin(entry, store, (body) => setEntry(input, body), log, systemClock.now());
          });
        }
        // Beside OpenCode's start, and long before the first request: an update may take the file away.
        void guard("client", lateClient);
        return {
          apiKey: DUMMY_KEY,
          fetch: async (url: string | URL | Request, init?: RequestInit) => {
            let ready: Client;
            try {
              ready = await open();
            } catch (error) {
              log.error(messageOf(error));
              return await lateClient().then(() => storeAnswer(error), missingPartAnswer);
            }
            return await ready.fetch(url, init);
          },
        };
      },
      methods: loginMethods(
        async (alias) => (await signIn()).authorize(alias, signInOptions),
        () => systemClock.now(),
      ),
    },
    config: async (config: HostConfig) => {
      await guard("config", () => {
        models.config(config);
        addCommands(config);
        for (const spec of config.plugin ?? []) {
          const name = typeof spec === "string" ? spec : spec[0];
          if (LOOKS_LIKE_A_RIVAL.test(name) && !name.includes(PACKAGE)) {
            log.warn(`${name} may claim the openai provider too; look with: ${PROGRAM} install`);
          }
        }
      });
    },
    event: async ({ event }) => {
      if (event && SESSION_EVENTS.has(event.type)) notify((one) => one.session(event));
      // OpenCode is idle: a good moment to have everything on disk.
      if (event?.type === "session.idle" && client) {
        await guard("flush", async () => await (await open()).store.flush());
      }
    },
    dispose: async () => {
      await Promise.all([
        guard("notifications", async () => await (await notifications)?.close()),
        guard("dispose", async () => await (await client)?.close()),
      ]);
      await log.flush();
    },
  };
}

/** Runs something whose failure must not reach OpenCode. */
function guarded(log: Log) {
  return async <T>(what: string, run: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await run();
    } catch (error) {
      log.error(`${what}: ${messageOf(error)}`);
      return undefined;
    }
  };
}

async function setEntry(input: PluginInput, body: AuthEntry): Promise<void> {
  await input.client?.auth?.set({ path: { id: "openai" }, body });
}

/** Tells the person what happens to the pool. Every request meets an exhausted one, so that is said once in a while. */
function announcer(
  input: PluginInput,
  clock: Clock,
): (event: PoolEvent) => Promise<void> {
  let saidAt = Number.NEGATIVE_INFINITY;
  return async (event) => {
    if (event.kind === "moved") {
      return await toast(input, "info", `${event.from} hands over to ${event.to}`);
    }
    if (event.kind !== "exhausted") return;
    const now = clock.now();
    if (Math.abs(now - saidAt) < EXHAUSTED_MS) return;
    saidAt = now;
    const { exhaustionNotice } = await lateClient();
    await toast(input, "warning", exhaustionNotice(event.exhaustion, event.waitMs, now));
  };
}

async function toast(
  input: PluginInput,
  variant: "info" | "warning",
  message: string,
): Promise<void> {
  await input.client?.tui?.showToast({
    body: { title: "ChatGPT accounts", message, variant, duration: 8_000 },
  });
}
