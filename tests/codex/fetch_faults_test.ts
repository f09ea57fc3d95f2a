import assert from "node:assert/strict";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { errorOf, Failover, failure, json, RETRIED, stream, turn } from "./failover.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;

Deno.test("401 `token_invalidated`, the refresh token is good", async () => {
  const pool = new Failover().on("a", failure("401_token_invalidated"), stream("ok"));
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.order, "a a");
  assert.deepEqual(pool.refreshed, ["a"]);
  assert.deepEqual(pool.seen.map((one) => one.token), ["access-a", "access-a+"]);
});

Deno.test("401 again after a good refresh", async () => {
  const pool = new Failover(["a", "b", "c", "d"]);
  for (const alias of ["a", "b", "c"]) pool.on(alias, failure("401_token_invalidated"));
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.order, "a a b b c c d");
  assert.deepEqual(pool.store.accounts.map((one) => one.setAside?.reason), [
    "needs login",
    "needs login",
    "needs login",
    undefined,
  ]);
  for (const { at } of pool.seen) {
    const shown = new Set(
      pool.seen.filter((one) => one.at >= at && one.at < at + 5 * SECOND).map((one) => one.alias),
    );
    assert.ok(shown.size <= 2, `${[...shown]} shown within 5 s`);
  }
});

Deno.test("401 while the issuer is down: next account, this one keeps its good name", async () => {
  const pool = new Failover().on("a", failure("401_token_expired"));
  pool.refreshAnswer = () => ({ kind: "transient", code: "http_503" });
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.order, "a b");
  assert.equal(pool.store.accounts[0]?.setAside, undefined);
});

for (
  const name of [
    "failed-usage-limit-first",
    "failed-usage-limit-after-created",
    "error-nested-usage-limit",
  ]
) {
  Deno.test(`200 whose first event is a refusal hands over before anything useful: ${name}`, async () => {
    const pool = new Failover().on("a", stream(name));
    const answer = await pool.ask();
    assert.equal(await answer.text(), await stream("ok").text());
    assert.equal(pool.order, "a b");
    assert.ok((pool.blockedUntil("a") ?? 0) > pool.clock.now());
  });
}

Deno.test("`codex.rate_limits` with `limit_reached: true`, stream goes on", async () => {
  const pool = new Failover().on("a", stream("rate-limits-event-reached"));
  const answer = await pool.ask();
  assert.equal(await answer.text(), await stream("rate-limits-event-reached").text());
  assert.equal(pool.order, "a");
});

Deno.test("stream stalls before the first useful event", async () => {
  const pool = new Failover(["a", "b"], { stall: 30 * SECOND }).on(
    "a",
    ({ signal }) =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(
              new TextEncoder().encode('data: {"type":"response.created","response":{}}\n\n'),
            );
            signal.addEventListener("abort", () => controller.error(signal.reason));
          },
        }),
        { headers: { "content-type": "text/event-stream" } },
      ),
  );
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.order, "a b");
  const waited = (pool.seen[1]?.at ?? 0) - (pool.seen[0]?.at ?? 0);
  assert.ok(waited >= 30 * SECOND && waited <= 30.2 * SECOND, `${waited} ms`);
});

Deno.test("no answer at all counts as a stall too", async () => {
  const pool = new Failover(["a", "b"], { stall: 30 * SECOND }).on(
    "a",
    ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  );
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.order, "a b");
  assert.equal((pool.seen[1]?.at ?? 0) - (pool.seen[0]?.at ?? 0), 30 * SECOND);
});

Deno.test("a 200 stream ends cleanly without a terminal event", async () => {
  const pool = new Failover().on("a", stream("ends-without-terminal-event"));
  const text = await (await pool.ask()).text();
  assert.match(text, /"type":\s*"error"/);
  assert.equal(pool.order, "a");
  assert.equal(pool.store.blocks.size, 0);
});

Deno.test("429 with only `resets_in_seconds: 7200`", async () => {
  const pool = new Failover().on("a", failure("429_resets_in_seconds_only"));
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.order, "a b");
  const until = pool.blockedUntil("a") ?? 0;
  assert.ok(Math.abs(until - (FIXTURE_NOW + 2 * HOUR)) < SECOND, `${until}`);
});

