import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import {
  loginWithBrowser,
  loginWithPastedCallback,
  startBrowserLogin,
  startPastedLogin,
} from "../../src/oauth/login.ts";
import { exchangeRefreshToken } from "../../src/oauth/refresh.ts";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { failsWith } from "./fails_with.ts";
import { deadOrigin } from "./local_server.ts";

/** A simulated issuer that takes redirects to any port we were given. */
async function startIssuer(): Promise<Simulator & { clock: VirtualClock; ports: number[] }> {
  const ports: number[] = [1455];
  const clock = new VirtualClock();
  const simulator = await startSimulator({ clock, redirectPorts: ports });
  simulator.addPlan({ name: "personal", planType: "pro" });
  return Object.assign(simulator, { clock, ports });
}

const optionsOf = (simulator: Simulator) => ({
  issuer: simulator.issuerUrl,
  fetch,
  clock: simulator.clock,
  ports: [0],
});

/** What a browser does: follows the login page to where it leads. */
async function browse(url: string, simulator: { ports: number[] }): Promise<Response> {
  const redirect = new URL(new URL(url).searchParams.get("redirect_uri") ?? "");
  simulator.ports.push(Number(redirect.port));
  return await fetch(url);
}

/** The address at which a browser ends when nothing listens. */
async function endOf(url: string): Promise<string> {
  const response = await fetch(url, { redirect: "manual" });
  await response.body?.cancel();
  return response.headers.get("location") ?? "";
}

Deno.test("a login with the browser gives credentials, identity, email and plan", async () => {
  await using simulator = await startIssuer();
  const shown: string[] = [];
  const opened: boolean[] = [];
  const tokens = await loginWithBrowser({
    ...optionsOf(simulator),
    onUrl: (url) => shown.push(url),
    open: async (url) => {
      equal(url, shown[0]);
      await (await browse(url, simulator)).text();
      return true;
    },
    onOpened: (done) => opened.push(done),
  });
  equal(tokens.email, "personal@plans.example");
  equal(tokens.plan, "pro");
  equal(tokens.identity?.workspaceId, simulator.plan("personal").workspaceId);
  equal(tokens.credentials.expiresAt, simulator.clock.now() + 10 * 86_400_000);
  ok(tokens.credentials.refreshToken && tokens.credentials.idToken);
  equal(simulator.clock.pending, 0);
});

Deno.test("tokens of a login can be refreshed", async () => {
  await using simulator = await startIssuer();
  const login = await startBrowserLogin(optionsOf(simulator));
  await (await browse(login.url, simulator)).text();
  const { credentials } = await login.result;
  const network = optionsOf(simulator);
  const refreshed = await exchangeRefreshToken({ ...network, credentials });
  ok(refreshed.kind === "renewed");
  const grants = simulator.tokenCalls.map((call) => `${call.grant} ${call.format} ${call.ok}`);
  deepEqual(grants, [
    "authorization_code form true",
    "refresh_token form true",
  ]);
});

Deno.test("a browser that does not open is reported and the login goes on", async () => {
  await using simulator = await startIssuer();
  for (const open of [() => Promise.resolve(false), () => Promise.reject(new Error("no"))]) {
    const reported = Promise.withResolvers<boolean>();
    const shown = Promise.withResolvers<string>();
    const result = loginWithBrowser({
      ...optionsOf(simulator),
      onUrl: shown.resolve,
      open,
      onOpened: reported.resolve,
    });
    equal(await reported.promise, false);
    await (await browse(await shown.promise, simulator)).text();
    equal((await result).email, "personal@plans.example");
  }
});

Deno.test("a login that the person refuses is named", async () => {
  await using simulator = await startIssuer();
  simulator.approveNext({ refuse: "access_denied" });
  const login = await startBrowserLogin(optionsOf(simulator));
  const page = await browse(login.url, simulator);
  equal(page.status, 400);
  match(await page.text(), /The user refused/);
  await failsWith(login.result, /^The sign-in was refused \(access_denied: The user refused\)\./);
});

