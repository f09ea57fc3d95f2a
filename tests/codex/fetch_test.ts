import assert from "node:assert/strict";
import { RESET_HEADER } from "../../src/codex/exhausted.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { Failover, failure, RESPONSES, stream, turn } from "./failover.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

async function errorOf(response: Response): Promise<{ message: string; code: string }> {
  return (await response.json()).error;
}

/** OpenCode 1.18 tries again when it meets any of these in a body. */
const RETRIED = /429|500|502|503|504|524|rate limit|overloaded|connection|timed out|try again/i;

Deno.test("a good answer passes byte for byte, on one account", async () => {
  const pool = new Failover();
  const answer = await pool.ask();
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), await stream("ok").text());
  assert.equal(pool.order, "a");
});

Deno.test("the request goes out as OpenCode made it, with the account's own credentials", async () => {
  const pool = new Failover();
  const init = turn("ses_1");
  await pool.ask({
    ...init,
    headers: {
      ...init.headers as Record<string, string>,
      authorization: "Bearer dummy",
      "x-api-key": "k",
      cookie: "__cf_bm=1",
      "openai-organization": "o",
      "x-opencode-title": "true",
    },
  });
  const [sent] = pool.seen;
  assert.equal(sent?.url, "https://backend.test/backend-api/codex/responses");
  assert.equal(sent?.rawBody, init.body, "the very same string");
  assert.equal(sent?.headers.get("authorization"), "Bearer access-a");
  assert.equal(sent?.headers.get("chatgpt-account-id"), "ws-a");
  assert.equal(sent?.headers.get("session-id"), "ses_1");
  assert.equal(sent?.headers.get("originator"), "opencode");
  for (const name of ["x-api-key", "cookie", "openai-organization", "x-opencode-title"]) {
    assert.equal(sent?.headers.get(name), null, name);
  }
});

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

Deno.test("every account at its limit: stop", async () => {
  const pool = new Failover(["personal", "work-500"]);
  pool.on("personal", failure("429_resets_at_only"));
  pool.on(
    "work-500",
    json(429, { error: { type: "usage_limit_reached", resets_in_seconds: 9000 } }),
  );
  await pool.ask();
  const asked = pool.seen.length;
  // Nothing waits: no time has to pass for the answer, and nobody is asked.
  const answer = await pool.fetch(RESPONSES, turn("s"));
  assert.equal(pool.seen.length, asked);
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.get(RESET_HEADER), String(1795464000_000));
  assert.equal(answer.headers.get("retry-after"), null);
  const text = await answer.text();
  assert.doesNotMatch(text, RETRIED);
  const { error: { message } } = JSON.parse(text);
  assert.match(message, /personal at its limit until .*work-5\u206000 at its limit until/);
  assert.match(message, /The first to come back is personal at /);
  assert.equal(pool.events.at(-1)?.kind, "exhausted");
});

Deno.test("of several ends the earliest is named, wherever it stands", async () => {
  const pool = new Failover(["late", "early"]);
  pool.on("late", json(429, { error: { type: "usage_limit_reached", resets_in_seconds: 9000 } }));
  pool.on("early", failure("429_resets_at_only"));
  const answer = await pool.ask();
  assert.equal(answer.headers.get(RESET_HEADER), String(1795464000_000));
  assert.match((await errorOf(answer)).message, /first to come back is early/);
});

Deno.test("every account at its limit: wait", async () => {
  const pool = new Failover(["a"], { exhausted: "wait", maxWait: 600_000 });
  pool.on("a", failure("429_resets_at_only"));
  const answer = await pool.ask();
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get("retry-after-ms"), "600000");
  pool.clock.jump(1795464000_000 - 90_000);
  const later = await pool.fetch(RESPONSES, turn("s"));
  assert.equal(later.headers.get("retry-after-ms"), "90000");
});