Deno.test("429 with only `resets_at`", async () => {
  const pool = new Failover().on("a", failure("429_resets_at_only"));
  await pool.ask();
  assert.equal(pool.blockedUntil("a"), 1795464000_000);
});

Deno.test("429 with Retry-After (seconds, date, `retry-after-ms`) below 5 minutes", async () => {
  for (
    const [name, seconds] of [
      ["429_retry_after_seconds", 10],
      ["429_retry_after_date", 60],
      ["429_retry_after_ms", 0.7],
    ] as const
  ) {
    const pool = new Failover(["a", "b"]).on("a", failure(name));
    assert.equal((await pool.ask()).status, 200);
    assert.equal(pool.order, "a b", name);
    const wait = (pool.blockedUntil("a") ?? 0) - FIXTURE_NOW;
    assert.ok(Math.abs(wait - seconds * SECOND) < SECOND / 2, `${name}: ${wait} ms`);
  }
});

Deno.test("429 `rate_limit_exceeded` (transient): short wait, no long block", async () => {
  const throttled = json(429, { error: { type: "rate_limit_exceeded", message: "slow down" } });
  const pool = new Failover().on("a", throttled);
  assert.equal((await pool.ask()).status, 200);
  assert.ok((pool.blockedUntil("a") ?? 0) - FIXTURE_NOW <= 5 * SECOND);
});

Deno.test("a short throttle on the only account is waited for, on the same account", async () => {
  const pool = new Failover(["a"]).on("a", failure("429_retry_after_ms"), stream("ok"));
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.order, "a a");
  const waited = (pool.seen[1]?.at ?? 0) - (pool.seen[0]?.at ?? 0);
  assert.ok(waited >= 700 && waited < 1_000, `${waited} ms`);
});

Deno.test("429 that says nothing about when", async () => {
  const pool = new Failover().on("a", failure("429_no_reset_at_all"));
  await pool.ask();
  assert.equal((pool.blockedUntil("a") ?? 0) - FIXTURE_NOW, 300 * SECOND);
  assert.deepEqual(pool.asked, ["a"], "the usage endpoint is asked");
});

Deno.test("404 with a usage-limit body", async () => {
  const pool = new Failover().on("a", failure("404_usage_limit_in_disguise"));
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.blockedUntil("a"), 1795464000_000);
});

Deno.test("402 `deactivated_workspace`", async () => {
  const pool = new Failover().on("a", failure("402_deactivated_workspace"));
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.order, "a b");
  assert.equal(pool.store.accounts[0]?.setAside?.reason, "workspace deactivated");
  assert.equal(pool.store.accounts[0]?.credentials.refreshToken, "refresh-a", "kept");
});

Deno.test("403 Cloudflare page (HTML, `cf-mitigated`)", async () => {
  const pool = new Failover().on("a", failure("403_cloudflare_page"));
  const answer = await pool.ask();
  assert.ok(pool.seen.every((one) => one.alias === "a"), "another account meets the same wall");
  for (let n = 1; n < pool.seen.length; n++) {
    const wait = (pool.seen[n]?.at ?? 0) - (pool.seen[n - 1]?.at ?? 0);
    assert.ok(wait >= 2 * SECOND && wait <= 5.2 * SECOND, `${wait} ms`);
  }
  assert.ok(pool.clock.now() - FIXTURE_NOW <= 12.3 * SECOND);
  assert.equal(answer.status, 403);
  const { message } = await errorOf(answer);
  assert.doesNotMatch(message, /</);
  assert.doesNotMatch(message, RETRIED);
  assert.equal(pool.store.blocks.size, 0);

  const before = pool.clock.now();
  await pool.ask();
  assert.ok((pool.seen.at(-1)?.at ?? 0) >= before + 9 * SECOND, "the next request waits first");
  const third = pool.seen.length;
  const refused = await pool.ask();
  assert.equal(refused.status, 403);
  assert.equal(pool.seen.length, third, "30 s are more than a request waits");
});

