import assert from "node:assert/strict";
import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "../../src/codex/client.ts";
import { readTokens } from "../../src/codex/token_figures.ts";
import { localDay } from "../../src/platform/day.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { readChoices, readTokenUse } from "../../src/store/past.ts";
import { startSimulator } from "../simulator/simulator.ts";
import { TURN } from "../simulator/test_client.ts";
import { testAccount } from "../memory_store.ts";
import { Failover, failure, RESPONSES, stream, turn } from "./failover.ts";

const usage = (fields: Record<string, unknown>) => JSON.stringify({ response: { usage: fields } });

Deno.test("tokens are read from a terminal event and from a response without a stream", () => {
  const fields = {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 90 },
    output_tokens: 12,
    output_tokens_details: { reasoning_tokens: 8 },
    total_tokens: 112,
  };
  const expected = { input: 100, cached: 90, output: 12, reasoning: 8 };
  assert.deepEqual(readTokens(usage(fields)), expected);
  assert.deepEqual(readTokens(JSON.stringify({ usage: fields })), expected);
  assert.deepEqual(readTokens(usage({ input_tokens: 3 })), {
    input: 3,
    cached: 0,
    output: 0,
    reasoning: 0,
  });
});

Deno.test("what names no tokens gives none, and figures that are none count as 0", () => {
  for (
    const data of [
      "",
      "null",
      "[]",
      "{",
      '{"response":null}',
      usage({}),
      usage({ input_tokens: 0, output_tokens: 0 }),
    ]
  ) {
    assert.equal(readTokens(data), undefined, data);
  }
  for (const bad of [-5, 1e300, "7", null, [1], {}]) {
    const tokens = readTokens(usage({ input_tokens: bad, output_tokens: 2 }));
    assert.deepEqual(tokens, { input: 0, cached: 0, output: 2, reasoning: 0 }, String(bad));
  }
});

Deno.test("no JSON whatever breaks the reading of tokens", () =>
  fc.assert(fc.property(fc.json(), (text) => {
    const tokens = readTokens(text);
    for (const value of Object.values(tokens ?? {})) assert.ok(Number.isSafeInteger(value));
  })));

/** What the store was told of tokens. */
const told = (pool: Failover) =>
  pool.store.observations.flatMap(({ accountId, tokens }) =>
    tokens ? [{ accountId, ...tokens }] : []
  );

Deno.test("an answer's tokens are counted once, at its end, on the model that was asked for", async () => {
  const pool = new Failover();
  const answer = await pool.ask(turn("s", { model: "gpt-5.5-mine" }));
  const reader = answer.body?.getReader();
  await reader?.read();
  assert.deepEqual(told(pool), [], "not before the end");
  while (!(await reader?.read())?.done);
  assert.deepEqual(told(pool), [{
    accountId: "id-a",
    model: "gpt-5.5-mine",
    day: localDay(pool.clock.now()),
    input: 10,
    cached: 4,
    output: 5,
    reasoning: 0,
  }]);
});

for (const name of ["incomplete", "ok-crlf-no-space-no-event", "tool-call", "ok-response-done"]) {
  Deno.test(`tokens are counted whatever the end looks like: ${name}`, async () => {
    const pool = new Failover().on("a", stream(name));
    const text = await (await pool.ask()).text();
    const named = /"input_tokens":\s?(\d+)/.exec(text);
    assert.deepEqual(told(pool).map(({ input }) => input), named ? [Number(named[1])] : []);
    assert.ok(named, "the fixture names some");
  });
}

Deno.test("a caller who asked for no stream is counted too, and so is an answer that is JSON", async () => {
  const pool = new Failover();
  const answer = await pool.ask(turn("s", { stream: false }));
  assert.equal((await answer.json()).usage.input_tokens, 10);
  assert.equal(told(pool).length, 1);

  const body = { output: [], usage: { input_tokens: 7, output_tokens: 1 } };
  pool.on("a", Response.json(body));
  const compacted = await pool.ask(turn("s"), `${RESPONSES}/compact`);
  assert.deepEqual(await compacted.json(), body);
  assert.deepEqual(told(pool).map(({ input }) => input), [10, 7]);
  assert.deepEqual(pool.store.observations.filter(({ uses }) => uses).length, 2);
});

