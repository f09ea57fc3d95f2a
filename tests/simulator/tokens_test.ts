import {
  deepStrictEqual as deepEqual,
  notStrictEqual as notEqual,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { readFileSync } from "node:fs";
import { VirtualClock } from "../virtual_clock.ts";
import {
  faultFromFixture,
  fixtureIdentity,
  type FixtureRow,
  type SimulatedPlan,
  type Simulator,
  startSimulator,
} from "./simulator.ts";
import { at, getBackend, postTurn, redeem, refresh } from "./test_client.ts";
import { approve } from "./test_client.ts";

async function withPlan(
  run: (simulator: Simulator, plan: SimulatedPlan, clock: VirtualClock) => Promise<void>,
  options: Parameters<typeof startSimulator>[0] = {},
): Promise<void> {
  const clock = new VirtualClock();
  const simulator = await startSimulator({ clock, ...options });
  try {
    await run(simulator, simulator.addPlan({ name: "personal" }), clock);
  } finally {
    await simulator.close();
  }
}

/** What the backend says to a token: `ok`, or its error code. */
async function backendSays(
  simulator: Simulator,
  plan: SimulatedPlan,
  accessToken: string,
): Promise<unknown> {
  const response = await getBackend(simulator, plan, accessToken, "/wham/usage");
  const body = await response.json();
  return response.ok ? "ok" : at(body, "error", "code") ?? at(body, "detail");
}

/** What the issuer says to a refresh token: the new tokens, or its error code. */
async function refreshed(
  simulator: Simulator,
  refreshToken: string,
): Promise<{ error?: unknown; accessToken: string; refreshToken: string }> {
  const response = await refresh(simulator, refreshToken);
  const body = await response.json();
  return {
    ...(response.ok ? {} : { error: at(body, "error", "code") ?? at(body, "error") }),
    accessToken: body.access_token,
    refreshToken: body.refresh_token,
  };
}

Deno.test("a refresh token is good once, and its second use ends the family", () =>
  withPlan(async (simulator, plan) => {
    const first = plan.issueTokens();
    const second = await refreshed(simulator, first.refreshToken);
    equal(second.error, undefined);
    equal(await backendSays(simulator, plan, first.accessToken), "ok");
    equal((await refreshed(simulator, first.refreshToken)).error, "refresh_token_reused");
    equal(await backendSays(simulator, plan, first.accessToken), "token_revoked");
    equal(await backendSays(simulator, plan, second.accessToken), "token_revoked");
    const third = await refreshed(simulator, second.refreshToken);
    equal(third.error, "refresh_token_invalidated");
  }));

Deno.test("another sign-in of the same plan is another family", () =>
  withPlan(async (simulator, plan) => {
    const [one, two] = [plan.issueTokens(), plan.issueTokens()];
    await refreshed(simulator, one.refreshToken);
    await refreshed(simulator, one.refreshToken);
    equal(await backendSays(simulator, plan, one.accessToken), "token_revoked");
    equal(await backendSays(simulator, plan, two.accessToken), "ok");
    equal((await refreshed(simulator, two.refreshToken)).error, undefined);
  }));

Deno.test("told so, a second use is refused and nothing else happens", () =>
  withPlan(async (simulator, plan) => {
    const first = plan.issueTokens();
    const second = await refreshed(simulator, first.refreshToken);
    equal((await refreshed(simulator, first.refreshToken)).error, "refresh_token_reused");
    equal(await backendSays(simulator, plan, second.accessToken), "ok");
    equal((await refreshed(simulator, second.refreshToken)).error, undefined);
  }, { revokeFamilyOnReuse: false }));

Deno.test("of ten refreshes at once with one token, one wins", () =>
  withPlan(async (simulator, plan) => {
    const { refreshToken } = plan.issueTokens();
    const all = await Promise.all(
      Array.from({ length: 10 }, () => refreshed(simulator, refreshToken)),
    );
    equal(all.filter((one) => one.error === undefined).length, 1);
    equal(all.filter((one) => one.error === "refresh_token_reused").length, 9);
  }));

Deno.test("access tokens expire on the clock", () =>
  withPlan(async (simulator, plan, clock) => {
    const { accessToken, expiresAt } = plan.issueTokens({ expiresInMs: 60_000 });
    equal(expiresAt, clock.now() + 60_000);
    await clock.advance(59_999);
    equal(await backendSays(simulator, plan, accessToken), "ok");
    await clock.advance(1);
    equal(await backendSays(simulator, plan, accessToken), "token_expired");
    equal(await backendSays(simulator, plan, "never-issued"), "Unauthorized");
  }));

Deno.test("invalidated access tokens leave the refresh token good", () =>
  withPlan(async (simulator, plan) => {
    const other = simulator.addPlan({ name: "work" });
    const [ours, theirs] = [plan.issueTokens(), other.issueTokens()];
    plan.invalidateAccessTokens();
    equal(await backendSays(simulator, plan, ours.accessToken), "token_invalidated");
    equal(await backendSays(simulator, other, theirs.accessToken), "ok");
    const next = await refreshed(simulator, ours.refreshToken);
    equal(await backendSays(simulator, plan, next.accessToken), "ok");
  }));

Deno.test("revoked refresh tokens leave the access token good", () =>
  withPlan(async (simulator, plan) => {
    const { accessToken, refreshToken } = plan.issueTokens();
    plan.revokeRefreshTokens();
    equal((await refreshed(simulator, refreshToken)).error, "refresh_token_invalidated");
    equal(await backendSays(simulator, plan, accessToken), "ok");
    equal((await refreshed(simulator, plan.issueTokens().refreshToken)).error, undefined);
  }));

Deno.test("tokens of the fixtures can be adopted", () =>
  withPlan(async (simulator) => {
    const { plan, tokens } = fixtureIdentity("backup");
    const backup = simulator.addPlan(plan);
    equal(await backendSays(simulator, backup, tokens.accessToken), "Unauthorized");
    equal((await refreshed(simulator, tokens.refreshToken)).error, "invalid_grant");
    backup.adoptTokens(tokens);
    equal(await backendSays(simulator, backup, tokens.accessToken), "ok");
    equal((await refreshed(simulator, tokens.refreshToken)).error, undefined);
    equal((await refreshed(simulator, tokens.refreshToken)).error, "refresh_token_reused");
    equal(await backendSays(simulator, backup, tokens.accessToken), "token_revoked");
  }));

Deno.test("a refresh that is cut off has used the token up", () =>
  withPlan(async (simulator, plan) => {
    const { refreshToken } = plan.issueTokens();
    plan.failToken({ kind: "cut" });
    await rejects(refresh(simulator, refreshToken));
    deepEqual(simulator.tokenCalls.map((call) => [call.ok, call.error]), [[true, "cut"]]);
    equal((await refreshed(simulator, refreshToken)).error, "refresh_token_reused");
  }));

Deno.test("a refused connection and a hang leave the token unused, a hang that consumes does not", () =>
  withPlan(async (simulator, plan) => {
    const { refreshToken } = plan.issueTokens();
    plan.failToken({ kind: "refuse" });
    await rejects(refresh(simulator, refreshToken));
    plan.failToken({ kind: "hang" });
    plan.failToken({ kind: "hang", consume: true });
    const hung = refresh(simulator, refreshToken).catch(() => "closed");
    await simulator.waitForTokenCall((call) => call.error === "hang");
    const consumed = refresh(simulator, refreshToken).catch(() => "closed");
    await simulator.waitForTokenCall((call) => call.error === "hang" && call.ok);
    equal((await refreshed(simulator, refreshToken)).error, "refresh_token_reused");
    deepEqual(simulator.tokenCalls.map((call) => call.ok), [false, false, true, false]);
    await simulator.close();
    deepEqual(await Promise.all([hung, consumed]), ["closed", "closed"]);
  }));

Deno.test("a late answer waits for the clock, its token is used up at once", () =>
  withPlan(async (simulator, plan, clock) => {
    const { refreshToken } = plan.issueTokens();
    plan.failToken({ kind: "delay", ms: 5_000 });
    let answered = false;
    const late = refreshed(simulator, refreshToken).then((tokens) => {
      answered = true;
      return tokens;
    });
    await simulator.waitForTokenCall((call) => call.ok);
    await clock.advance(4_999);
    deepEqual([answered, clock.pending], [false, 1]);
    await clock.advance(1);
    equal((await late).error, undefined);
  }));

Deno.test("an answer without a refresh token leaves the old one good", () =>
  withPlan(async (simulator, plan) => {
    const { refreshToken } = plan.issueTokens();
    plan.failToken({ kind: "partial", leaveOut: ["refresh_token", "expires_in"] });
    const response = await refresh(simulator, refreshToken);
    deepEqual(Object.keys(await response.json()).sort(), [
      "access_token",
      "id_token",
      "scope",
      "token_type",
    ]);
    equal((await refreshed(simulator, refreshToken)).error, undefined);
  }));

Deno.test("every recorded refresh error can be played and uses nothing up", () =>
  withPlan(async (simulator, plan) => {
    const file = new URL("../fixtures/oauth/refresh-errors.json", import.meta.url);
    const rows: FixtureRow[] = JSON.parse(readFileSync(file, "utf8"));
    const { refreshToken } = plan.issueTokens();
    for (const row of rows) {
      plan.failToken(faultFromFixture(row));
      const response = await refresh(simulator, refreshToken);
      const text = await response.text();
      equal(response.status, row.status);
      deepEqual(typeof row.body === "string" ? text : JSON.parse(text), row.body);
    }
    notEqual(rows.length, 0);
    equal((await refreshed(simulator, refreshToken)).error, undefined);
  }));

Deno.test("token faults of a plan wait for that plan, those of the simulator for anybody", () =>
  withPlan(async (simulator, plan) => {
    const work = simulator.addPlan({ name: "work" });
    work.failToken({ kind: "status", status: 500, body: "boom" });
    simulator.approveNext("personal");
    const code = (await approve(simulator)).searchParams.get("code") ?? "";
    const redeemed = await redeem(simulator, code);
    equal(redeemed.status, 200);
    await redeemed.body?.cancel();
    simulator.failToken({ kind: "status", status: 503 });
    const anybody = await refresh(simulator, plan.issueTokens().refreshToken);
    equal(anybody.status, 503);
    await anybody.body?.cancel();
    const theirs = await refresh(simulator, work.issueTokens().refreshToken);
    equal(await theirs.text(), "boom");
  }));

Deno.test("a token goes with its own workspace only", () =>
  withPlan(async (simulator, plan) => {
    const work = simulator.addPlan({ name: "work" });
    const { accessToken } = plan.issueTokens();
    const response = await postTurn(simulator, work, accessToken);
    equal(response.status, 403);
    await response.body?.cancel();
    const record = simulator.requests[0];
    deepEqual([record?.plan, record?.status], ["personal", 403]);
  }));
