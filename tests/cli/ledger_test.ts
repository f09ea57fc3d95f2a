import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { resolvePaths } from "../../src/platform/paths.ts";
import { NO_END } from "../../src/quota/block.ts";
import { openLocalStore } from "../../src/store/local.ts";
import type { Store } from "../../src/store/store.ts";
import { amount, cachedPercent } from "../../src/cli/token_sums.ts";
import { testAccount } from "../memory_store.ts";
import { type Session, withSession } from "./session.ts";

const TODAY = "2026-11-23";

/** Lets another process work on the session's store. */
async function other(session: Session, work: (store: Store) => unknown): Promise<void> {
  const env = { HOME: session.home };
  const store = await openLocalStore({ paths: resolvePaths(env), env, clock: session.clock });
  await work(store);
  await store.close();
}

function add(session: Session, ...aliases: string[]): Promise<void> {
  return other(session, async (store) => {
    for (const alias of aliases) await store.add(testAccount(alias));
  });
}

const big = { input: 1_234_567, cached: 1_150_000, output: 40_400, reasoning: 12_000 };
const small = { input: 800, cached: 0, output: 90, reasoning: 0 };

function spend(session: Session): Promise<void> {
  return other(session, (store) => {
    const observe = (alias: string, model: string, day: string, tokens: typeof big) =>
      store.observe({ accountId: `id-${alias}`, tokens: { ...tokens, model, day } });
    observe("personal", "gpt-5.5", TODAY, big);
    observe("personal", "gpt-5.5", "2026-11-17", small);
    observe("personal", "gpt-5.5", "2026-11-16", big);
    observe("work", "gpt-5.3-codex", TODAY, small);
    observe("work", "", TODAY, small);
  });
}

Deno.test("amounts have three digits and a unit", () => {
  const texts = [0, 7, 999, 1_000, 1_234, 40_000, 999_499, 999_500, 1_234_567, 99_990_000, 2.5e9];
  assert.deepEqual(texts.map(amount), [
    "0",
    "7",
    "999",
    "1k",
    "1.23k",
    "40k",
    "999k",
    "1M",
    "1.23M",
    "100M",
    "2.5G",
  ]);
});

Deno.test("the cached share is rounded down, and never above 100 %", () => {
  assert.equal(cachedPercent({ input: 1_000, cached: 999 }), 99);
  assert.equal(cachedPercent({ input: 10, cached: 11 }), 100);
  assert.equal(cachedPercent({ input: 0, cached: 0 }), null);
});

Deno.test("usage shows a line for each account and model, and the total", () =>
  withSession(async (session) => {
    await add(session, "work", "personal");
    await spend(session);
    const { code, out, err } = await session.run("usage");
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(
      out,
      `
Tokens of the last 7 days (2026-11-17 to 2026-11-23)

  Account   Model              In  Cached     Out  Reasoning  Answers
  work      (unknown)         800      0%      90          0        1
  work      gpt-5.3-codex     800      0%      90          0        1
  personal  gpt-5.5         1.24M     93%   40.5k        12k        2
  Total                     1.24M     92%   40.7k        12k        4

`,
    );
  }));

Deno.test("usage --json has the rows, each day and the total", () =>
  withSession(async (session) => {
    await add(session, "personal", "work");
    await spend(session);
    const usage = await session.json("usage", "--days", "1", "--json");
    const row = { alias: "personal", model: "gpt-5.5", answers: 1, ...big };
    const none = { alias: "work", answers: 1, ...small };
    assert.deepEqual(usage, {
      locked: false,
      since: TODAY,
      until: TODAY,
      days: 1,
      rows: [
        { ...row, cachedPercent: 93 },
        { ...none, model: "", cachedPercent: 0 },
        { ...none, model: "gpt-5.3-codex", cachedPercent: 0 },
      ],
      daily: [
        { day: TODAY, ...row },
        { day: TODAY, ...none, model: "" },
        { day: TODAY, ...none, model: "gpt-5.3-codex" },
      ],
      total: {
        answers: 3,
        input: 1_236_167,
        cached: 1_150_000,
        output: 40_580,
        reasoning: 12_000,
        cachedPercent: 93,
      },
    });
    const week = await session.json("usage", "--days", "8", "--json");
    assert.equal((week["total"] as { answers: number }).answers, 5);
  }));

