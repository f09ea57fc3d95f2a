import {
  deepStrictEqual as deepEqual,
  match,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { VirtualClock } from "../virtual_clock.ts";
import { resolveEndpoints } from "../../src/platform/endpoints.ts";
import { type SimulatedPlan, type Simulator, startSimulator } from "./simulator.ts";
import { at, getBackend, postTurn, refresh, TURN } from "./test_client.ts";

async function withPlan(
  run: (simulator: Simulator, plan: SimulatedPlan, token: string) => Promise<void>,
): Promise<void> {
  const simulator = await startSimulator({ clock: new VirtualClock() });
  try {
    const plan = simulator.addPlan({ name: "personal" });
    await run(simulator, plan, plan.issueTokens().accessToken);
  } finally {
    await simulator.close();
  }
}

/** Sends raw bytes and reads until the simulator closes the connection. */
async function raw(simulator: Simulator, text: string): Promise<string> {
  const socket = connect(Number(new URL(simulator.origin).port), "127.0.0.1");
  let answer = "";
  socket.on("data", (bytes) => answer += bytes);
  socket.write(text);
  await once(socket, "close");
  return answer;
}

Deno.test("both addresses pass as overrides", () =>
  withPlan((simulator) => {
    deepEqual(
      resolveEndpoints({
        OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
        OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
      }),
      { issuer: simulator.origin, backend: `${simulator.origin}/backend-api` },
    );
    return Promise.resolve();
  }));

Deno.test("a WebSocket handshake gets 426, a proxy's CONNECT 502", () =>
  withPlan(async (simulator, _plan, token) => {
    const upgrade = await raw(
      simulator,
      "GET /backend-api/codex/responses HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\n" +
        "upgrade: websocket\r\nsec-websocket-version: 13\r\n" +
        `sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer ${token}\r\n\r\n`,
    );
    match(upgrade, /^HTTP\/1\.1 426 /);
    const record = simulator.requests[0];
    deepEqual([record?.method, record?.plan, record?.status], ["UPGRADE", "personal", 426]);
    const tunnel = "CONNECT chatgpt.com:443 HTTP/1.1\r\nhost: chatgpt.com:443\r\n\r\n";
    match(await raw(simulator, tunnel), /^HTTP\/1\.1 502 /);
  }));

Deno.test("unknown paths of the backend get 404 and are recorded", () =>
  withPlan(async (simulator, plan, token) => {
    const response = await getBackend(simulator, plan, token, "/codex/nowhere?x=1");
    deepEqual([response.status, await response.json()], [404, { detail: "Not Found" }]);
    const { path, query, status } = simulator.requests[0] ?? {};
    deepEqual([path, query, status], ["/backend-api/codex/nowhere", "x=1", 404]);
  }));

Deno.test("the model list goes by plan and client version, and names its ETag", () =>
  withPlan(async (simulator, plan, token) => {
    const slugs = async (who: SimulatedPlan, accessToken: string, query: string) => {
      const response = await getBackend(simulator, who, accessToken, `/codex/models${query}`);
      match(response.headers.get("etag") ?? "", /^W\/"[0-9a-f]{32}"$/);
      const { models } = await response.json();
      return models.map((model: { slug: string }) => model.slug);
    };
    const all = ["gpt-6.1-sol", "gpt-5.5", "gpt-5.3-codex-spark"];
    deepEqual(await slugs(plan, token, "?client_version=0.169.0"), all);
    deepEqual(await slugs(plan, token, "?client_version=0.123.9"), [all[0], all[2]]);
    deepEqual(await slugs(plan, token, "?client_version=0.124.0"), all);
    const other = simulator.addPlan({ name: "free", models: ["gpt-5.5", "gpt-7"] });
    const theirs = other.issueTokens().accessToken;
    deepEqual(await slugs(other, theirs, "?client_version=1.0.0"), ["gpt-5.5", "gpt-7"]);
    const missing = await getBackend(simulator, plan, token, "/codex/models");
    equal(missing.status, 400);
    await missing.body?.cancel();
  }));

Deno.test("what the Codex CLI asks at its start is there", () =>
  withPlan(async (simulator, plan, token) => {
    const check = await getBackend(simulator, plan, token, "/wham/accounts/check");
    const body = await check.json();
    equal(body.accounts.length, 1);
    equal(at(body, "accounts", 0, "id"), plan.workspaceId);
    for (const path of ["/wham/settings/user", "/wham/rate-limit-reset-credits"]) {
      const response = await getBackend(simulator, plan, token, path);
      equal(response.status, 200);
      await response.body?.cancel();
    }
  }));

Deno.test("a record knows its conversation", () =>
  withPlan(async (simulator, plan, token) => {
    const send = async (body: unknown, headers: Record<string, string>) => {
      await (await postTurn(simulator, plan, token, { body, headers })).body?.cancel();
      return simulator.requests.at(-1)?.session;
    };
    const body = { ...TURN, prompt_cache_key: "key" };
    equal(await send(body, { "session-id": "ses_1" }), "ses_1");
    equal(await send(body, { "session_id": "ses_2" }), "ses_2");
    equal(await send(body, {}), "key");
    equal(await send(TURN, {}), null);
  }));

Deno.test("waitFor finds past and future requests, and says what it saw when it gives up", () =>
  withPlan(async (simulator, plan, token) => {
    const coming = simulator.waitFor((record) => record.status === 200);
    await (await postTurn(simulator, plan, token)).text();
    const record = await coming;
    equal(record, simulator.requests[0]);
    equal(await simulator.waitFor((record) => record.plan === "personal"), record);
    await rejects(
      simulator.waitFor((record) => record.status === 500, 5),
      /Waited 5 ms .* POST \/backend-api\/codex\/responses by personal -> 200/,
    );
    await rejects(
      simulator.waitFor(() => {
        throw new Error("a broken predicate");
      }),
      /a broken predicate/,
    );
  }));

Deno.test("forgetting empties the records and keeps the plans as they are", () =>
  withPlan(async (simulator, plan, token) => {
    await (await postTurn(simulator, plan, token)).text();
    await (await refresh(simulator, plan.issueTokens().refreshToken)).body?.cancel();
    simulator.forget();
    deepEqual([simulator.requests.length, simulator.tokenCalls.length, plan.served], [0, 0, 1]);
    await (await postTurn(simulator, plan, token)).text();
    equal(simulator.requests.length, 1);
  }));

Deno.test("closing destroys what is open at once, frees the port, and ends every wait", async () => {
  const simulator = await startSimulator({ clock: new VirtualClock() });
  const plan = simulator.addPlan({ name: "personal" });
  const { accessToken } = plan.issueTokens();
  plan.fail({ kind: "stall", afterEvents: 1 });
  plan.fail({ kind: "delay", ms: 60_000 });
  const streaming = (await postTurn(simulator, plan, accessToken)).text().catch(() => "cut");
  const delayed = postTurn(simulator, plan, accessToken).catch(() => "cut");
  await simulator.waitFor((record) => record.fault === "delay");
  const waiting = rejects(simulator.waitFor(() => false), /closed while a test waited/);
  await simulator.close();
  await simulator.close();
  deepEqual(await Promise.all([streaming, delayed]), ["cut", "cut"]);
  await waiting;
  await rejects(simulator.waitFor(() => false), /simulator is closed/);
  const port = Number(new URL(simulator.origin).port);
  const again = await startSimulator({ port });
  equal(again.origin, simulator.origin);
  await again.close();
});

Deno.test("a port that is taken is an error, not a silence", async () => {
  await using simulator = await startSimulator();
  const port = Number(new URL(simulator.origin).port);
  await rejects(startSimulator({ port }), /EADDRINUSE|in use/i);
});

Deno.test("without keep-alive a refused request is refused, never sent again behind our back", async () => {
  await using simulator = await startSimulator({ keepAlive: false });
  const plan = simulator.addPlan({ name: "personal" });
  const { accessToken, refreshToken } = plan.issueTokens();
  await (await postTurn(simulator, plan, accessToken)).text();
  plan.fail({ kind: "refuse" });
  await rejects(postTurn(simulator, plan, accessToken));
  equal(simulator.requests.length, 2);
  plan.failToken({ kind: "cut" });
  await rejects(refresh(simulator, refreshToken));
  deepEqual(simulator.tokenCalls.map((call) => call.error), ["cut"]);
});

Deno.test("names of plans are unique and known", () =>
  withPlan((simulator, plan) => {
    equal(simulator.plan("personal"), plan);
    match(plan.workspaceId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    equal(plan.accountUserId, `${plan.userId}__${plan.workspaceId}`);
    throws(() => simulator.addPlan({ name: "personal" }), /exists already/);
    throws(() => simulator.plan("nobody"), /No plan is called "nobody"/);
    throws(() => simulator.approveNext("nobody"), /No plan is called "nobody"/);
    return Promise.resolve();
  }));
