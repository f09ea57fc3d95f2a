import assert from "node:assert/strict";
import type { PoolEvent } from "../../src/codex/pool_event.ts";
import type { Notification } from "../../src/notify/notification.ts";
import { AccountWatch } from "../../src/opencode/account_watch.ts";
import { type Settings, STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { accountSubject, type Block } from "../../src/quota/block.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../../src/quota/window.ts";
import type { LocalStore } from "../../src/store/local.ts";
import { claimNotice } from "../../src/store/notified.ts";
import { inFolder, testAccount } from "../store/store_folder.ts";
import { FIXTURE_NOW, type VirtualClock } from "../virtual_clock.ts";

const HOUR = 3_600_000;
/** An account. */
export const work = testAccount("work");
/** Another one. */
export const home = testAccount("home");

/** One process's watch over accounts; several of them may share a store. */
export function process(store: LocalStore, clock: VirtualClock, settings: Partial<Settings> = {}) {
  const told: Promise<Notification | undefined>[] = [];
  const able: string[] = [];
  const busy = { now: false };
  const watch = new AccountWatch({
    clock,
    settings: () => ({ ...STANDARD_SETTINGS, ...settings }),
    claim: (key, end, slackMs) => claimNotice(store, key, end, slackMs, clock.now()),
    available: () => Promise.resolve(able),
    tell: (find) => !busy.now && told.push(find()) > 0,
  });
  return {
    watch,
    able,
    /** Whether too many notifications are under way. */
    busy,
    /** What was told since the last call, without times of day. */
    async said(): Promise<string[]> {
      await clock.advance(0);
      const all = await Promise.all(told.splice(0));
      return all.flatMap((one) => one ? [`${one.topic}: ${one.body}`] : []).map((text) =>
        text.replace(/(?:at|on) [^(\n]*\(in ([^)]*)\)/, "in $1")
      );
    },
  };
}

/** An account that is blocked until then. */
export function blocked(until: number, more: Partial<Block> = {}, accounts = [work]): PoolEvent {
  return {
    kind: "blocked",
    accounts,
    block: {
      subject: accountSubject(work.id),
      model: "",
      reason: "usage limit",
      until,
      source: "body",
      since: FIXTURE_NOW,
      ...more,
    },
  };
}

/** A window of the account, used so far. */
export function used(usedPercent: number, more: Partial<QuotaWindow> = {}): PoolEvent {
  return {
    kind: "used",
    account: work,
    windows: [{
      bucket: PLAN_BUCKET,
      minutes: 300,
      usedPercent,
      resetsAt: FIXTURE_NOW + 2 * HOUR,
      observedAt: FIXTURE_NOW,
      ...more,
    }],
  };
}

/** A pool with nobody to send. */
export const exhausted = (earliest: number | undefined): PoolEvent => ({
  kind: "exhausted",
  exhaustion: { message: "No ChatGPT account can serve now: work at its limit.", earliest },
  waitMs: undefined,
});

/** Runs a test with the watches of two processes over one store. */
export async function inProcesses(
  test: (
    a: ReturnType<typeof process>,
    b: ReturnType<typeof process>,
    clock: VirtualClock,
  ) => Promise<void>,
  settings: Partial<Settings> = {},
): Promise<void> {
  await inFolder(async (folder) => {
    const one = process(await folder.open(), folder.clock, settings);
    const other = process(await folder.open(), folder.clock, settings);
    await test(one, other, folder.clock);
    one.watch.stop();
    other.watch.stop();
    assert.equal(folder.clock.pending, 0, "nothing waits after the stop");
  });
}
