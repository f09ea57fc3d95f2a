import assert from "node:assert/strict";
import type { PoolEvent } from "../../src/codex/pool_event.ts";
import { poolNews } from "../../src/codex/pool_news.ts";
import type { Notification } from "../../src/notify/notification.ts";
import { AccountWatch } from "../../src/opencode/account_watch.ts";
import { findExpiring } from "../../src/opencode/expiring.ts";
import { type Settings, STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { accountSubject, type Block, NO_END, workspaceSubject } from "../../src/quota/block.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../../src/quota/window.ts";
import type { LocalStore } from "../../src/store/local.ts";
import { claimNotice } from "../../src/store/notified.ts";
import { inFolder, testAccount } from "../store/store_folder.ts";
import { FIXTURE_NOW, type VirtualClock } from "../virtual_clock.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const work = testAccount("work");
const home = testAccount("home");

/** One process's watch over accounts; several of them may share a store. */
function process(store: LocalStore, clock: VirtualClock, settings: Partial<Settings> = {}) {
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

function blocked(until: number, more: Partial<Block> = {}, accounts = [work]): PoolEvent {
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

function used(usedPercent: number, more: Partial<QuotaWindow> = {}): PoolEvent {
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

const exhausted = (earliest: number | undefined): PoolEvent => ({
  kind: "exhausted",
  exhaustion: { message: "No ChatGPT account can serve now: work at its limit.", earliest },
  waitMs: undefined,
});

async function inProcesses(
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

Deno.test("a blocked account is told once over all processes, and again for another end", async () => {
  await inProcesses(async (a, b, clock) => {
    a.watch.event(blocked(FIXTURE_NOW + 2 * HOUR));
    assert.deepEqual(await a.said(), ["blocked: work: usage limit reached, back in 2h"]);
    b.watch.event(blocked(FIXTURE_NOW + 2 * HOUR + 3_000));
    assert.deepEqual(await b.said(), []);
    await clock.advance(2 * MINUTE);
    a.watch.event(blocked(FIXTURE_NOW + 2 * HOUR));
    assert.deepEqual(await a.said(), []);
    b.watch.event(blocked(FIXTURE_NOW + 3 * DAY));
    assert.match((await b.said())[0] ?? "", /^blocked: work: usage limit reached, back in 3d/);
    await clock.advance(4 * DAY);
    b.watch.event(blocked(clock.now() + HOUR));
    assert.equal((await b.said()).length, 1, "the next limit is news again");
  });
});

Deno.test("a block with a guessed end is told without it, once in an hour, and its real end is not told at once", async () => {
  await inProcesses(async (a, _b, clock) => {
    a.watch.event(blocked(FIXTURE_NOW + 5 * MINUTE, { source: "guess" }));
    a.watch.event(blocked(FIXTURE_NOW + 2 * HOUR, { source: "usage" }));
    assert.deepEqual(await a.said(), ["blocked: work: usage limit reached"]);
    for (let at = 0; at < 3; at++) {
      await clock.advance(5 * MINUTE);
      a.watch.event(blocked(clock.now() + 5 * MINUTE, { source: "guess" }));
    }
    assert.deepEqual(await a.said(), []);
    await clock.advance(HOUR);
    a.watch.event(blocked(NO_END, { reason: "workspace limit", source: "none" }, [work, home]));
    assert.deepEqual(await a.said(), ["blocked: work, home: its workspace's limit is reached"]);
  });
});

Deno.test("an account that needs its person is told once for each of its logins", async () => {
  await inProcesses(async (a, b) => {
    const aside = (generation: number): PoolEvent => ({
      kind: "set aside",
      account: { ...work, generation, setAside: { at: FIXTURE_NOW, reason: "needs login" } },
    });
    a.watch.event(aside(3));
    b.watch.event(aside(3));
    assert.deepEqual(await a.said(), ["login: work: needs login\nopencode-multi-auth add work"]);
    assert.deepEqual(await b.said(), []);
    b.watch.event(aside(4));
    assert.equal((await b.said()).length, 1);
  });
});

Deno.test("an exhausted pool is told once, and so is that it is back", async () => {
  await inProcesses(async (a, b, clock) => {
    for (const { watch } of [a, b, a]) watch.event(exhausted(FIXTURE_NOW + HOUR));
    assert.deepEqual([...await a.said(), ...await b.said()], [
      "exhausted: No ChatGPT account can serve now: work at its limit.",
    ]);
    await clock.advance(HOUR);
    assert.deepEqual(await a.said(), []);
    // At the moment that was named nobody is there yet: it is looked again every minute.
    await clock.advance(MINUTE);
    assert.deepEqual([...await a.said(), ...await b.said()], []);
    for (const { able } of [a, b]) able.push("work", "home");
    await clock.advance(MINUTE);
    assert.deepEqual([...await a.said(), ...await b.said()], [
      "back: work and home can serve again",
    ]);
    await clock.advance(HOUR);
    assert.deepEqual([...await a.said(), ...await b.said()], []);
  });
});

Deno.test("a pool is back as soon as a limit ends early; one that lacks a model only was never away", async () => {
  await inProcesses(async (a, b, clock) => {
    a.watch.event(exhausted(FIXTURE_NOW + 5 * HOUR));
    assert.equal((await a.said()).length, 1);
    a.able.push("work");
    a.watch.event({ kind: "lifted", accounts: [work] });
    await clock.advance(0);
    assert.deepEqual(await a.said(), ["back: work can serve again"]);
    b.able.push("home");
    b.watch.event(exhausted(FIXTURE_NOW + 9 * HOUR));
    await clock.advance(10 * HOUR);
    assert.deepEqual((await b.said()).map((text) => text.slice(0, 9)), ["exhausted"]);
  });
});

Deno.test("a window passing 80 % and 95 % is told once per window, over all processes", async () => {
  await inProcesses(async (a, b, clock) => {
    for (const share of [80.4, 85, 94.9]) a.watch.event(used(share));
    assert.deepEqual(await a.said(), [
      "usage: work: 80 % of the 5-hour window used, starts anew in 2h",
    ]);
    b.watch.event(used(86, { resetsAt: FIXTURE_NOW + 2 * HOUR + 1_500 }));
    assert.deepEqual(await b.said(), []);
    b.watch.event(used(96));
    assert.deepEqual(await b.said(), [
      "usage: work: 96 % of the 5-hour window used, starts anew in 2h",
    ]);
    a.watch.event(used(97));
    a.watch.event(used(100));
    a.watch.event(used(100, { minutes: 43_200, resetsAt: FIXTURE_NOW + 9 * DAY }));
    assert.deepEqual(await a.said(), [], "a full window is told as the block");
    a.watch.event(used(82, { minutes: 10_080, resetsAt: FIXTURE_NOW + 3 * DAY }));
    a.watch.event(used(82, { bucket: "codex_bengalfox" }));
    assert.deepEqual(await a.said(), [
      "usage: work: 82 % of the weekly window used, starts anew in 3d",
      "usage: work: 82 % of the 5-hour window of codex_bengalfox used, starts anew in 2h",
    ]);
    // The next window of that length; one that is over already is no news.
    await clock.advance(3 * HOUR);
    b.watch.event(used(90));
    assert.deepEqual(await b.said(), []);
    b.watch.event(used(81, { resetsAt: clock.now() + 4 * HOUR }));
    a.watch.event(used(81, { resetsAt: clock.now() + 4 * HOUR }));
    assert.equal((await b.said()).length, 1);
    assert.deepEqual(await a.said(), []);
  });
});

Deno.test("thresholds are a setting; without a reset time a window is told once in its length", async () => {
  await inProcesses(async (a, _b, clock) => {
    a.watch.event(used(49));
    a.watch.event(used(51, { resetsAt: null }));
    await clock.advance(4 * HOUR);
    a.watch.event(used(60, { resetsAt: null }));
    assert.deepEqual(await a.said(), ["usage: work: 51 % of the 5-hour window used"]);
    await clock.advance(2 * HOUR);
    a.watch.event(used(60, { resetsAt: null }));
    assert.equal((await a.said()).length, 1);
  }, { notifyThresholds: [50] });
});

Deno.test("what is not wanted does not count as told", async () => {
  await inFolder(async (folder) => {
    const store = await folder.open();
    const quiet = process(store, folder.clock, { notifyAbout: ["idle"] });
    quiet.watch.event(blocked(FIXTURE_NOW + HOUR));
    assert.deepEqual(await quiet.said(), []);
    const loud = process(store, folder.clock);
    loud.watch.event(blocked(FIXTURE_NOW + HOUR));
    assert.equal((await loud.said()).length, 1);
  });
});

Deno.test("what is left out because too much is under way is told when it comes again, by whoever meets it", async () => {
  await inProcesses(async (a, b) => {
    a.busy.now = true;
    a.watch.event(used(81));
    a.watch.event(blocked(FIXTURE_NOW + HOUR));
    assert.deepEqual(await a.said(), []);
    a.busy.now = false;
    b.watch.event(blocked(FIXTURE_NOW + HOUR));
    assert.equal((await b.said()).length, 1, "it was not claimed");
    a.watch.event(used(82));
    assert.equal((await a.said()).length, 1);
  });
});

Deno.test("of what a pool learns, only what a person may want to hear goes out", () => {
  const accounts = [
    { ...work, identity: { workspaceId: "w", userId: "1" } },
    { ...home, identity: { workspaceId: "w", userId: "2" } },
  ];
  const pool = { accounts, account: (id: string) => accounts.find((one) => one.id === id) };
  const block = (more: Partial<Block>): string => {
    const event = blocked(FIXTURE_NOW + HOUR, more) as PoolEvent & { kind: "blocked" };
    const news = poolNews({ kind: "blocked", block: event.block }, pool, STANDARD_SETTINGS);
    return news?.kind === "blocked" ? news.accounts.map(({ alias }) => alias).join() : "nothing";
  };
  assert.equal(block({}), "work");
  assert.equal(block({ subject: workspaceSubject("w") }), "work,home");
  assert.equal(block({ reason: "rate limit" }), "nothing");
  assert.equal(block({ model: "gpt-5.5" }), "nothing");
  const windows = (share: number, notifyThresholds = [80, 95], accountId = work.id) => {
    const event = used(share) as PoolEvent & { kind: "used" };
    return poolNews({ kind: "windows", accountId, windows: event.windows }, pool, {
      notifyThresholds,
    })?.kind;
  };
  assert.equal(windows(79.9), undefined);
  assert.equal(windows(80), "used");
  assert.equal(windows(99, []), undefined);
  assert.equal(windows(80, [80], "somebody else"), undefined);
});

Deno.test("weekly quota and reset credits that are about to expire unused are found", async () => {
  await inFolder(async (folder) => {
    const store = await folder.open();
    const now = FIXTURE_NOW;
    for (const account of [work, home, testAccount("off", { enabled: false })]) {
      await store.add(account);
    }
    const week = { bucket: PLAN_BUCKET, minutes: 10_080, observedAt: now };
    store.observe({
      accountId: work.id,
      windows: [
        { ...week, usedPercent: 40, resetsAt: now + 20 * HOUR },
        { ...week, minutes: 300, usedPercent: 0, resetsAt: now + HOUR },
      ],
    });
    store.observe({
      accountId: home.id,
      windows: [{ ...week, usedPercent: 80, resetsAt: now + HOUR }],
    });
    store.observe({
      accountId: "id-off",
      windows: [{ ...week, usedPercent: 0, resetsAt: now + HOUR }],
    });
    await store.flush();
    await store.files.writeState((db) =>
      db.prepare("INSERT INTO plan_extras VALUES (?, ?, ?)").run(
        home.id,
        now,
        JSON.stringify({
          credits: [
            { id: "c1", status: "available", expires_at: (now + 5 * HOUR) / 1_000 },
            { id: "c2", status: "redeemed", expires_at: (now + 5 * HOUR) / 1_000 },
            { id: "c3", status: "available", expires_at: (now + 5 * DAY) / 1_000 },
          ],
        }),
      )
    );
    const found = await findExpiring(store, now);
    assert.deepEqual(
      found.map(({ news }) => news.body.replace(/(?:at|on) [^(]*\((.*)\)/, "$1")),
      [
        "work: 60 % of the weekly window expires unused in 20h",
        "home: a reset credit expires unused in 5h",
      ],
    );
    assert.equal(new Set(found.map(({ key }) => key)).size, 2);
    assert.deepEqual(await findExpiring(store, now + 2 * DAY), []);
  });
});
