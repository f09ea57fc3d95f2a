import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { loginWithDevice, startDeviceLogin } from "../../src/oauth/login.ts";
import { Failure } from "../../src/platform/failure.ts";
import device from "../fixtures/oauth/device.json" with { type: "json" };
import answers from "../fixtures/oauth/token-responses.json" with { type: "json" };
import { startSimulator } from "../simulator/simulator.ts";
import { FIXTURE_NOW, VirtualClock } from "../virtual_clock.ts";
import { EagerClock } from "./eager_clock.ts";
import { deadOrigin } from "./local_server.ts";

/** Moves the clock in small steps until the promise settles; sockets get their turn in between. */
async function runUntil<T>(clock: VirtualClock, promise: Promise<T>, stepMs = 100): Promise<T> {
  let settled = false;
  promise.catch(() => {}).finally(() => settled = true);
  while (!settled) await clock.advance(stepMs);
  return await promise;
}

interface Scripted {
  status: number;
  body?: unknown;
}

/** A device login against scripted polls; the last one repeats. Tells when each poll came, in ms after the start. */
async function pollWith(polls: (Scripted | "lost")[], start: Scripted = {
  status: 200,
  body: device.usercode_response,
}) {
  const clock = new VirtualClock();
  const at: number[] = [];
  const exchanges: string[] = [];
  const answer = ({ status, body }: Scripted) => Response.json(body ?? {}, { status });
  const login = await startDeviceLogin({
    issuer: "https://auth.openai.com",
    clock,
    // deno-lint-ignore require-await
    fetch: async (url, init) => {
      const { pathname } = new URL(String(url));
      switch (pathname) {
        case "/api/accounts/deviceauth/usercode":
          deepEqual(JSON.parse(String(init?.body)), device.usercode_request);
          return answer(start);
        case "/api/accounts/deviceauth/token": {
          deepEqual(JSON.parse(String(init?.body)), device.poll_request);
          at.push(clock.now() - FIXTURE_NOW);
          const poll = polls[Math.min(at.length, polls.length) - 1];
          if (poll === undefined || poll === "lost") throw new TypeError("fetch failed");
          return answer(poll);
        }
        case "/oauth/token":
          exchanges.push(String(init?.body));
          return answer({ status: 200, body: answers.exchange });
        default:
          return answer({ status: 404 });
      }
    },
  });
  return { login, clock, at, exchanges };
}

const { poll_pending: pending, poll_pending_too: pendingToo, poll_done: done } = device;

Deno.test("a device login shows page and code, waits interval + 3 s, and exchanges", async () => {
  const { login, clock, at, exchanges } = await pollWith([pending, pendingToo, done]);
  equal(login.url, device.show_to_user);
  equal(login.userCode, "ABCD-12345");
  equal(login.expiresAt, FIXTURE_NOW + 15 * 60_000);
  const tokens = await runUntil(clock, login.result);
  deepEqual(at, [8_000, 16_000, 24_000]);
  const form = Object.fromEntries(new URLSearchParams(exchanges[0]));
  deepEqual(form, {
    grant_type: "authorization_code",
    client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
    code: "ac_fixture_device",
    redirect_uri: device.exchange_redirect_uri,
    code_verifier: device.poll_done.body.code_verifier,
  });
  equal(tokens.email, "you@personal.example");
  equal(clock.pending, 0);
});

Deno.test("trouble on the way is waited out", async () => {
  const { login, clock, at } = await pollWith(["lost", { status: 503 }, pending, done]);
  await runUntil(clock, login.result);
  equal(at.length, 4);
});

Deno.test("slow_down and 429 make the pauses longer", async () => {
  const slow = { status: 400, body: { error: "slow_down" } };
  const { login, clock, at } = await pollWith([slow, { status: 429 }, done]);
  await runUntil(clock, login.result);
  deepEqual(at, [8_000, 21_000, 39_000]);
});

Deno.test("an interval that is missing or senseless is 5 s", async () => {
  for (const interval of [undefined, null, "soon", "-1", "3600", {}, "5"]) {
    const body = { ...device.usercode_response, interval };
    const { login, clock, at } = await pollWith([done], { status: 200, body });
    await runUntil(clock, login.result);
    deepEqual(at, [8_000], String(interval));
  }
  const body = { ...device.usercode_response, interval: 2 };
  const { login, clock, at } = await pollWith([done], { status: 200, body });
  await runUntil(clock, login.result);
  deepEqual(at, [5_000]);
});

