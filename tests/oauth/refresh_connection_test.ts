import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { exchangeRefreshToken } from "../../src/oauth/refresh.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { OLD, refreshWith } from "./exchange_scene.ts";
import { deadOrigin, startLocalServer } from "./local_server.ts";

Deno.test("a refused connection was not sent, in this runtime's own words", async () => {
  const result = await exchangeRefreshToken({
    issuer: await deadOrigin(),
    fetch,
    clock: systemClock,
    credentials: OLD,
  });
  deepEqual(result, { kind: "not sent", cause: "ECONNREFUSED" });
});

Deno.test("an unknown host was not sent, in this runtime's own words", async () => {
  const result = await exchangeRefreshToken({
    issuer: "http://no-such-host.invalid",
    fetch,
    clock: systemClock,
    credentials: OLD,
  });
  deepEqual(result, { kind: "not sent", cause: "ENOTFOUND" });
});

Deno.test("a connection that breaks after sending leaves the token in doubt, and it is sent once", async () => {
  let requests = 0;
  const server = await startLocalServer((_request, response) => {
    requests++;
    // The first leaves a connection behind that a careless client would use again.
    if (requests === 1) response.writeHead(503).end("{}");
    else response.destroy();
  });
  const refresh = () =>
    exchangeRefreshToken({ issuer: server.origin, fetch, clock: systemClock, credentials: OLD });
  try {
    equal((await refresh()).kind, "transient");
    deepEqual(await refresh(), { kind: "unknown" });
    equal(requests, 2);
  } finally {
    server.close();
  }
});

Deno.test("an answer that breaks off in its body leaves the token in doubt", async () => {
  const server = await startLocalServer((_request, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write('{"access_token": "opaque', () => response.destroy());
  });
  try {
    deepEqual(
      await exchangeRefreshToken({
        issuer: server.origin,
        fetch,
        clock: systemClock,
        credentials: OLD,
      }),
      { kind: "unknown" },
    );
  } finally {
    server.close();
  }
});

Deno.test("an endless answer is not read to its end", async () => {
  const part = new Uint8Array(100_000);
  let read = 0;
  const result = await refreshWith(() =>
    new Response(
      new ReadableStream({
        pull(controller) {
          read++;
          controller.enqueue(part);
        },
      }),
    )
  );
  deepEqual(result, { kind: "unknown" });
  ok(read < 20, `${read} parts were read`);
});

Deno.test("silence ends after 30 s and leaves the token in doubt", async () => {
  const clock = new VirtualClock();
  let aborted = false;
  const result = exchangeRefreshToken({
    issuer: "https://issuer.example",
    // One that does not care about its signal.
    fetch: (_url, init) => {
      init?.signal?.addEventListener("abort", () => aborted = true);
      return new Promise(() => {});
    },
    clock,
    credentials: OLD,
  });
  await clock.advance(29_999);
  equal(aborted, false);
  await clock.advance(1);
  deepEqual(await result, { kind: "unknown" });
  equal(aborted, true);
  equal(clock.pending, 0);
});

Deno.test("an abort before sending sends nothing, an abort after it leaves the token in doubt", async () => {
  let calls = 0;
  const started = Promise.withResolvers<void>();
  const refresh = (signal: AbortSignal) =>
    exchangeRefreshToken({
      issuer: "https://issuer.example",
      fetch: () => {
        calls++;
        started.resolve();
        return new Promise(() => {});
      },
      clock: new VirtualClock(),
      credentials: OLD,
      signal,
    });
  deepEqual(await refresh(AbortSignal.abort()), { kind: "not sent", cause: "aborted" });
  equal(calls, 0);
  const controller = new AbortController();
  const result = refresh(controller.signal);
  await started.promise;
  controller.abort();
  deepEqual(await result, { kind: "unknown" });
});
