import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { announce } from "../../src/dashboard/running.ts";
import { newSecret, proofOf } from "../../src/dashboard/session.ts";
import type { Finding } from "../../src/doctor/check.ts";
import { clockCheck } from "../../src/doctor/clock.ts";
import { dashboardCheck } from "../../src/doctor/dashboard.ts";
import { networkChecks, servers } from "../../src/doctor/network.ts";
import { loginPortsCheck } from "../../src/doctor/ports.ts";
import { serviceCheck, servicePort } from "../../src/doctor/service.ts";
import type { Surroundings } from "../../src/doctor/surroundings.ts";
import { Failure } from "../../src/platform/failure.ts";
import type { ServiceManager } from "../../src/service/service.ts";
import { finding, lookAt, named, withMachine } from "./machine.ts";

/** A network whose servers answer with this clock, epoch milliseconds. */
const network = (at: number | undefined, asked: string[] = []): typeof fetch => (input, init) => {
  const request = new Request(input, init);
  asked.push(`${request.method} ${request.url}`);
  const headers = at === undefined ? {} : { date: new Date(at).toUTCString() };
  return Promise.resolve(new Response(null, { status: 403, headers }));
};

async function clockOf(surroundings: Surroundings): Promise<Finding> {
  return finding(await lookAt(clockCheck(surroundings, servers(surroundings))), "clock");
}

Deno.test("any answer of issuer and backend counts as reached, each is asked once for all checks", () =>
  withMachine(async ({ clock, with: other }) => {
    const asked: string[] = [];
    const surroundings = other({ fetch: network(clock.now(), asked) });
    const both = servers(surroundings);
    for (const check of networkChecks(surroundings, both)) {
      const [found] = (await lookAt(check)).findings;
      assert.equal(found?.state, "ok");
      assert.match(found?.text ?? "", /^(auth\.openai\.com|chatgpt\.com) answers/);
    }
    await lookAt(clockCheck(surroundings, both));
    assert.deepEqual(asked.sort(), ["HEAD https://auth.openai.com/", "HEAD https://chatgpt.com/"]);
  }));

Deno.test("a server that never answers is a warning after its time, and so is one that is not there", () =>
  withMachine(async ({ clock, with: other, surroundings: offline }) => {
    const silent = other({ fetch: () => new Promise(() => {}) });
    const looking = lookAt(named(networkChecks(silent, servers(silent)), "backend"));
    await clock.advance(6_000);
    assert.match(finding(await looking, "backend").text, /no answer within 6 s/);
    const look = await lookAt(named(networkChecks(offline, servers(offline)), "issuer"));
    assert.equal(finding(look, "issuer").state, "warning");
  }));

for (
  const [minutes, state] of [[0, "ok"], [2, "warning"], [-2, "warning"], [-1440, "wrong"], [
    10,
    "wrong",
  ]] as const
) {
  Deno.test(`a clock that is ${minutes} minutes ahead of the servers' is ${state}`, () =>
    withMachine(async ({ clock, with: other }) => {
      const found = await clockOf(other({ fetch: network(clock.now() - minutes * 60_000) }));
      assert.equal(found.state, state, found.text);
      if (minutes < 0) assert.match(found.text, /behind the server's/);
    }));
}

Deno.test("without a network the store's own files show a clock that was set back", () =>
  withMachine(async ({ account, clock, surroundings }) => {
    await account("personal");
    assert.equal((await clockOf(surroundings)).state, "ok");
    clock.jump(clock.now() - 86_400_000);
    const back = await clockOf(surroundings);
    assert.equal(back.state, "warning");
    assert.match(back.text, /in the future/);
    clock.jump(0);
    assert.equal((await clockOf(surroundings)).state, "wrong");
  }));

async function listening(use: (port: number) => Promise<void>): Promise<void> {
  const server: Server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    await use(address.port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A port on which nobody listens any more. */
async function freePort(): Promise<number> {
  let free = 0;
  await listening((port) => {
    free = port;
    return Promise.resolve();
  });
  return free;
}

const login = async (...ports: number[]): Promise<Finding> =>
  finding(await lookAt(loginPortsCheck(ports)), "login ports");

Deno.test("one free port is enough for a login; with none the way without a port is named", () =>
  listening(async (taken) => {
    const one = await login(taken, await freePort());
    assert.equal(one.state, "ok");
    assert.match(one.text, new RegExp(`${taken} \\(in use\\)`));
    const none = await login(taken);
    assert.equal(none.state, "warning");
    assert.match(none.fix ?? "", /add <alias> --device$/);
  }));

const dashboard = async (surroundings: Surroundings, port?: number): Promise<Finding> =>
  finding(
    await lookAt(dashboardCheck(surroundings, () => Promise.resolve(port))),
    "dashboard",
  );

Deno.test("the dashboard's port: free, or another program's", () =>
  withMachine(({ surroundings }) =>
    listening(async (taken) => {
      assert.match((await dashboard(surroundings, await freePort())).text, /does not run/);
      const other = await dashboard(surroundings, taken);
      assert.equal(other.state, "warning");
      assert.match(other.fix ?? "", new RegExp(`web --port ${taken + 1}$`));
    })
  ));

Deno.test("a dashboard runs when it proves itself, on any port; a note alone proves nothing", () =>
  withMachine(async ({ surroundings, with: other }) => {
    const key = newSecret();
    const port = await freePort();
    announce(surroundings.paths, { host: "127.0.0.1", port, key });
    const signedWith = (one: string) =>
      other({
        fetch: (input) => {
          const challenge = new URL(String(input)).pathname.split("/").at(-1) ?? "";
          return Promise.resolve(new Response(proofOf(one, challenge)));
        },
      });
    const usual = await freePort();
    const ours = await dashboard(signedWith(key), usual);
    assert.deepEqual([ours.state, ours.text], ["ok", `It runs: http://127.0.0.1:${port}`]);
    assert.match((await dashboard(signedWith(newSecret()), usual)).text, /does not run/);
    assert.match((await dashboard(surroundings, usual)).text, /does not run/);
  }));

const service = (running: boolean, enabled: boolean, port?: number) => () =>
  Promise.resolve(
    {
      kind: "systemd user service",
      present: () => port === undefined ? undefined : { port, host: undefined },
      state: () => Promise.resolve({ installed: true, running, enabled }),
    } as Pick<ServiceManager, "kind" | "present" | "state"> as ServiceManager,
  );

Deno.test("a service that should run and does not is a warning; none, or a disabled one, is fine", async () => {
  const state = async (find: () => Promise<ServiceManager>) =>
    finding(await lookAt(serviceCheck(find)), "service").state;
  assert.equal(await state(service(true, true, 4000)), "ok");
  assert.equal(await state(service(false, true, 4000)), "warning");
  assert.equal(await state(service(false, false, 4000)), "ok");
  assert.equal(await state(service(false, true)), "ok");
  const off = finding(await lookAt(serviceCheck(service(false, false, 4000))), "service");
  assert.equal(off.text, "The systemd user service is installed and disabled.");
  const none = () => Promise.reject(new Failure("This machine has neither systemd nor launchd."));
  assert.equal(await state(none), "ok");
  assert.equal(await servicePort(service(true, true, 4000)), 4000);
  assert.equal(await servicePort(none), undefined);
});