Deno.test("no account, all set aside, locked: said at once and without a retry", async () => {
  const none = await new Failover([]).ask();
  assert.equal(none.status, 401);
  assert.match((await errorOf(none)).message, /opencode-multi-auth add/);

  const aside = new Failover(["a"], {}, (account) => ({
    ...account,
    setAside: { at: 0, reason: "needs login" },
  }));
  const answer = await aside.ask();
  assert.equal(answer.status, 403);
  assert.match((await errorOf(answer)).message, /a needs login/);

  const locked = new Failover([]);
  locked.store.isLocked = true;
  assert.match((await errorOf(await locked.ask())).message, /CODEX_SOFT_STORE_PASSPHRASE/);
});

Deno.test("abort by the user (Esc)", async () => {
  const pool = new Failover();
  const user = new AbortController();
  let upstream: AbortSignal | undefined;
  pool.on("a", ({ signal }) => {
    upstream = signal;
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  });
  const answer = pool.fetch(RESPONSES, { ...turn("s"), signal: user.signal });
  answer.catch(() => {});
  await pool.clock.advance(10);
  user.abort(new DOMException("Esc", "AbortError"));
  await assert.rejects(answer, { name: "AbortError" });
  assert.equal(upstream?.aborted, true);
  assert.equal(pool.order, "a", "no retry");
  assert.equal(pool.store.blocks.size, 0, "no blame");
});

Deno.test("abort while an answer streams reaches upstream", async () => {
  const pool = new Failover();
  const user = new AbortController();
  let upstream: AbortSignal | undefined;
  pool.on("a", ({ signal }) => {
    upstream = signal;
    const event = '{"type":"response.output_text.delta","delta":"x"}';
    return new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(`data: ${event}\n\n`));
          signal.addEventListener("abort", () => controller.error(signal.reason));
        },
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  });
  const answer = await pool.ask({ ...turn("s"), signal: user.signal });
  const reader = answer.body!.getReader();
  await reader.read();
  user.abort(new DOMException("Esc", "AbortError"));
  await assert.rejects(reader.read(), { name: "AbortError" });
  assert.equal(upstream?.aborted, true);
});

Deno.test("an answer that nobody reads to its end lets go of upstream", async () => {
  const pool = new Failover();
  let cancelled = false;
  pool.on("a", () =>
    new Response(
      new ReadableStream({
        start: (controller) =>
          controller.enqueue(
            new TextEncoder().encode('data: {"type":"response.output_text.delta"}\n\n'),
          ),
        cancel: () => void (cancelled = true),
      }),
      { headers: { "content-type": "text/event-stream" } },
    ));
  await (await pool.ask()).body?.cancel();
  assert.equal(cancelled, true);
});

Deno.test("`Request` object as the only argument; body a stream, a Uint8Array, FormData; relative URL; `/v1/responses`; `/chat/completions`", async () => {
  const body = turn("s").body as string;
  const headers = { "content-type": "application/json", "session-id": "s" };
  const bytes = new TextEncoder().encode(body);
  const forms: [string | URL | Request, RequestInit | undefined][] = [
    [new Request(RESPONSES, { method: "POST", headers, body }), undefined],
    [new URL(RESPONSES), { method: "POST", headers, body: bytes }],
    [
      RESPONSES,
      { method: "POST", headers, body: new Blob([body]).stream(), duplex: "half" } as RequestInit,
    ],
    ["/v1/responses", { method: "POST", headers, body }],
    ["undefined/responses", { method: "POST", headers, body }],
    ["responses", { method: "POST", headers, body }],
    [`${RESPONSES}?x=1`, { method: "POST", headers: new Headers(headers), body }],
    [RESPONSES, { method: "POST", headers: Object.entries(headers), body: bytes.buffer }],
  ];
  for (const [index, [input, init]] of forms.entries()) {
    const pool = new Failover();
    const answer = await pool.ask(init as RequestInit, input);
    assert.equal(answer.status, 200, `form ${index}`);
    assert.equal(pool.seen[0]?.body, body, `form ${index}`);
    assert.equal(pool.seen[0]?.url, "https://backend.test/backend-api/codex/responses");
    assert.equal(pool.seen[0]?.headers.get("session-id"), "s");
  }
  const pool = new Failover();
  const form = await pool.ask({ method: "POST", body: new FormData() });
  assert.equal(form.status, 400);
  assert.match((await errorOf(form)).message, /form data/);
  const chat = await pool.ask(turn("s"), "https://api.openai.com/v1/chat/completions");
  assert.equal(chat.status, 400);
  assert.match((await errorOf(chat)).message, /\/v1\/chat\/completions/);
  const broken = await pool.ask({ ...turn("s"), body: "{not json" });
  assert.equal(broken.status, 400);
  assert.equal(pool.seen.length, 0);
});

