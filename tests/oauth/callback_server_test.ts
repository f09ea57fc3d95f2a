/**
 * The only test file that takes ports 1455 and 1457: test files run side by side, the tests in one do not.
 *
 * @module
 */
import {
  deepStrictEqual as deepEqual,
  doesNotMatch,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import { connect } from "node:net";
import type { CallbackServer } from "../../src/oauth/callback_server.ts";
import { startBrowserLogin } from "../../src/oauth/login.ts";
import { Failure } from "../../src/platform/failure.ts";
import { startSimulator } from "../simulator/simulator.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { get, good, STATE, waitForCode } from "./callback_scene.ts";
import { EagerClock } from "./eager_clock.ts";

function occupy(port: number, host: string, onRequest: RequestListener): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(onRequest);
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}

async function release(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

/** Whether both hosts of a port can be listened on. */
async function isFree(port: number): Promise<boolean> {
  try {
    for (const host of ["127.0.0.1", "::1"]) await release(await occupy(port, host, () => {}));
    return true;
  } catch {
    return false;
  }
}

for (const host of ["127.0.0.1", "[::1]"]) {
  Deno.test(`a callback that arrives at ${host} ends the login on port 1455`, async () => {
    const server = await waitForCode();
    equal(server.port, 1455);
    equal(server.redirectUri, "http://localhost:1455/auth/callback");
    const page = await get(1455, good(), { host });
    equal(page.status, 200);
    match(page.text, /Signed in/);
    equal(await server.result, "ac_1");
    equal(await isFree(1455), true);
  });
}

Deno.test("the page tells of an exchange that failed, in escaped text", async () => {
  const server = await waitForCode({
    complete: () => Promise.reject(new Failure("<b>No</b> & 'no'.", "Try again.")),
  });
  const page = await get(server.port, good());
  equal(page.status, 500);
  ok(page.text.includes("&#60;b&#62;No&#60;/b&#62; &#38; &#39;no&#39;. Try again."));
  doesNotMatch(page.text, /<b>/);
  await rejects(server.result, /<b>No/);
  equal(await isFree(server.port), true);
});

Deno.test("a refusal with our state ends the login in the issuer's words, made printable", async () => {
  const server = await waitForCode();
  const said = encodeURIComponent("<i>\u001b[31mnobody\r\nagrees</i>");
  const page = await get(
    server.port,
    `/auth/callback?error=access_denied&error_description=${said}&state=${STATE}`,
  );
  equal(page.status, 400);
  ok(!page.text.includes("<i>") && !page.text.includes("\u001b"));
  await rejects(server.result, (error) => {
    ok(error instanceof Failure);
    equal(
      error.message,
      "The sign-in was refused (access_denied: <i>\uFFFD[31mnobody agrees</i>). " +
        "Start the login again and allow access, or ask the owner of the workspace to.",
    );
    return true;
  });
  equal(await isFree(server.port), true);
});

Deno.test("the login ends after 5 minutes, the port is free and no timer is left", async () => {
  const clock = new VirtualClock();
  const server = await waitForCode({ clock });
  await clock.advance(5 * 60_000 - 1);
  equal((await get(server.port, "/")).status, 404);
  await clock.advance(1);
  await rejects(server.result, /Nobody signed in within 5 minutes\. Start the login again\./);
  equal(await isFree(server.port), true);
  equal(clock.pending, 0);
});

Deno.test("a code that came in time may be exchanged after the 5 minutes", async () => {
  const clock = new VirtualClock();
  const exchanging = Promise.withResolvers<void>();
  const slow = Promise.withResolvers<string>();
  const server = await waitForCode({
    clock,
    complete: () => {
      exchanging.resolve();
      return slow.promise;
    },
  });
  const page = get(server.port, good());
  await exchanging.promise;
  await clock.advance(10 * 60_000);
  slow.resolve("late");
  equal((await page).status, 200);
  equal(await server.result, "late");
});

Deno.test("an abort frees the port at once, open connections included", async () => {
  const controller = new AbortController();
  const server = await waitForCode({ signal: controller.signal });
  const socket = connect(server.port, "127.0.0.1");
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {});
  controller.abort();
  await rejects(server.result, /^Failure: The login was cancelled\./);
  await closed;
  equal(await isFree(server.port), true);
});

