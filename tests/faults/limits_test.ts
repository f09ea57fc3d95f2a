import assert from "node:assert/strict";
import { RESET_HEADER } from "../../src/codex/exhausted.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { Bed, DAY, errorIn, HOUR, recorded, said, SECOND } from "./bed.ts";

Deno.test("200 whose first event is `response.failed` / `error` with `usage_limit_reached`", async () => {
  for (
    const fault of [
      { kind: "usage-limit-in-stream", after: "nothing" },
      { kind: "usage-limit-in-stream", after: "created" },
      { kind: "sse", file: "error-nested-usage-limit.sse" },
    ] as const
  ) {
    await using bed = await Bed.open();
    bed.simulator.plan("a").setUsed(300, 50, HOUR);
    bed.simulator.plan("a").fail(fault);
    assert.match(await said(await bed.ask()), /served by b/);
    assert.equal(bed.order, "a b");
    assert.ok((await bed.blockedUntil("a") ?? 0) > bed.clock.now());
  }
});

Deno.test("`codex.rate_limits` with `limit_reached: true`, stream goes on", async () => {
  await using bed = await Bed.open();
  bed.simulator.plan("a").fail({ kind: "sse", file: "rate-limits-event-reached.sse" });
  const text = await (await bed.ask()).text();
  assert.match(text, /"limit_reached":\s*true/);
  assert.match(text, /"type":\s*"response.completed"/);
  assert.equal(bed.order, "a");
  assert.ok((await bed.blockedUntil("a") ?? 0) > bed.clock.now(), "noted for the next request");
  await (await bed.ask()).text();
  assert.equal(bed.order, "a b");
});

Deno.test("429 with only `resets_in_seconds: 7200`", async () => {
  await using bed = await Bed.open();
  bed.simulator.plan("a").fail(recorded("429_resets_in_seconds_only"));
  assert.match(await said(await bed.ask()), /served by b/);
  assert.equal(await bed.blockedUntil("a"), FIXTURE_NOW + 7200 * SECOND);
});

Deno.test("429 with only `resets_at`", async () => {
  await using bed = await Bed.open();
  bed.simulator.plan("a").fail(recorded("429_resets_at_only"));
  assert.match(await said(await bed.ask()), /served by b/);
  assert.equal(await bed.blockedUntil("a"), 1795464000 * SECOND);
});

Deno.test("429 with Retry-After (seconds, date, `retry-after-ms`) below 5 minutes", async () => {
  for (
    const [name, ms] of [
      ["429_retry_after_seconds", 10_000],
      ["429_retry_after_date", 60_000],
      ["429_retry_after_ms", 700],
    ] as const
  ) {
    await using bed = await Bed.open();
    bed.simulator.plan("a").fail(recorded(name));
    assert.match(await said(await bed.ask()), /served by b/, name);
    assert.ok(Math.abs((await bed.blockedUntil("a") ?? 0) - FIXTURE_NOW - ms) <= SECOND / 2, name);
  }
});

Deno.test("429 `rate_limit_exceeded` (transient)", async () => {
  const fault = {
    kind: "status",
    status: 429,
    body: { error: { type: "rate_limit_exceeded", message: "Slow down." } },
  } as const;
  await using bed = await Bed.open();
  bed.simulator.plan("a").fail(fault);
  assert.match(await said(await bed.ask()), /served by b/, "the next account");
  assert.ok((await bed.blockedUntil("a") ?? 0) - FIXTURE_NOW <= 5 * SECOND, "no long block");

  await using alone = await Bed.open({ plans: [{ name: "a" }] });
  alone.simulator.plan("a").fail(fault);
  assert.match(await said(await alone.patiently(alone.ask())), /served by a/, "or the same one");
});

Deno.test("429 that says nothing about when", async () => {
  await using bed = await Bed.open();
  const { simulator } = bed;
  simulator.plan("a").setUsed(300, 100, 3 * HOUR);
  simulator.plan("a").fail(recorded("429_no_reset_at_all"));
  assert.match(await said(await bed.ask()), /served by b/);
  assert.equal(await bed.blockedUntil("a"), FIXTURE_NOW + 300 * SECOND, "5 minutes");
  await bed.patiently(simulator.waitFor((one) => one.path.endsWith("/usage")), 10);
  const until = () => bed.client.pool.limits(bed.client.pool.accounts[0]!)[0]?.until;
  await bed.patiently(bed.until(() => (until() ?? 0) > FIXTURE_NOW + 2 * HOUR));
  // Below 100 % it lifts the guess.
  await using free = await Bed.open();
  free.simulator.plan("a").fail(recorded("429_no_reset_at_all"));
  await said(await free.ask());
  const limits = () => free.client.pool.limits(free.client.pool.accounts[0]!);
  assert.equal(limits().length, 1);
  await free.patiently(free.until(() => limits().length === 0));
  assert.ok(free.clock.now() - FIXTURE_NOW < 60 * SECOND);
});

Deno.test("404 with a usage-limit body", async () => {
  await using bed = await Bed.open();
  bed.simulator.plan("a").fail(recorded("404_usage_limit_in_disguise"));
  assert.match(await said(await bed.ask()), /served by b/);
  assert.equal(await bed.blockedUntil("a"), 1795464000 * SECOND);
});

