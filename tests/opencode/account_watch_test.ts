import assert from "node:assert/strict";
import type { PoolEvent } from "../../src/codex/pool_event.ts";
import { poolNews } from "../../src/codex/pool_news.ts";
import { findExpiring } from "../../src/opencode/expiring.ts";
import { STANDARD_SETTINGS } from "../../src/platform/settings.ts";
import { type Block, NO_END, workspaceSubject } from "../../src/quota/block.ts";
import { PLAN_BUCKET } from "../../src/quota/window.ts";
import { inFolder, testAccount } from "../store/store_folder.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { blocked, exhausted, home, inProcesses, process, used, work } from "./watch_processes.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

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
          resetCreditList: [
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