Deno.test("bytes go out as the very same bytes", async () => {
  const pool = new Failover();
  const bytes = new TextEncoder().encode(turn("s").body as string);
  await pool.ask({ ...turn("s"), body: bytes });
  assert.equal(pool.seen[0]?.rawBody, bytes);
});

Deno.test("non-streaming request answered with SSE", async () => {
  for (const name of ["ok", "ok-crlf-no-space-no-event", "ok-empty-output"]) {
    const pool = new Failover().on("a", stream(name));
    const body = JSON.stringify({ model: "gpt-5.5", input: "hi" });
    const answer = await pool.ask({ ...turn("s"), body });
    const sent = JSON.parse(pool.seen[0]?.body ?? "");
    assert.deepEqual([sent.stream, sent.store], [true, false]);
    assert.match(answer.headers.get("content-type") ?? "", /json/);
    assert.equal((await answer.json()).object ?? "response", "response", name);
  }
});

Deno.test("a session is known by its header, else by prompt_cache_key", async () => {
  const pool = new Failover();
  const init = { ...turn("x"), headers: { "content-type": "application/json" } };
  const body = JSON.stringify({ model: "m", stream: true, store: false, prompt_cache_key: "k" });
  await pool.ask({ ...init, body });
  await pool.ask(turn("k"));
  await pool.ask(turn("other"));
  assert.equal(pool.order, "a a b");
});

Deno.test("an expired token is renewed before the request", async () => {
  const pool = new Failover(["a"], {}, (account) => ({
    ...account,
    credentials: { ...account.credentials, expiresAt: FIXTURE_NOW - 1 },
  }));
  assert.equal((await pool.ask()).status, 200);
  assert.deepEqual(pool.refreshed, ["a"]);
  assert.equal(pool.seen[0]?.token, "access-a+");
});

Deno.test("a token with 295 s left is renewed, one with 302 s left is not", async () => {
  for (const [left, refreshed] of [[295, ["a"]], [302, []]] as const) {
    const pool = new Failover(["a"], {}, (account) => ({
      ...account,
      credentials: { ...account.credentials, expiresAt: FIXTURE_NOW + left * SECOND },
    }));
    assert.equal((await pool.ask()).status, 200);
    assert.deepEqual(pool.refreshed, refreshed);
  }
});

Deno.test("accounts added while OpenCode runs", async () => {
  const pool = new Failover(["a"]).on("a", failure("429_resets_at_only"));
  assert.equal((await pool.ask()).status, 403);
  const { testAccount } = await import("../memory_store.ts");
  await pool.store.add(testAccount("late"));
  pool.store.touch();
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.seen.at(-1)?.alias, "late");
});

Deno.test("uses count answered requests, once each", async () => {
  const pool = new Failover();
  await (await pool.ask()).text();
  pool.on("a", failure("500_server_error"));
  await (await pool.ask()).text();
  const uses = pool.store.observations.filter((one) => one.uses);
  assert.deepEqual(uses.map((one) => one.accountId), ["id-a", "id-b"]);
});

Deno.test("a hand-over is announced once, with both names", async () => {
  const pool = new Failover();
  await pool.ask();
  pool.on("a", failure("429_resets_at_only"));
  await pool.ask();
  await pool.ask();
  assert.deepEqual(pool.events, [{ kind: "moved", session: "s", from: "a", to: "b" }]);
});