Deno.test("a login that was aborted before it began takes no port", async () => {
  await rejects(waitForCode({ signal: AbortSignal.abort() }), /The login was cancelled/);
  equal(await isFree(1455), true);
});

Deno.test("GET /cancel ends the login for another program, not for a page", async () => {
  const server = await waitForCode();
  for (const site of ["cross-site", "same-site", "same-origin"]) {
    const page = await get(server.port, "/cancel", { headers: { "sec-fetch-site": site } });
    equal(page.status, 403, site);
  }
  equal((await get(server.port, "/cancel")).status, 200);
  await rejects(server.result, /Another login on this machine has taken over\./);
  equal(await isFree(server.port), true);
});

Deno.test("GET /cancel does not end a login that has its code", async () => {
  const exchanging = Promise.withResolvers<void>();
  const slow = Promise.withResolvers<string>();
  const server = await waitForCode({
    complete: () => {
      exchanging.resolve();
      return slow.promise;
    },
  });
  const page = get(server.port, good());
  await exchanging.promise;
  await get(server.port, "/cancel");
  slow.resolve("done");
  equal((await page).status, 200);
  equal(await server.result, "done");
});

Deno.test("a second login makes the first give way and takes its port", async () => {
  const first = await waitForCode();
  const clock = new EagerClock(200);
  const second = await waitForCode({ clock });
  equal(second.port, 1455);
  deepEqual(clock.passed, [200]);
  await rejects(first.result, /Another login on this machine has taken over/);
  await get(second.port, good());
  equal(await second.result, "ac_1");
});

for (const host of ["127.0.0.1", "::1"]) {
  Deno.test(`a program at ${host}:1455 that does not give way leaves 1457, after 10 tries`, async () => {
    const asked: string[] = [];
    const stranger = await occupy(1455, host, (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(404).end();
    });
    const clock = new EagerClock(200);
    try {
      const server = await waitForCode({ clock });
      equal(server.port, 1457);
      equal(server.redirectUri, "http://localhost:1457/auth/callback");
      deepEqual(asked, ["GET /cancel"]);
      deepEqual(clock.passed, Array(9).fill(200));
      await get(1457, good());
      equal(await server.result, "ac_1");
    } finally {
      await release(stranger);
    }
  });
}

Deno.test("with both ports taken the failure names both and the way out", async () => {
  // One refuses to give way, the other does not even answer.
  const strangers = [
    await occupy(1455, "127.0.0.1", (_request, response) => void response.writeHead(404).end()),
    await occupy(1457, "127.0.0.1", () => {}),
  ];
  const clock = new EagerClock(2_000);
  try {
    await rejects(waitForCode({ clock }), (error) => {
      ok(error instanceof Failure);
      match(error.message, /1455 and 1457.*EADDRINUSE.*device code or a pasted callback/);
      doesNotMatch(error.message, /\n/);
      return true;
    });
    equal(clock.pending, 0);
  } finally {
    for (const stranger of strangers) await release(stranger);
  }
  equal(await isFree(1455), true);
});

Deno.test("a program that stops listening in the meantime is waited for", async () => {
  const asked = Promise.withResolvers<void>();
  const stranger = await occupy(1455, "127.0.0.1", () => asked.resolve());
  const clock = new VirtualClock();
  let server: CallbackServer<string> | undefined;
  const listening = waitForCode({ clock }).then((started) => server = started);
  await asked.promise;
  await release(stranger);
  while (!server) await clock.advance(10);
  await listening;
  equal(server.port, 1455);
  await get(server.port, good());
  await server.result;
});

Deno.test("a login on the registered port gives tokens", async () => {
  await using simulator = await startSimulator({ clock: new VirtualClock() });
  simulator.addPlan({ name: "personal" });
  const login = await startBrowserLogin({
    issuer: simulator.issuerUrl,
    fetch,
    clock: simulator.clock,
  });
  equal(new URL(login.url).searchParams.get("redirect_uri"), "http://localhost:1455/auth/callback");
  const page = await fetch(login.url);
  equal(page.status, 200);
  match(await page.text(), /Signed in/);
  equal((await login.result).email, "personal@plans.example");
});
