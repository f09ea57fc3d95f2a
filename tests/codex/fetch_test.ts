import assert from "node:assert/strict";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { errorOf, Failover, failure, RESPONSES, stream, turn } from "./failover.ts";

const SECOND = 1_000;

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
