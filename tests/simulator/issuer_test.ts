import {
  deepStrictEqual as deepEqual,
  match,
  notStrictEqual as notEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { VirtualClock } from "../virtual_clock.ts";
import { readClaims } from "../../src/account/claims.ts";
import { fixtureIdentity, type Simulator, startSimulator } from "./simulator.ts";
import {
  approve,
  at,
  authorizeUrl,
  bearer,
  getBackend,
  postForm,
  postJson,
  redeem,
  refresh,
  refreshByJson,
} from "./test_client.ts";

/** Runs a test against a simulator with one plan called `personal`. */
async function withIssuer(
  run: (simulator: Simulator, clock: VirtualClock) => Promise<void>,
  options: Parameters<typeof startSimulator>[0] = {},
): Promise<void> {
  const clock = new VirtualClock();
  const simulator = await startSimulator({ clock, ...options });
  try {
    simulator.addPlan({ name: "personal" });
    await run(simulator, clock);
  } finally {
    await simulator.close();
  }
}

async function codeOf(simulator: Simulator): Promise<string> {
  return (await approve(simulator)).searchParams.get("code") ?? "";
}

Deno.test("a browser login ends with tokens that the backend takes", () =>
  withIssuer(async (simulator) => {
    const back = await approve(simulator);
    equal(back.origin + back.pathname, "http://localhost:1455/auth/callback");
    equal(back.searchParams.get("state"), "state-of-the-test");
    const response = await redeem(simulator, back.searchParams.get("code") ?? "");
    equal(response.status, 200);
    const tokens = await response.json();
    equal(tokens.token_type, "bearer");
    equal(tokens.expires_in, 864_000);
    const plan = simulator.plan("personal");
    const usage = await getBackend(simulator, plan, tokens.access_token, "/wham/usage");
    equal(usage.status, 200);
    equal(at(await usage.json(), "email"), "personal@plans.example");
    const info = await fetch(`${simulator.issuerUrl}/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    equal(at(await info.json(), "email"), "personal@plans.example");
    deepEqual(
      simulator.tokenCalls.map(({ grant, plan, ok, format }) => [grant, plan, ok, format]),
      [
        ["authorization_code", "personal", true, "form"],
      ],
    );
  }));

Deno.test("tokens carry the claims of the fixtures' identities", () =>
  withIssuer(async (simulator) => {
    const { plan, tokens } = fixtureIdentity("work");
    const work = simulator.addPlan(plan);
    const issued = work.issueTokens();
    const claimsOf = (token: string) =>
      JSON.parse(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")));
    const [ours, theirs] = [claimsOf(issued.accessToken), claimsOf(tokens.accessToken)];
    deepEqual(Object.keys(ours).sort(), Object.keys(theirs).sort());
    const auth = "https://api.openai.com/auth";
    deepEqual(ours[auth], theirs[auth]);
    equal(ours.exp * 1000, issued.expiresAt);
    equal(readClaims(issued.idToken)?.email, "you@work.example");
    deepEqual(readClaims(issued.idToken)?.memberId, plan.accountUserId);
    await Promise.resolve();
  }));

Deno.test("authorize refuses what the client must not send, without a redirect", () =>
  withIssuer(async (simulator) => {
    const wrong: Record<string, string | null>[] = [
      { client_id: "app_other" },
      { response_type: "token" },
      { redirect_uri: "http://example.com:1455/auth/callback" },
      { redirect_uri: "https://localhost:1455/auth/callback" },
      { redirect_uri: "http://localhost:1455/callback" },
      { redirect_uri: null },
      { code_challenge_method: "plain" },
      { code_challenge: "short" },
      { code_challenge: null },
    ];
    for (const changes of wrong) {
      const response = await fetch(authorizeUrl(simulator, changes), { redirect: "manual" });
      equal(response.status, 400, JSON.stringify(changes));
      equal(response.headers.get("location"), null);
      await response.body?.cancel();
    }
  }));

Deno.test("plans approve in turn unless a test says who is next, and can refuse", () =>
  withIssuer(async (simulator) => {
    simulator.addPlan({ name: "work" });
    simulator.approveNext("work");
    simulator.approveNext({ refuse: "access_denied" });
    const first = await redeem(simulator, await codeOf(simulator));
    await first.body?.cancel();
    const denied = await approve(simulator);
    equal(denied.searchParams.get("error"), "access_denied");
    equal(denied.searchParams.get("state"), "state-of-the-test");
    equal(denied.searchParams.get("code"), null);
    for (let round = 0; round < 3; round++) {
      await (await redeem(simulator, await codeOf(simulator))).body?.cancel();
    }
    deepEqual(simulator.tokenCalls.map((call) => call.plan), [
      "work",
      "personal",
      "work",
      "personal",
    ]);
  }));

Deno.test("a code is good once, for ten minutes, with its verifier and its redirect address", () =>
  withIssuer(async (simulator, clock) => {
    const outcome = async (code: string, changes: Record<string, string> = {}) => {
      const response = await redeem(simulator, code, changes);
      const body = await response.json();
      return [response.status, body.error ?? "ok"];
    };
    const code = await codeOf(simulator);
    deepEqual(await outcome(code, { code_verifier: "x".repeat(43) }), [400, "invalid_grant"]);
    const other = { redirect_uri: "http://127.0.0.1:1455/auth/callback" };
    deepEqual(await outcome(code, other), [400, "invalid_grant"]);
    deepEqual(await outcome(code, { client_id: "app_other" }), [401, "invalid_client"]);
    deepEqual(await outcome(code), [200, "ok"]);
    deepEqual(await outcome(code), [400, "invalid_grant"]);
    const late = await codeOf(simulator);
    await clock.advance(10 * 60_000);
    deepEqual(await outcome(late), [400, "invalid_grant"]);
    deepEqual(await outcome("ac_never_minted"), [400, "invalid_grant"]);
  }));

Deno.test("a redirect port that is not registered passes the page and fails with 403 at the exchange", () =>
  withIssuer(async (simulator) => {
    const redirect_uri = "http://localhost:1456/auth/callback";
    const code = (await approve(simulator, { redirect_uri })).searchParams.get("code") ?? "";
    const response = await redeem(simulator, code, { redirect_uri });
    equal(response.status, 403);
    await response.body?.cancel();
    const second = { redirect_uri: "http://127.0.0.1:1457/auth/callback" };
    const good = (await approve(simulator, second)).searchParams.get("code") ?? "";
    const redeemed = await redeem(simulator, good, second);
    equal(redeemed.status, 200);
    await redeemed.body?.cancel();
  }));

Deno.test("a code must come as a form, a refresh token may come as form or JSON", () =>
  withIssuer(async (simulator) => {
    const json = await postJson(simulator, "/oauth/token", {
      grant_type: "authorization_code",
      client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
      code: await codeOf(simulator),
    });
    deepEqual([json.status, at(await json.json(), "error")], [400, "invalid_request"]);
    const { refreshToken } = simulator.plan("personal").issueTokens();
    const form = await refresh(simulator, refreshToken);
    equal(form.status, 200);
    const next = (await form.json()).refresh_token;
    notEqual(next, refreshToken);
    const byJson = await refreshByJson(simulator, next);
    equal(byJson.status, 200);
    await byJson.body?.cancel();
    deepEqual(simulator.tokenCalls.map((call) => [call.format, call.ok, call.reason]), [
      ["json", false, null],
      ["form", true, null],
      ["json", true, "proactive_expiry"],
    ]);
  }));

Deno.test("without offline_access there is no refresh token", () =>
  withIssuer(async (simulator) => {
    const back = await approve(simulator, { scope: "openid email" });
    const response = await redeem(simulator, back.searchParams.get("code") ?? "");
    const tokens = await response.json();
    ok(tokens.access_token);
    equal("refresh_token" in tokens, false);
  }));

Deno.test("revoking a refresh token ends its access tokens too", () =>
  withIssuer(async (simulator) => {
    const plan = simulator.plan("personal");
    const { accessToken, refreshToken } = plan.issueTokens();
    const revoked = await postJson(simulator, "/oauth/revoke", {
      token: refreshToken,
      token_type_hint: "refresh_token",
    });
    equal(revoked.status, 200);
    await revoked.body?.cancel();
    const usage = await getBackend(simulator, plan, accessToken, "/wham/usage");
    deepEqual([usage.status, at(await usage.json(), "error", "code")], [401, "token_revoked"]);
    const again = await refresh(simulator, refreshToken);
    equal(at(await again.json(), "error", "code"), "refresh_token_invalidated");
    deepEqual(simulator.tokenCalls.map((call) => [call.grant, call.plan, call.ok]), [
      ["revoke", "personal", true],
      ["refresh_token", "personal", false],
    ]);
  }));

Deno.test("no record holds a token, a code or a verifier", () =>
  withIssuer(async (simulator) => {
    const code = await codeOf(simulator);
    const tokens = await (await redeem(simulator, code)).json();
    const plan = simulator.plan("personal");
    await (await getBackend(simulator, plan, tokens.access_token, "/wham/usage")).body?.cancel();
    await (await fetch(`${simulator.backendUrl}/wham/usage`, {
      headers: bearer(plan, "stolen-token"),
    })).body?.cancel();
    const text = JSON.stringify([simulator.requests, simulator.tokenCalls]);
    for (const secret of [code, tokens.access_token, tokens.refresh_token, "stolen-token"]) {
      equal(text.includes(secret), false);
    }
    deepEqual(simulator.requests.map((record) => record.headers.authorization), [
      "Bearer [access token 1 of personal]",
      "Bearer [unknown token]",
    ]);
  }));

Deno.test("the same randomness makes the same tokens", async () => {
  const tokens: string[] = [];
  for (let run = 0; run < 2; run++) {
    let state = 1;
    const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    await withIssuer((simulator) => {
      tokens.push(simulator.plan("personal").issueTokens().refreshToken);
      return Promise.resolve();
    }, { random });
  }
  equal(tokens[0], tokens[1]);
  match(tokens[0] ?? "", /^rt_[\w-]{43}$/);
});

Deno.test("an unknown grant and an unknown page are refused", () =>
  withIssuer(async (simulator) => {
    const grant = await postForm(simulator, { grant_type: "password" });
    deepEqual([grant.status, at(await grant.json(), "error")], [400, "unsupported_grant_type"]);
    const page = await fetch(`${simulator.issuerUrl}/nowhere`);
    equal(page.status, 404);
    await page.body?.cancel();
  }));
