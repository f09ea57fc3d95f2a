import {
  deepStrictEqual as deepEqual,
  doesNotMatch,
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
import { Failure } from "../../src/platform/failure.ts";
import answers from "../fixtures/oauth/token-responses.json" with { type: "json" };
import { type Simulator, startSimulator } from "../simulator/simulator.ts";
import { VirtualClock } from "../virtual_clock.ts";
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

async function failsWith(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  await rejects(promise, (error) => {
    ok(error instanceof Failure, String(error));
    match(error.message, pattern);
    doesNotMatch(error.message, /\n|eyJ|rt_|ac_/);
    ok(error.fix, "a fix");
    return true;
  });
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

/** The exchange against one scripted answer of the token endpoint, with an email or without. */
async function exchangeWith(token: () => Response, userinfo?: () => Promise<Response>) {
  const login = await startPastedLogin({
    issuer: "https://issuer.example",
    fetch: async (url) =>
      String(url).endsWith("/oauth/token")
        ? token()
        : await (userinfo?.() ?? Promise.reject(new TypeError("fetch failed"))),
    clock: new VirtualClock(),
  });
  const state = new URL(login.url).searchParams.get("state");
  return await login.finish(`ac_1#${state}`);
}

Deno.test("an answer without a refresh token or an access token is a failure", async () => {
  const { access_token, refresh_token, id_token } = answers.exchange;
  const bodies = [
    answers.exchange_without_refresh_token,
    { refresh_token, id_token, token_type: "bearer" },
    { access_token, refresh_token: "", token_type: "bearer" },
    { access_token, refresh_token: 7, token_type: "bearer" },
    { access_token, refresh_token, token_type: "mac" },
    {},
  ];
  for (const body of bodies) {
    await failsWith(exchangeWith(() => Response.json(body)), /without a refresh token or/);
  }
});

Deno.test("an answer that is no answer is a failure that repeats nothing of it", async () => {
  const page = "<html>rt_secret just a moment</html>";
  await failsWith(exchangeWith(() => new Response(page)), /\(status 200\)/);
  await failsWith(exchangeWith(() => new Response(page, { status: 403 })), /\(status 403\)/);
  await failsWith(
    exchangeWith(() => Response.json({ error: { code: "oops" } }, { status: 500 })),
    /right now \(status 500, oops\)\. Try again in a minute\.$/,
  );
  await failsWith(
    exchangeWith(() => new Response(null, { status: 302, headers: { location: "/login" } })),
    /\(status 302\)/,
  );
});

Deno.test("the email of userinfo wins over the claim, and its failure costs nothing", async () => {
  const good = () => Response.json(answers.exchange);
  const emailWith = async (userinfo?: () => Promise<Response>) =>
    (await exchangeWith(good, userinfo)).email;
  const info = (body: unknown, status = 200) => () =>
    Promise.resolve(Response.json(body, { status }));
  equal(await emailWith(info({ email: "new@example.org" })), "new@example.org");
  equal(await emailWith(), "you@personal.example");
  equal(await emailWith(info({ email: "new@example.org" }, 401)), "you@personal.example");
  for (const email of [7, "", "nobody", "a@b\u001b[31m", "a @b", `${"a".repeat(300)}@b`]) {
    equal(await emailWith(info({ email })), "you@personal.example", String(email));
  }
});

Deno.test("userinfo that hangs is given up after 5 s", async () => {
  const clock = new VirtualClock();
  const asked = Promise.withResolvers<void>();
  const login = await startPastedLogin({
    issuer: "https://issuer.example",
    fetch: (url) => {
      if (String(url).endsWith("/oauth/token")) {
        return Promise.resolve(Response.json(answers.exchange));
      }
      asked.resolve();
      return new Promise(() => {});
    },
    clock,
  });
  const result = login.finish(`ac_1#${new URL(login.url).searchParams.get("state")}`);
  await asked.promise;
  await clock.advance(5_000);
  equal((await result).email, "you@personal.example");
});

Deno.test("an expired id token or a foreign one does not stop a login", async () => {
  const id_token = `e30.${btoa('{"exp":1,"aud":"somebody","iss":"http://elsewhere"}')}.`;
  const tokens = await exchangeWith(() => Response.json({ ...answers.exchange, id_token }));
  equal(tokens.credentials.idToken, id_token);
});