Deno.test("a code that has expired is named", async () => {
  await using simulator = await startIssuer();
  const login = await startPastedLogin(optionsOf(simulator));
  const end = await endOf(login.url);
  await simulator.clock.advance(10 * 60_000);
  await failsWith(login.finish(end), /^The sign-in code has expired or was used before\./);
});

Deno.test("a code that was used before is named, and the right one still counts afterwards", async () => {
  await using simulator = await startIssuer();
  const login = await startPastedLogin(optionsOf(simulator));
  const end = await endOf(login.url);
  await failsWith(login.finish(end.replace(/state=\w+/, "state=0000")), /another login/);
  equal((await login.finish(end)).email, "personal@plans.example");
  await failsWith(login.finish(end), /^The sign-in code has expired or was used before\./);
});

Deno.test("cancelling frees the port and ends the result", async () => {
  await using simulator = await startIssuer();
  // A caller's signal beside it takes nothing away from cancel().
  const { signal } = new AbortController();
  const login = await startBrowserLogin({ ...optionsOf(simulator), signal });
  login.cancel();
  await failsWith(login.result, /^The login was cancelled\./);
  const { redirect_uri } = Object.fromEntries(new URL(login.url).searchParams);
  await rejects(fetch(redirect_uri ?? ""), /fetch failed/);
  login.cancel();
  equal(simulator.clock.pending, 0);
});

Deno.test("cancelling during the exchange ends it too", async () => {
  await using simulator = await startIssuer();
  simulator.failToken({ kind: "hang" });
  const controller = new AbortController();
  const login = await startBrowserLogin({ ...optionsOf(simulator), signal: controller.signal });
  const page = browse(login.url, simulator).catch(() => {});
  await simulator.waitForTokenCall((call) => call.grant === "authorization_code");
  controller.abort();
  await failsWith(login.result, /^The login was cancelled\./);
  await page;
  equal(simulator.clock.pending, 0);
});

Deno.test("an issuer that cannot be reached is one line with its address and the fix", async () => {
  const issuer = await deadOrigin();
  const login = await startPastedLogin({ issuer, fetch, clock: new VirtualClock() });
  const { searchParams } = new URL(login.url);
  const pasted = `http://localhost:1455/auth/callback?code=ac_1&state=${searchParams.get("state")}`;
  const failure = login.finish(pasted);
  await failsWith(failure, /^http:\/\/127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)\. /);
  await failsWith(failure, /OPENCODE_MULTI_AUTH_ISSUER_URL.* Start the login again\.$/);
  await failsWith(failure, new RegExp(issuer.replaceAll(".", "\\.")));
});

Deno.test("an issuer that does not answer is given up after 30 s", async () => {
  await using simulator = await startIssuer();
  simulator.failToken({ kind: "hang" });
  const login = await startPastedLogin(optionsOf(simulator));
  const result = login.finish(await endOf(login.url));
  const failure = failsWith(result, /did not answer \(time limit\)/);
  await simulator.waitForTokenCall((call) => call.grant === "authorization_code");
  await simulator.clock.advance(30_000);
  await failure;
});

Deno.test("a pasted callback ends a login for which nothing listens", async () => {
  await using simulator = await startIssuer();
  let url = "";
  const tokens = await loginWithPastedCallback({
    ...optionsOf(simulator),
    onUrl: (shown) => url = shown,
    ask: async () => ` ${await endOf(url)}\n`,
  });
  equal(tokens.email, "personal@plans.example");
});

Deno.test("an abort ends the wait for a pasted callback", async () => {
  await using simulator = await startIssuer();
  const controller = new AbortController();
  const result = loginWithPastedCallback({
    ...optionsOf(simulator),
    signal: controller.signal,
    onUrl: () => {},
    ask: () => {
      controller.abort();
      return new Promise(() => {});
    },
  });
  await failsWith(result, /^The login was cancelled\./);
});

Deno.test("a port that the issuer does not know is refused with its code", async () => {
  await using simulator = await startIssuer();
  const login = await startBrowserLogin(optionsOf(simulator));
  equal((await fetch(login.url).then((page) => page.text())).includes("Not signed in"), true);
  await failsWith(login.result, /\(status 403, unregistered_redirect_uri\)/);
});
