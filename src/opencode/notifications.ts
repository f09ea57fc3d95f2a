import type { Client } from "../codex/client.ts";
import type { PoolEvent } from "../codex/pool_event.ts";
import { thisMachine } from "../notify/machine.ts";
import { createNotifier } from "../notify/notifier.ts";
import {
  readSessionInfo,
  type SessionEvent,
  type SessionInfo,
  SessionWatch,
} from "../notify/session_watch.ts";
import type { Clock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import { liveSettings } from "../platform/live_settings.ts";
import type { Log } from "../platform/log.ts";
import { type Environment, resolvePaths } from "../platform/paths.ts";
import { claimNotice, localStore } from "../store/notified.ts";
import { AccountWatch } from "./account_watch.ts";
import { findExpiring } from "./expiring.ts";
import type { PluginInput } from "./host.ts";

/** How long the end of OpenCode waits for notifications that are under way, in milliseconds. */
const SETTLE_MS = 800;
/** How often it is looked for what is about to expire, in milliseconds. */
const EXPIRING_MS = 3_600_000;

/** What tells a person outside of OpenCode what happens in it. */
export interface Notifications {
  /** One of OpenCode's events. Never throws. */
  session(event: SessionEvent): void;
  /** One of the pool's. Never throws. */
  pool(event: PoolEvent): void;
  /** Sends what is under way, for less than a second. */
  close(): Promise<void>;
}

/**
 * @param options.client The open client, undefined as long as nobody has needed one.
 */
export function createNotifications(options: {
  input: PluginInput;
  env: Environment;
  clock: Clock;
  log: Log;
  client: () => Promise<Client> | undefined;
}): Notifications {
  const { input, env, clock, log, client } = options;
  // What is wrong with the settings is said once, by the client, which reads them too.
  const quiet: Log = { ...log, error: (message) => log.debug(message) };
  const live = liveSettings({ paths: resolvePaths(env), env, clock, log: quiet, older: {} });
  const settings = () => live.current;
  const machine = thisMachine({
    env,
    clock,
    fetch: (url, init) => globalThis.fetch(url, init),
    background: true,
  });
  const notifier = createNotifier({ machine, settings, clock, log });
  const tell = notifier.tell;

  /** Where nobody can say what was told, twice is better than never. */
  const claim = async (key: string, end: number, slackMs: number): Promise<boolean> => {
    try {
      const store = localStore((await client())?.store);
      return !store || await claimNotice(store, key, end, slackMs, clock.now());
    } catch (error) {
      log.warn(messageOf(error));
      return true;
    }
  };
  const sessions = new SessionWatch({ clock, tell, describe: (id) => describe(input, id) });
  const accounts = new AccountWatch({
    clock,
    settings,
    claim,
    tell,
    async available() {
      const pool = (await client())?.pool;
      await pool?.refresh();
      return (pool?.absences(undefined) ?? []).filter(({ hindrance }) => !hindrance)
        .map(({ account }) => account.alias);
    },
  });

  let lookedAt = Number.NEGATIVE_INFINITY;
  /** Looks once in an hour of use for what is about to expire. */
  async function lookForExpiring(): Promise<void> {
    const now = clock.now();
    const { notify, notifyAbout } = settings();
    if (!notify || !notifyAbout.includes("expiring")) return;
    if (Math.abs(now - lookedAt) < EXPIRING_MS) return;
    const store = localStore((await client())?.store);
    if (!store) return;
    lookedAt = now;
    for (const { key, at, news } of await findExpiring(store, now)) {
      tell(async () => await claim(key, at, EXPIRING_MS) ? news : undefined);
    }
  }

  const guarded = (work: () => void) => {
    try {
      work();
    } catch (error) {
      log.error(`notifications: ${messageOf(error)}`);
    }
  };
  return {
    session(event) {
      live.touch();
      guarded(() => sessions.event(event));
      if (event.type !== "session.idle") return;
      lookForExpiring().catch((error) => log.warn(`notifications: ${messageOf(error)}`));
    },
    pool(event) {
      live.touch();
      guarded(() => accounts.event(event));
    },
    async close() {
      accounts.stop();
      await notifier.close(SETTLE_MS);
    },
  };
}

/** Asks OpenCode about a session that began before the plugin was there. */
async function describe(input: PluginInput, id: string): Promise<SessionInfo | undefined> {
  const answer = await input.client?.session?.get({ path: { id } });
  return readSessionInfo(answer?.data);
}