Deno.test("a Cloudflare page that goes away is not noticed", async () => {
  const pool = new Failover().on("a", failure("403_cloudflare_page"), stream("ok"));
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.order, "a a");
});

for (const name of ["400_invalid_encrypted_content", "400_encrypted_content_null_code"]) {
  Deno.test(`foreign reasoning is dropped once, same account: ${name}`, async () => {
    const pool = new Failover().on("a", failure(name), stream("ok"));
    const input = [
      { role: "user", content: "hi" },
      { type: "reasoning", encrypted_content: "gAAA-foreign", summary: [] },
      { type: "function_call", name: "f", arguments: "{}", call_id: "1" },
    ];
    assert.equal((await pool.ask(turn("s", { input }))).status, 200);
    assert.equal(pool.order, "a a");
    assert.deepEqual(JSON.parse(pool.seen[1]?.body ?? "").input, [input[0], input[2]]);
  });
}

Deno.test("foreign reasoning that does not help is shown after one retry", async () => {
  const pool = new Failover().on("a", failure("400_invalid_encrypted_content"));
  assert.equal((await pool.ask()).status, 400);
  assert.equal(pool.order, "a a");
});

Deno.test("on a move only reasoning of the account before is dropped, and new reasoning stays", async () => {
  const pool = new Failover();
  const old = { type: "reasoning", encrypted_content: "minted-by-a", summary: [] };
  await pool.ask(turn("s"));
  pool.on("a", failure("429_resets_at_only"));
  await pool.ask(turn("s", { input: [old] }));
  assert.equal(pool.seen.at(-1)?.alias, "b");
  assert.deepEqual(JSON.parse(pool.seen.at(-1)?.body ?? "").input, []);
  const fresh = { type: "reasoning", encrypted_content: "minted-by-b", summary: [] };
  await pool.ask(turn("s", { input: [old, fresh] }));
  assert.deepEqual(JSON.parse(pool.seen.at(-1)?.body ?? "").input, [fresh]);
});

Deno.test("400 model not supported for this account", async () => {
  const pool = new Failover().on("a", failure("400_model_not_supported"), stream("ok"));
  assert.equal((await pool.ask(turn("s", { model: "spark" }))).status, 200);
  assert.equal(pool.order, "a b");
  assert.ok((pool.blockedUntil("a", "spark") ?? 0) > pool.clock.now());
  assert.equal(pool.blockedUntil("a"), undefined);
});

for (
  const [name, reply] of [
    ["500", failure("500_server_error")],
    ["500 with a reset that means nothing", failure("500_with_a_reset_that_means_nothing")],
    ["503", failure("503_overloaded")],
    ["an overloaded stream", stream("failed-overloaded")],
    ["ECONNRESET", Object.assign(new TypeError("fetch failed"), { code: "ECONNRESET" })],
  ] as const
) {
  Deno.test(`trouble on the way goes to the next account, bounded: ${name}`, async () => {
    const pool = new Failover().on("a", reply);
    assert.equal((await pool.ask()).status, 200);
    assert.equal(pool.order, "a b");
    assert.equal(pool.store.blocks.size, 0, "the account keeps its good name");
    assert.equal(pool.store.accounts[0]?.setAside, undefined);
  });

  Deno.test(`trouble everywhere ends after one try each: ${name}`, async () => {
    const pool = new Failover();
    for (const alias of ["a", "b", "c"]) pool.on(alias, reply);
    const answer = await pool.ask();
    assert.ok(answer.status >= 500, `${answer.status}`);
    assert.equal(pool.order, "a b c");
  });
}

for (
  const name of [
    "413_too_large",
    "400_context_too_long",
    "400_cyber_policy",
    "400_unsupported_content_type",
    "400_previous_response_not_found",
    "403_json",
  ]
) {
  Deno.test(`about the request itself, passed through untouched: ${name}`, async () => {
    const pool = new Failover().on("a", failure(name));
    const answer = await pool.ask();
    assert.equal(answer.status, failure(name).status);
    assert.equal(await answer.text(), await failure(name).text());
    assert.equal(pool.order, "a");
  });
}