Deno.test("1,000 concurrent requests on three healthy accounts: 0 errors of ours", async () => {
  const pool = new Failover();
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, (_, n) => pool.fetch(RESPONSES, turn(`s${n}`))),
  );
  assert.ok(answers.every((answer) => answer.status === 200));
  assert.equal(pool.seen.length, 1_000);
});

Deno.test("a limit of a model's own bucket blocks that model alone", async () => {
  const pool = new Failover().on("a", failure("429_model_family"), stream("ok"));
  assert.equal((await pool.ask(turn("s", { model: "spark" }))).status, 200);
  assert.equal(pool.blockedUntil("a", "spark"), 1795464000_000);
  assert.equal(pool.blockedUntil("a"), undefined);
});

Deno.test("a 200 whose headers say that a window is full is the account's last", async () => {
  const pool = new Failover().on(
    "a",
    stream("ok", {
      "x-codex-primary-used-percent": "100",
      "x-codex-primary-window-minutes": "10080",
      "x-codex-primary-reset-at": "1795802400",
    }),
  );
  assert.equal((await pool.ask()).status, 200);
  assert.equal(pool.blockedUntil("a"), 1795802400_000);
  await pool.ask();
  assert.equal(pool.order, "a b");
});

Deno.test("an answer that was under way when a refusal came cannot lift the block", async () => {
  const answered = Promise.withResolvers<Response>();
  const pool = new Failover(["a"]).on("a", () => answered.promise, failure("429_resets_at_only"));
  const slow = pool.fetch(RESPONSES, turn("slow"));
  await pool.clock.advance(1_000);
  assert.equal((await pool.ask(turn("refused"))).status, 403);
  answered.resolve(stream("ok", {
    "x-codex-primary-used-percent": "99",
    "x-codex-primary-window-minutes": "300",
    "x-codex-primary-reset-at": "1795464000",
  }));
  assert.equal((await slow).status, 200);
  assert.equal(pool.blockedUntil("a"), 1795464000_000);
  assert.equal((await pool.ask(turn("next"))).status, 403);
});

Deno.test("several requests meet one invalidated token: it is renewed once", async () => {
  const pool = new Failover(["a"]).on("a", ({ signal }) => {
    signal.throwIfAborted();
    const used = pool.seen.at(-1)?.token;
    return used === "access-a" ? failure("401_token_invalidated") : stream("ok");
  });
  const all = Promise.all([1, 2, 3].map((n) => pool.fetch(RESPONSES, turn(`s${n}`))));
  await pool.clock.advance(10_000);
  assert.deepEqual((await all).map((answer) => answer.status), [200, 200, 200]);
  assert.deepEqual(pool.refreshed, ["a"]);
});

Deno.test("a late 401 on a token that was renewed meanwhile costs no second renewal", async () => {
  const late = Promise.withResolvers<Response>();
  const pool = new Failover(["a"]).on(
    "a",
    () => late.promise,
    failure("401_token_invalidated"),
    stream("ok"),
  );
  const first = pool.fetch(RESPONSES, turn("first"));
  await pool.clock.advance(1);
  assert.equal((await pool.ask(turn("second"))).status, 200);
  late.resolve(failure("401_token_invalidated"));
  await pool.clock.advance(10_000);
  assert.equal((await first).status, 200);
  assert.deepEqual(pool.refreshed, ["a"]);
});

Deno.test("a limit that strikes in mid-answer concerns the next request", async () => {
  const events = [
    { type: "response.output_text.delta", delta: "half" },
    {
      type: "response.failed",
      response: { error: { code: "usage_limit_reached", resets_in_seconds: 7200 } },
    },
  ];
  const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  const pool = new Failover().on(
    "a",
    new Response(text, { headers: { "content-type": "text/event-stream" } }),
  );
  assert.equal(await (await pool.ask()).text(), text, "the answer stays as it is");
  assert.ok((pool.blockedUntil("a") ?? 0) > pool.clock.now());
  await pool.ask();
  assert.equal(pool.order, "a b");
  assert.equal(pool.store.observations.filter((one) => one.uses).length, 0, "no use is counted");
});