Deno.test("usage fits into 80 columns whatever accounts and models are called", () =>
  withSession(async (session) => {
    const alias = "a-very-long-alias-that-goes-on-and-on";
    await add(session, alias);
    await other(session, (store) => {
      const tokens = { input: 999_499_999, cached: 1, output: 999_499_999, reasoning: 999_499_999 };
      const model = "gpt-5.3-codex-spark-\u001b[31m-and-more-of-it";
      for (let n = 0; n < 1_000; n++) {
        store.observe({ accountId: `id-${alias}`, tokens: { ...tokens, model, day: TODAY } });
      }
    });
    const { out } = await session.run("usage");
    assert.deepEqual(out.split("\n").filter((line) => line.length > 80), []);
    assert.match(out, /^ {2}a-very-long-… {2}gpt-5\.3-codex-spar… +999G +0% +999G +999G +1k$/m);
    assert.ok(!out.includes("\u001b"));
  }));

Deno.test("usage without answers says so, and makes no file", () =>
  withSession(async (session) => {
    assert.deepEqual(await session.run("usage"), {
      code: 0,
      out: "No answers with tokens in the last 7 days (2026-11-17 to 2026-11-23).\n",
      err: "",
    });
    assert.match((await session.run("usage", "--days", "1")).out, /in 2026-11-23\.$/m);
    assert.deepEqual(session.files(), {});
  }));

Deno.test("usage takes whole days only", () =>
  withSession(async (session) => {
    for (const days of ["0", "401", "1.5", "x", ""]) {
      const ran = await session.run("usage", "--days", days);
      assert.equal(ran.code, 2, days);
      assert.match(ran.err, /^Error: [^\n]*is not a number of days\. [^\n]* from 1 to 400\.\n$/);
    }
  }));

Deno.test("usage, explain and status of a locked store say locked", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    for (const command of ["usage", "explain"]) {
      const { code, out } = await session.run(command);
      assert.equal(code, 0);
      assert.match(out, /locked.*CODEX_SOFT_STORE_PASSPHRASE/s);
      assert.equal((await session.json(command, "--json"))["locked"], true);
    }
  }));

Deno.test("status has a line with today's tokens, and today in its JSON", () =>
  withSession(async (session) => {
    await add(session, "personal", "work", "idle");
    await spend(session);
    const { out } = await session.run("status");
    assert.match(out, /^ {4}Today: 1\.23M in \(93% cached\), 40\.4k out$/m);
    assert.match(out, /^ {4}Today: 1\.6k in \(0% cached\), 180 out$/m);
    assert.equal(out.match(/Today/g)?.length, 2);
    const { accounts } = await session.json("status", "--json");
    assert.deepEqual((accounts as { today: unknown }[]).map(({ today }) => today), [
      { answers: 1, ...big },
      { answers: 2, input: 1_600, cached: 0, output: 180, reasoning: 0 },
      null,
    ]);
  }));

/** What happened, as the pool notes it. */
function choose(session: Session): Promise<void> {
  const now = session.clock.now();
  return other(session, (store) => {
    const note = { session: "ses_one", accountId: "id-personal", reason: "next in turn" };
    store.explain({ ...note, at: now - 86_400_000 });
    store.explain({ ...note, at: now - 60_000, session: "ses_two", reason: "with its parent" });
    const leaving = { ...note, accountId: "id-work", leftId: "id-personal" };
    store.explain({ ...leaving, at: now - 30_000, why: "usage limit", until: now + 7_200_000 });
    store.explain({ ...leaving, at: now - 20_000, why: "not included in plan", until: NO_END });
    store.explain({ ...leaving, at: now - 10_000, leftId: "gone", why: "removed" });
    store.explain({ ...leaving, at: now, reason: "pinned" });
    store.explain({ at: now, accountId: "id-work", reason: "drawn at random" });
  });
}

