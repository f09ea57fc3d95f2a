/** The limits of the dashboard's server, over real sockets. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { LIMITS, PortInUse, serve, type Serving } from "../../src/dashboard/serve.ts";
import { Failure } from "../../src/platform/failure.ts";
import { openStage, type Stage } from "./stage.ts";

/** Shorter than a person's patience, longer than this machine's hiccups. */
const QUICK = { headMs: 400, requestMs: 800, lookMs: 50, idleMs: 300, stopMs: 200 };

/** A dashboard that listens; its guards believe in another port, so that every request is told so. */
async function withServer(
  test: (serving: Serving, stage: Stage) => Promise<void>,
  limits: Partial<typeof LIMITS> = QUICK,
): Promise<void> {
  const port = { number: 0 };
  const { stage, close } = await openStage({ port: () => port.number });
  const serving = await serve({
    host: "127.0.0.1",
    port: 0,
    limits,
    fetch: (request) => stage.dashboard.app.fetch(request),
  });
  port.number = serving.port;
  try {
    await test(serving, stage);
  } finally {
    await serving.close();
    await close();
  }
}

/** Sends text and gives all that comes back until the server hangs up. */
function talk(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    const limit = setTimeout(() => {
      socket.destroy();
      reject(new Error(`The server has not hung up; it said: ${answer}`));
    }, 8_000);
    socket.on("connect", () => socket.write(text));
    socket.on("data", (data) => answer += data);
    // A reset is as good as a goodbye.
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(limit);
      resolve(answer);
    });
  });
}

Deno.test("D: slow body: hung up on after its time", () =>
  withServer(async ({ port }, stage) => {
    const { cookie } = await stage.visit();
    const start = performance.now();
    const head = `POST /unpin HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\n` +
      "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n";
    assert.match(await talk(port, `${head}csrf=`), /^(HTTP\/1\.1 408 [^]*)?$/);
    assert.ok(performance.now() - start >= QUICK.requestMs - QUICK.lookMs);
  }));

Deno.test("D: slow body: a head that never ends is hung up on", () =>
  withServer(async ({ port }) => {
    assert.match(await talk(port, "GET / HTTP/1.1\r\nHost: 127"), /^(HTTP\/1\.1 408 [^]*)?$/);
  }));

Deno.test("D: slow body: a connection that says nothing is hung up on", () =>
  withServer(async ({ port }) => {
    assert.match(await talk(port, ""), /^(HTTP\/1\.1 408 [^]*)?$/);
  }));

Deno.test("D: huge body: a head longer than 8 KB is refused", () =>
  withServer(async ({ port }) => {
    const text = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX: ${"x".repeat(9_000)}\r\n\r\n`;
    assert.match(await talk(port, text), /^HTTP\/1\.1 431 /);
  }));

Deno.test("a connection that is done with is not kept for long", () =>
  withServer(async ({ port }) => {
    const text = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    assert.match(await talk(port, text), /^HTTP\/1\.1 401 /);
  }));

Deno.test("D: 1,000 connections at once: most are turned away, and a page is served before and after", () =>
  withServer(async ({ port }, stage) => {
    const { cookie } = await stage.visit();
    const page = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        headers: { cookie, connection: "close" },
      });
      await response.body?.cancel();
      return response.status;
    };
    assert.equal(await page(), 200);
    const sockets: Socket[] = [];
    let closed = 0;
    const settled = Promise.withResolvers<void>();
    for (let n = 0; n < 1_000; n++) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.on("close", () => {
        if (++closed >= 1_000 - LIMITS.connections) settled.resolve();
      });
      sockets.push(socket);
    }
    await settled.promise;
    assert.ok(closed >= 1_000 - LIMITS.connections && closed < 1_000, `${closed} were closed`);
    const gone = Promise.all(
      sockets.filter((socket) => !socket.closed).map((socket) =>
        new Promise<void>((resolve) => socket.on("close", () => resolve()).destroy())
      ),
    );
    await gone;
    // The server hears of their end a moment later.
    let status = 0;
    for (let attempt = 0; attempt < 50 && status !== 200; attempt++) {
      status = await page().catch(() => 0);
    }
    assert.equal(status, 200);
  }, { ...QUICK, headMs: 30_000, requestMs: 30_000 }));

Deno.test("D: path traversal, as no browser would send it", () =>
  withServer(async ({ port }, stage) => {
    const { cookie } = await stage.visit();
    for (
      const path of [
        "/../accounts.json",
        "/%2e%2e/accounts.json",
        "/page.css/../../x",
        "http://evil.example/",
        "/\\..\\x",
      ]
    ) {
      const text =
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`;
      const answer = await talk(port, text);
      assert.doesNotMatch(answer, /refresh-|access-/);
      // An absolute address is read by its path, as RFC 9112 has it; the Host is ours.
      if (path !== "http://evil.example/") assert.match(answer, /^HTTP\/1\.1 40[04] /, path);
    }
  }));