Deno.test("a refused and a broken answer cost nothing here, the next account's answer does", async () => {
  const pool = new Failover().on("a", failure("429_both_resets_and_headers"))
    .on("b", stream("ends-without-terminal-event"));
  await (await pool.ask()).text();
  assert.equal(pool.order, "a b");
  assert.deepEqual(told(pool), []);
  pool.on("b", stream("ok"));
  await (await pool.ask()).text();
  assert.deepEqual(told(pool).map(({ accountId }) => accountId), ["id-b"]);
});

Deno.test("a choice says why the session left: its limit with its end, trouble, a refused token", async () => {
  const pool = new Failover().on("a", failure("429_both_resets_and_headers"));
  await (await pool.ask()).text();
  pool.on("b", failure("503_overloaded"));
  await (await pool.ask()).text();
  const [first, limited, troubled, ...more] = pool.store.explanations;
  assert.deepEqual(more, []);
  assert.deepEqual([first?.accountId, first?.leftId, first?.reason], [
    "id-a",
    undefined,
    "next in turn",
  ]);
  const until = pool.blockedUntil("a");
  assert.ok(until !== undefined);
  assert.deepEqual([limited?.accountId, limited?.leftId, limited?.why, limited?.until], [
    "id-b",
    "id-a",
    "usage limit",
    until,
  ]);
  assert.deepEqual([troubled?.accountId, troubled?.leftId, troubled?.why], [
    "id-c",
    "id-b",
    "server trouble",
  ]);

  const refused = new Failover(["a", "b"]).on("a", failure("401_token_expired"));
  refused.refreshAnswer = () => ({ kind: "transient", code: "http_503" });
  await (await refused.ask()).text();
  assert.equal(refused.store.explanations.at(-1)?.why, "token refused");
});

Deno.test("on the simulated backend the ledger has what the answers say, and affinity shows as cached", async () => {
  await using simulator = await startSimulator({ keepAlive: false });
  const folder = mkdtempSync(join(tmpdir(), "ledger-"));
  try {
    const env = {
      OPENCODE_MULTI_AUTH_STORE_DIR: join(folder, "store"),
      OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
      OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    };
    const paths = resolvePaths(env);
    const store = await openLocalStore({ paths, env });
    for (const name of ["work", "home"]) {
      const plan = simulator.addPlan({ name });
      const { accessToken, refreshToken } = plan.issueTokens();
      await store.add(testAccount(name, {
        credentials: { accessToken, refreshToken, expiresAt: Date.now() + 9 * 86_400_000 },
        identity: { workspaceId: plan.workspaceId },
      }));
    }
    const before = localDay(Date.now());
    const clients = [await createClient({ env }), await createClient({ env })];
    const expected = { answers: 0, input: 0, cached: 0, output: 0, reasoning: 0 };
    const ask = async (client: typeof clients[0], session: string) => {
      const answer = await client?.fetch(RESPONSES, {
        method: "POST",
        headers: { "content-type": "application/json", "session-id": session },
        body: JSON.stringify({ ...TURN, prompt_cache_key: session }),
      });
      assert.equal(answer?.status, 200);
      const last = (await answer?.text() ?? "").split("\n")
        .findLast((line) => line.includes('"response.completed"') && line.startsWith("data:"));
      const { usage } = JSON.parse(last?.slice(5) ?? "").response;
      expected.answers++;
      expected.input += usage.input_tokens;
      expected.cached += usage.input_tokens_details.cached_tokens;
      expected.output += usage.output_tokens;
      expected.reasoning += usage.output_tokens_details.reasoning_tokens;
    };
    for (let round = 0; round < 3; round++) {
      for (const [index, client] of clients.entries()) await ask(client, `ses_${index}`);
    }
    for (const client of clients) await client.close();
    const found = { answers: 0, input: 0, cached: 0, output: 0, reasoning: 0 };
    for (const use of await readTokenUse(store, before)) {
      assert.equal(use.model, TURN.model);
      for (const key of ["answers", "input", "cached", "output", "reasoning"] as const) {
        found[key] += use[key];
      }
    }
    assert.deepEqual(found, expected);
    assert.ok(found.answers === 6 && found.cached > 0, "sessions that stay are cached");
    assert.deepEqual((await readChoices(store, 100)).map(({ session }) => session).sort(), [
      "ses_0",
      "ses_1",
    ]);
    await store.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