Deno.test("explain prints the last choices, one line each, newest last", () =>
  withSession(async (session) => {
    await add(session, "personal", "work");
    await choose(session);
    const { code, out, err } = await session.run("explain");
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(
      out,
      [
        "11/22/2026, 6:00:00 PM  ses_one       personal  next in turn",
        "            5:59:00 PM  ses_two       personal  with its parent",
        "            5:59:30 PM  ses_one       work      next in turn, leaves personal (usage limit until 8:00 PM)",
        "            5:59:40 PM  ses_one       work      next in turn, leaves personal (not included in plan)",
        "            5:59:50 PM  ses_one       work      next in turn, leaves a removed account (removed)",
        "            6:00:00 PM  ses_one       work      pinned, leaves personal",
        "            6:00:00 PM  (no session)  work      drawn at random",
        "",
      ].join("\n"),
    );
    const two = await session.run("explain", "--last", "2");
    assert.equal(two.out.split("\n").length, 3);
  }));

Deno.test("explain on a terminal keeps to its width, each reason beneath its choice", () =>
  withSession(async (session) => {
    await add(session, "personal", "work");
    await choose(session);
    const terminal = { input: true, output: true };
    for (const columns of [80, 50]) {
      const { out } = await session.runWith({ terminal, columns }, "explain");
      for (const line of out.split("\n")) assert.ok(line.length <= columns, line);
    }
    const { out } = await session.runWith({ terminal, columns: 80 }, "explain");
    assert.ok(
      out.includes(
        "            5:59:30 PM  ses_one       work\n" +
          "    next in turn, leaves personal (usage limit until 8:00 PM)\n",
      ),
      out,
    );
    // Where there is room, nothing is broken.
    const wide = await session.runWith({ terminal, columns: 120 }, "explain");
    assert.equal(wide.out, (await session.run("explain")).out);
  }));

Deno.test("explain of a session takes its id or how it begins", () =>
  withSession(async (session) => {
    await add(session, "personal", "work");
    await choose(session);
    assert.equal((await session.run("explain", "ses_t")).out.split("\n").length, 2);
    assert.equal((await session.run("explain", "ses_one")).out.split("\n").length, 6);
    assert.deepEqual(await session.run("explain", "ses_three"), {
      code: 0,
      out: 'No choice of a session "ses_three" is kept.\n',
      err: "",
    });
  }));

Deno.test("explain --json gives aliases and times", () =>
  withSession(async (session) => {
    await add(session, "personal", "work");
    await choose(session);
    const { choices } = await session.json("explain", "--last", "5", "--json");
    const now = session.clock.now();
    assert.deepEqual((choices as unknown[])[0], {
      at: now - 30_000,
      session: "ses_one",
      alias: "work",
      reason: "next in turn",
      left: { alias: "personal", reason: "usage limit", until: now + 7_200_000 },
    });
    assert.deepEqual((choices as unknown[])[4], {
      at: now,
      session: null,
      alias: "work",
      reason: "drawn at random",
      left: null,
    });
  }));

Deno.test("explain shows what a session is called without its terminal sequences", () =>
  withSession(async (session) => {
    await add(session, "a");
    const note = { at: 1, accountId: "id-a", reason: "x\u001b[2J", why: "\u0007" };
    await other(session, (store) => {
      store.explain({ ...note, session: "s\u001b]0;owned\u0007", leftId: "b" });
    });
    const { out } = await session.run("explain");
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(out, /[\u0000-\u0009\u000b-\u001f]/);
  }));

Deno.test("explain without choices says so, refuses odd numbers, and makes no file", () =>
  withSession(async (session) => {
    assert.match((await session.run("explain")).out, /^No choices yet\./);
    for (const last of ["0", "2001", "x"]) {
      assert.equal((await session.run("explain", "--last", last)).code, 2);
    }
    assert.deepEqual(readdirSync(session.home), []);
  }));