Deno.test("a device login that nobody answers ends after 15 minutes", async () => {
  const { login, clock, at } = await pollWith([pending]);
  await rejects(runUntil(clock, login.result, 1_000), /device code has expired.*15 minutes/);
  equal(clock.now() - FIXTURE_NOW, 15 * 60_000);
  equal(at.at(-1), 15 * 60_000);
});

Deno.test("a device login that is refused or has expired is named, under any status", async () => {
  for (const status of [400, 403, 404, 410]) {
    for (const code of ["access_denied", "authorization_declined"]) {
      const { login, clock } = await pollWith([pending, { status, body: { error: { code } } }]);
      await rejects(
        runUntil(clock, login.result),
        new RegExp(`The sign-in was refused \\(${code}\\)`),
      );
    }
    for (const code of ["expired_token", "deviceauth_expired"]) {
      const { login, clock } = await pollWith([{ status, body: { error: code } }]);
      await rejects(runUntil(clock, login.result), /The device code has expired/);
    }
  }
});

Deno.test("any other refusal ends a device login with its code", async () => {
  const { login, clock } = await pollWith([{ status: 400, body: { error: { code: "odd_one" } } }]);
  await rejects(runUntil(clock, login.result), /\(status 400, odd_one\)/);
});

Deno.test("a poll that gives no code is a failure that repeats nothing", async () => {
  const { login, clock } = await pollWith([{ status: 200, body: { authorization_code: "ac_x" } }]);
  await rejects(runUntil(clock, login.result), (error) => {
    ok(error instanceof Failure && !error.message.includes("ac_x"));
    return true;
  });
});

Deno.test("an issuer without device logins, or with a senseless answer, is named at the start", async () => {
  await rejects(pollWith([], { status: 404 }), /has no sign-in with a device code\. Sign in with/);
  for (const body of [{}, [], "x", { ...device.usercode_response, user_code: "\u001b[31m" }]) {
    await rejects(
      pollWith([], { status: 200, body }),
      /does not give a device code \(status 200\)/,
    );
  }
});

Deno.test("a device login at an issuer that cannot be reached is one line with its address", async () => {
  const issuer = await deadOrigin();
  const started = startDeviceLogin({ issuer, fetch, clock: new VirtualClock() });
  await rejects(started, (error) => {
    ok(error instanceof Failure);
    ok(error.message.startsWith(`${issuer} cannot be reached (ECONNREFUSED).`));
    ok(!error.message.includes("\n") && error.fix);
    return true;
  });
});

Deno.test("cancelling ends a device login between two polls", async () => {
  const { login, clock, at } = await pollWith([pending]);
  await clock.advance(10_000);
  login.cancel();
  await rejects(login.result, /^Failure: The login was cancelled\./);
  await clock.advance(60_000);
  equal(at.length, 1);
  equal(clock.pending, 0);
});

for (const [outcome, expected] of [["deny", /refused/], ["expire", /expired/]] as const) {
  Deno.test(`against the simulator: ${outcome}`, async () => {
    const clock = new EagerClock(8_000);
    await using simulator = await startSimulator({ clock });
    simulator.addPlan({ name: "personal" });
    simulator.device = { outcome, pendingPolls: 2 };
    const login = await startDeviceLogin({ issuer: simulator.issuerUrl, fetch, clock });
    await rejects(login.result, expected);
  });
}

for (const pendingStatus of [403, 404] as const) {
  Deno.test(`against the simulator: approved after polls with ${pendingStatus}`, async () => {
    const clock = new EagerClock(8_000);
    await using simulator = await startSimulator({ clock });
    simulator.addPlan({ name: "personal" });
    simulator.device = { pendingPolls: 3, pendingStatus };
    const shown: string[] = [];
    const result = loginWithDevice({
      issuer: simulator.issuerUrl,
      fetch,
      clock,
      onCode: ({ url, userCode }) => shown.push(url, userCode),
    });
    equal((await result).email, "personal@plans.example");
    equal(shown[0], `${simulator.origin}/codex/device`);
    ok(shown[1]);
  });
}
