import type { Clock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import type { NotifySettings, NotifyTopic } from "../platform/notify_settings.ts";
import type { Machine } from "./channel.ts";
import { channels, linkTo } from "./channels.ts";
import type { Notification } from "./notification.ts";

/** Notifications that may be under way at a time; a server that hangs must not pile them up. */
const MOST_UNDER_WAY = 20;

/** What to tell: known, or how it is found out. */
export type Telling = Notification | (() => Promise<Notification | undefined>);

/** Tells a person things over every channel that can be used here. */
export interface Notifier {
  /**
   * Sends it, once it is known; undefined is nothing. Never waits, never throws.
   *
   * @returns Whether it is taken. Where too many are under way a function is not even called: what it would claim
   * stays free.
   */
  tell(notification: Telling): boolean;
  /** Waits for what is under way, at most so long, and lets go of the rest: a request that hangs would hold OpenCode. */
  close(ms: number): Promise<void>;
}

/**
 * @param options.settings Asked at every notification, so that a change counts at once.
 */
export function createNotifier(options: {
  machine: Machine;
  settings: () => NotifySettings;
  clock: Clock;
  log: Log;
}): Notifier {
  const { settings, clock, log } = options;
  const ended = new AbortController();
  const hurry = new AbortController();
  const machine: Machine = { ...options.machine, signal: ended.signal, hurry: hurry.signal };
  const underWay = new Set<Promise<void>>();
  /** What is being sent, in words for the log. */
  const sending = new Map<symbol, string>();
  /** By channel what it failed with last: a desktop that is not there is worth one line, not hundreds. */
  const failed = new Map<string, string>();

  async function send(coming: Telling): Promise<void> {
    const notification = await (typeof coming === "function" ? coming() : coming);
    if (!notification) return;
    const now = settings();
    const wanted = (topic: NotifyTopic) => now.notifyAbout.includes(topic);
    if (!now.notify || !wanted(notification.topic)) return;
    if (notification.also !== undefined && !wanted(notification.also)) return;
    const link = linkTo(notification.session, now.notifyUiBaseUrl);
    const usable = channels(machine, now).filter((channel) => channel.availability().there);
    await Promise.all(usable.map(async (channel) => {
      const what = `notification (${notification.topic}): ${channel.name}`;
      const key = Symbol();
      sending.set(key, what);
      const complain = (why: string) => {
        if (failed.get(channel.name) !== why) log.warn(`${what} ${why}`);
        failed.set(channel.name, why);
      };
      try {
        const without = await channel.send(notification, link);
        if (without) complain(without);
        else failed.delete(channel.name);
      } catch (error) {
        if (!ended.signal.aborted) complain(`failed: ${messageOf(error)}`);
      } finally {
        sending.delete(key);
      }
    }));
  }

  return {
    tell(notification) {
      if (underWay.size >= MOST_UNDER_WAY) {
        log.warn(`a notification is left out: ${MOST_UNDER_WAY} are under way`);
        return false;
      }
      const one = send(notification).catch((error) => log.warn(messageOf(error)))
        .finally(() => underWay.delete(one));
      underWay.add(one);
      return true;
    },
    async close(ms) {
      hurry.abort();
      let cancel = () => {};
      const patience = new Promise<void>((resolve) => cancel = clock.after(ms, resolve));
      await Promise.race([Promise.all(underWay), patience]);
      cancel();
      for (const what of sending.values()) log.warn(`${what} was under way when OpenCode ended`);
      ended.abort();
    },
  };
}
