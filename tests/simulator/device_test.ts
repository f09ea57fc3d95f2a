import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { VirtualClock } from "../virtual_clock.ts";
import { CLIENT_ID } from "./jwt.ts";
import { type DeviceBehaviour, type Simulator, startSimulator } from "./simulator.ts";
import { at, postJson, redeem } from "./test_client.ts";

async function withLogin(
  behaviour: DeviceBehaviour,
  run: (
    poll: () => Promise<[status: number, body: Record<string, unknown>]>,
    simulator: Simulator,
    clock: VirtualClock,
    userCode: string,
  ) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const simulator = await startSimulator({ clock });
  try {
    simulator.addPlan({ name: "personal" });
    simulator.device = behaviour;
    const started = await postJson(simulator, "/api/accounts/deviceauth/usercode", {
      client_id: CLIENT_ID,
    });
    const { device_auth_id, user_code, interval } = await started.json();
    equal(interval, "5");
    match(user_code, /^[A-Z]{4}-\d{5}$/);
    const poll = async (): Promise<[number, Record<string, unknown>]> => {
      const path = "/api/accounts/deviceauth/token";
      const response = await postJson(simulator, path, { device_auth_id, user_code });
      return [response.status, await response.json()];
    };
    await run(poll, simulator, clock, user_code);
  } finally {
    await simulator.close();
  }
}

Deno.test("a device login is pending, then gives a code that its own verifier redeems once", () =>
  withLogin({ pendingPolls: 2 }, async (poll, simulator) => {
    const pending = { error: { code: "deviceauth_authorization_unknown" } };
    deepEqual(await poll(), [403, pending]);
    deepEqual(await poll(), [403, pending]);
    const [status, body] = await poll();
    equal(status, 200);
    const exchange = {
      code_verifier: String(body.code_verifier),
      redirect_uri: "https://auth.openai.com/deviceauth/callback",
    };
    const code = String(body.authorization_code);
    const wrong = await redeem(simulator, code, { ...exchange, code_verifier: "x".repeat(43) });
    equal(wrong.status, 400);
    await wrong.body?.cancel();
    const good = await redeem(simulator, code, exchange);
    equal(good.status, 200);
    equal(typeof at(await good.json(), "refresh_token"), "string");
    equal((await poll())[0], 403);
  }));

Deno.test("the redirect address of a device login may name the simulator instead", () =>
  withLogin({ pendingPolls: 0 }, async (poll, simulator) => {
    const [, body] = await poll();
    const port = new URL(simulator.origin).port;
    const response = await redeem(simulator, String(body.authorization_code), {
      code_verifier: String(body.code_verifier),
      redirect_uri: `http://localhost:${port}/deviceauth/callback`,
    });
    equal(response.status, 200);
    await response.body?.cancel();
  }));

Deno.test("a device login that nobody approves waits for the page, and ends after 15 minutes", () =>
  withLogin(
    { pendingPolls: Infinity, pendingStatus: 404 },
    async (poll, simulator, clock, code) => {
      equal((await poll())[0], 404);
      const wrong = await fetch(`${simulator.issuerUrl}/codex/device?user_code=ZZZZ-00000`);
      equal(wrong.status, 404);
      await wrong.body?.cancel();
      equal((await poll())[0], 404);
      const page = await fetch(`${simulator.issuerUrl}/codex/device?user_code=${code}`);
      equal(page.status, 200);
      await page.body?.cancel();
      equal((await poll())[0], 200);
      const second = await postJson(simulator, "/api/accounts/deviceauth/usercode", {
        client_id: CLIENT_ID,
      });
      const login = await second.json();
      await clock.advance(15 * 60_000);
      const late = await postJson(simulator, "/api/accounts/deviceauth/token", login);
      deepEqual([late.status, at(await late.json(), "error", "code")], [400, "expired_token"]);
    },
  ));

Deno.test("a device login can be denied", () =>
  withLogin({ pendingPolls: 0, outcome: "deny" }, async (poll) => {
    const [status, body] = await poll();
    deepEqual([status, at(body, "error", "code")], [400, "access_denied"]);
  }));

Deno.test("a device login can expire early", () =>
  withLogin({ pendingPolls: 0, outcome: "expire" }, async (poll) => {
    const [status, body] = await poll();
    deepEqual([status, at(body, "error", "code")], [400, "expired_token"]);
  }));

Deno.test("approveNext decides on device logins too", () =>
  withLogin({ pendingPolls: 0 }, async (poll, simulator) => {
    simulator.approveNext({ refuse: "access_denied" });
    equal(at((await poll())[1], "error", "code"), "access_denied");
  }));

Deno.test("a poll with another user code stays pending, a start without our client is refused", () =>
  withLogin({ pendingPolls: 0 }, async (_poll, simulator) => {
    const path = "/api/accounts/deviceauth/token";
    const poll = await postJson(simulator, path, { device_auth_id: "x", user_code: "y" });
    equal(poll.status, 403);
    await poll.body?.cancel();
    const start = await postJson(simulator, "/api/accounts/deviceauth/usercode", {});
    equal(start.status, 400);
    await start.body?.cancel();
  }));
