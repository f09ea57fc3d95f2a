/** Whose requests are answered: those of our own host and origin. What needs a socket is in `serve_test.ts`. */
import assert from "node:assert/strict";
import { checkHost, isOurHost } from "../../src/dashboard/guard.ts";
import { Failure } from "../../src/platform/failure.ts";
import { DISABLE, refused, writes } from "./refusal.ts";
import { cookieOf, openStage, ORIGIN, PORT, type Stage, type Visitor } from "./stage.ts";

let stage: Stage;
let close = () => Promise.resolve();
let me: Visitor;

Deno.test.beforeAll(async () => {
  ({ stage, close } = await openStage());
  me = await stage.visit();
});
Deno.test.afterAll(() => close());

// Host

for (
  const host of [
    "evil.example",
    `evil.example:${PORT}`,
    `127.0.0.1.evil.example:${PORT}`,
    `localhost.evil.example:${PORT}`,
    "127.0.0.1",
    `127.0.0.1:${PORT + 1}`,
    `0.0.0.0:${PORT}`,
    `192.168.1.5:${PORT}`,
    `[::]:${PORT}`,
    `127.0.0.1:${PORT}@evil.example`,
    `127.0.0.1:${PORT}, evil.example`,
    `127.0.0.1:0${PORT}x`,
    "",
  ]
) {
  Deno.test(`D: foreign Host (DNS rebinding): "${host}"`, async () => {
    await refused(await stage.request("/", { headers: { host, cookie: me.cookie } }), 403);
    assert.equal(await writes(stage, () => me.post(DISABLE, {}, { host })), false);
  });
}

for (
  const host of [`127.0.0.1:${PORT}`, `localhost:${PORT}`, `LOCALHOST:${PORT}`, `[::1]:${PORT}`]
) {
  Deno.test(`our own Host: ${host}`, async () => {
    const response = await stage.request("/", { headers: { host, cookie: me.cookie } });
    assert.equal(response.status, 200);
    await response.body?.cancel();
  });
}

Deno.test("a request without any Host is refused", () => {
  assert.equal(isOurHost(undefined, PORT), false);
});

Deno.test("on port 80 a Host names no port", () => {
  assert.equal(isOurHost("localhost", 80), true);
  assert.equal(isOurHost("localhost", PORT), false);
});

// Origin and Sec-Fetch-Site

const FOREIGN_ORIGINS: readonly (readonly [string, string])[] = [
  ["foreign Origin", "https://evil.example"],
  ["foreign Origin, that begins as ours", `${ORIGIN}.evil.example`],
  ["foreign Origin, by https", `https://127.0.0.1:${PORT}`],
  ["foreign Origin, by another name of this machine", `http://localhost:${PORT}`],
  ["foreign Origin, with a path", `${ORIGIN}/`],
  ["Origin: null", "null"],
  ["another port's Origin", "http://127.0.0.1:8080"],
  ["another port's Origin, without one", "http://127.0.0.1"],
  ["foreign Origin, an empty one", ""],
];
for (const [name, origin] of FOREIGN_ORIGINS) {
  Deno.test(`D: ${name}: "${origin}"`, async () => {
    await refused(await me.get("/", { origin }), 403);
    assert.equal(await writes(stage, () => me.post(DISABLE, {}, { origin })), false);
  });
}

for (const site of ["cross-site", "same-site", "Same-Origin", "anything"]) {
  Deno.test(`D: cross-site form post: Sec-Fetch-Site: ${site}`, async () => {
    const headers = {
      "sec-fetch-site": site,
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    };
    await refused(await me.post(DISABLE, {}, headers), 403);
    assert.equal(await writes(stage, () => me.post(DISABLE, {}, headers)), false);
    await refused(await me.get("/", { "sec-fetch-site": site, "sec-fetch-mode": "cors" }), 403);
  });
}

Deno.test("D: cross-site form post without Sec-Fetch-Site, as an older browser sends it: the cookie stays away", async () => {
  const csrf = me.csrf;
  const send = () =>
    stage.request(DISABLE, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: `csrf=${csrf}`,
    });
  await refused(await send(), 401);
  assert.equal(await writes(stage, send), false);
});

Deno.test("a link on another page leads to the sign-in page and no further", async () => {
  const headers = {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  const text = await refused(await me.get("/", headers), 401);
  assert.match(text, /web --url/);
});

Deno.test("D: framing: another page cannot load ours into a frame", async () => {
  const headers = {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "iframe",
  };
  await refused(await me.get("/", headers), 403);
  const page = await me.get("/");
  await page.body?.cancel();
  assert.match(page.headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
  assert.equal(page.headers.get("x-frame-options"), "DENY");
});

for (
  const headers of [{ origin: "https://evil.example" }, {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "cors",
  }]
) {
  Deno.test(`D: SSE from another origin: ${JSON.stringify(headers)}`, async () => {
    await refused(await me.get("/events", headers as unknown as Record<string, string>), 403);
  });
}

Deno.test("D: SSE without a session", async () => {
  await refused(await stage.request("/events"), 401);
});

Deno.test("D: WebSocket from another origin, and from ours: nothing is upgraded", async () => {
  const headers = { upgrade: "websocket", connection: "Upgrade" };
  await refused(await me.get("/events", { ...headers, origin: "https://evil.example" }), 400, 403);
  await refused(await me.get("/events", headers), 400);
});

// Where it listens

for (
  const host of [
    "0.0.0.0",
    "::",
    "192.168.1.5",
    "example.com",
    "",
    "127.0.0.1.example.com",
    "localhost.example.com",
    "[::ffff:127.0.0.1]",
  ]
) {
  Deno.test(`--host "${host}" is refused, with the reason`, () => {
    assert.throws(
      () => checkHost(host),
      (error) =>
        error instanceof Failure && error.exitCode !== undefined &&
        /use your accounts/.test(error.message),
    );
  });
}

Deno.test("--host takes every name of this machine itself", () => {
  assert.deepEqual(["127.0.0.1", "localhost", "::1", "[::1]", "127.0.0.2"].map(checkHost), [
    "127.0.0.1",
    "127.0.0.1",
    "::1",
    "::1",
    "127.0.0.2",
  ]);
});

Deno.test("a cookie that came back as it was set is the same", () => {
  assert.equal(cookieOf(new Response(null, { headers: { "set-cookie": "a=b; Path=/" } })), "a=b");
});