Deno.test("D: foreign Host (DNS rebinding), over a socket; two Hosts, and none", () =>
  withServer(async ({ port }, stage) => {
    const { cookie } = await stage.visit();
    for (
      const hosts of [
        [`evil.example:${port}`],
        [`127.0.0.1:${port}`, `evil.example:${port}`],
        [`evil.example:${port}`, `127.0.0.1:${port}`],
        [],
      ]
    ) {
      const lines = hosts.map((host) => `Host: ${host}\r\n`).join("");
      const answer = await talk(
        port,
        `GET / HTTP/1.1\r\n${lines}Cookie: ${cookie}\r\nConnection: close\r\n\r\n`,
      );
      if (hosts.length < 2 || hosts[0]?.startsWith("evil")) {
        assert.match(answer, /^HTTP\/1\.1 40[03] /, hosts.join());
        assert.doesNotMatch(answer, /data-account/);
      }
    }
  }));

Deno.test("D: WebSocket over a socket: the handshake is refused", () =>
  withServer(async ({ port }, stage) => {
    const { cookie } = await stage.visit();
    const answer = await talk(
      port,
      `GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\nUpgrade: websocket\r\n` +
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    assert.match(answer, /^HTTP\/1\.1 400 /);
  }));

Deno.test("what is no HTTP is refused, and a body hidden behind another is not carried out", () =>
  withServer(async ({ port }, stage) => {
    const { cookie, csrf } = await stage.visit();
    assert.match(await talk(port, "hello\r\n\r\n"), /^(HTTP\/1\.1 400 [^]*)?$/);
    const form = `csrf=${csrf}`;
    const smuggled = `POST /accounts/id-work/remove HTTP/1.1\r\nHost: x\r\n\r\n`;
    const answer = await talk(
      port,
      `POST /unpin HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
        `Content-Length: ${form.length}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${form}${smuggled}`,
    );
    assert.doesNotMatch(answer, /^HTTP\/1\.1 (200|303)/);
    assert.equal((await stage.store.load()).accounts.length, 3);
  }));

Deno.test("a port in use is told apart, and another host is refused", () =>
  withServer(async ({ port }) => {
    const fetch = () => new Response();
    await assert.rejects(serve({ host: "127.0.0.1", port, fetch }), PortInUse);
    await assert.rejects(serve({ host: "0.0.0.0", port: 0, fetch }), Failure);
  }));

Deno.test("closing ends streams that are open, and frees the port", () =>
  withServer(async ({ port, close }, stage) => {
    const { cookie } = await stage.visit();
    const stream = await fetch(`http://127.0.0.1:${port}/events`, { headers: { cookie } });
    const reader = stream.body?.getReader();
    await reader?.read();
    const start = performance.now();
    await Promise.all([stage.dashboard.close(), close()]);
    assert.ok(performance.now() - start < 2_000);
    for (;;) {
      const { done } = await reader?.read().catch(() => ({ done: true })) ?? { done: true };
      if (done) break;
    }
    const again = await serve({ host: "127.0.0.1", port, fetch: () => new Response() });
    await again.close();
  }));

Deno.test("an answer that comes after its client has left is ended", async () => {
  const asked = Promise.withResolvers<Request>();
  const cancelled = Promise.withResolvers<string>();
  const serving = await serve({
    host: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const left = new Promise((resolve) => request.signal.addEventListener("abort", resolve));
      asked.resolve(request);
      await left;
      return new Response(new ReadableStream({ cancel: () => cancelled.resolve("cancelled") }));
    },
  });
  const socket = connect(serving.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  await asked.promise;
  socket.destroy();
  const limit = setTimeout(() => cancelled.resolve("still open"), 5_000);
  assert.equal(await cancelled.promise, "cancelled");
  clearTimeout(limit);
  await serving.close();
});