Deno.test("every account at its limit", async () => {
  await using bed = await Bed.open({ plans: [{ name: "personal" }, { name: "work-500" }] });
  bed.simulator.plan("personal").setUsed(300, 100, 2 * HOUR);
  bed.simulator.plan("work-500").setUsed(10_080, 100, 3 * DAY);
  await (await bed.ask()).text();
  const asked = bed.turns.length;
  const before = performance.now();
  const answer = await bed.ask();
  const took = performance.now() - before;
  assert.ok(took < 50, `${took} ms`);
  assert.equal(bed.turns.length, asked, "nobody is asked");
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.get(RESET_HEADER), `${FIXTURE_NOW + 2 * HOUR}`);
  const { message } = await errorIn(answer);
  assert.match(message, /personal at its limit until .*work-5\u206000 at its limit until/);
  assert.doesNotMatch(message, /429|50[0-4]|rate limit|try again/i);
  assert.equal(bed.events.at(-1)?.kind, "exhausted");

  await using waiting = await Bed.open({
    plans: [{ name: "a" }],
    env: { OPENCODE_MULTI_AUTH_EXHAUSTED: "wait" },
  });
  waiting.simulator.plan("a").setUsed(300, 100, 90 * SECOND);
  const later = await waiting.ask();
  assert.equal(later.status, 429);
  assert.equal(later.headers.get("retry-after-ms"), "90000");
});

const FULL_WEEK = {
  "x-codex-primary-used-percent": "100",
  "x-codex-primary-window-minutes": "10080",
  // What the simulated backend would say by itself.
  "x-codex-primary-reset-at": "",
  "x-codex-primary-reset-after-seconds": "",
};

Deno.test("weekly window at 100 % in the headers of a 200", async () => {
  await using bed = await Bed.open();
  const headers = { ...FULL_WEEK, "x-codex-primary-reset-at": "1795802400" };
  bed.simulator.plan("a").fail({ kind: "sse", file: "ok.sse", headers });
  assert.equal((await bed.ask()).status, 200, "this answer is good");
  assert.equal(await bed.blockedUntil("a"), 1795802400 * SECOND);
  assert.match(await said(await bed.ask()), /served by b/, "the next one is another's");
});

Deno.test("reset headers as epoch seconds, milliseconds, ISO, empty, `window-minutes: 0`", async () => {
  const at = FIXTURE_NOW + 4 * DAY;
  for (
    const [what, headers, until] of [
      ["epoch seconds", { "x-codex-primary-reset-at": `${at / SECOND}` }, at],
      ["milliseconds", { "x-codex-primary-reset-at": `${at}` }, at],
      ["ISO", { "x-codex-primary-reset-at": new Date(at).toISOString() }, at],
      [
        "seconds from now",
        { "x-codex-primary-reset-after-seconds": "7200" },
        FIXTURE_NOW + 2 * HOUR,
      ],
      ["empty", { "x-codex-primary-reset-at": "" }, undefined],
      ["no window", {
        "x-codex-primary-reset-at": `${at / SECOND}`,
        "x-codex-primary-window-minutes": "0",
      }, undefined],
    ] as const
  ) {
    await using bed = await Bed.open();
    bed.simulator.plan("a").fail({
      kind: "sse",
      file: "ok.sse",
      headers: { ...FULL_WEEK, ...headers },
    });
    await (await bed.ask()).text();
    assert.equal(await bed.blockedUntil("a"), until, what);
  }
});

Deno.test('the weekly window arrives as "primary", the second null; Team reports 30 days', async () => {
  for (const minutes of [10_080, 43_200]) {
    await using bed = await Bed.open({ plans: [{ name: "a", windows: [{ minutes }] }] });
    bed.simulator.plan("a").setUsed(minutes, 40, 5 * DAY);
    await (await bed.ask()).text();
    const { figures } = await bed.client.store.load();
    assert.deepEqual(
      figures.get("id-a")?.windows.map((one) => [one.minutes, one.usedPercent]),
      [[minutes, 40]],
    );
  }
});

Deno.test("quota reset early (credit, promotion)", async () => {
  await using bed = await Bed.open();
  bed.simulator.plan("a").setUsed(300, 100, 3 * DAY);
  assert.match(await said(await bed.ask()), /served by b/);
  await bed.clock.advance(20 * SECOND);
  bed.simulator.plan("a").setUsed(300, 3);
  const back = bed.clock.now();
  const limits = () => bed.client.pool.limits(bed.client.pool.accounts[0]!);
  await bed.patiently(bed.until(() => limits().length === 0));
  assert.ok(bed.clock.now() - back <= 60 * SECOND, `${bed.clock.now() - back} ms`);
});

Deno.test("an optimistic older reading arrives after a 429", async () => {
  await using bed = await Bed.open({ plans: [{ name: "a" }] });
  const { simulator } = bed;
  const headers = { ...FULL_WEEK, "x-codex-primary-used-percent": "99" };
  simulator.plan("a").fail({
    kind: "delay",
    ms: 5 * SECOND,
    then: { kind: "sse", file: "ok.sse", headers },
  });
  const slow = bed.ask("slow");
  await simulator.waitFor((one) => one.session === "slow");
  await bed.clock.advance(SECOND);
  simulator.plan("a").fail(recorded("429_resets_at_only"));
  assert.equal((await bed.ask("refused")).status, 403);
  assert.equal((await bed.patiently(slow)).status, 200);
  assert.equal(await bed.blockedUntil("a"), 1795464000 * SECOND, "ignored");
  assert.equal((await bed.ask("next")).status, 403);
});
