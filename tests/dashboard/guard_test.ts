/** The guards of the dashboard, each refusal with a test of its own. What needs a socket is in `serve_test.ts`. */
import assert from "node:assert/strict";
import {
  checkHost,
  cookieName,
  isOurHost,
  MAX_FORM_BYTES,
  MAX_UPLOAD_BYTES,
} from "../../src/dashboard/guard.ts";
import { IDLE_MS, LINK_MS, newLinkToken } from "../../src/dashboard/session.ts";
import { Failure } from "../../src/platform/failure.ts";
import { cookieOf, csrfIn, openStage, ORIGIN, PORT, type Stage, type Visitor } from "./stage.ts";

let stage: Stage;
let close = () => Promise.resolve();
let me: Visitor;

Deno.test.beforeAll(async () => {
  ({ stage, close } = await openStage());
  me = await stage.visit();
});
Deno.test.afterAll(() => close());

/** A refusal says nothing of an account, sets no cookie, and has every header. */
async function refused(response: Response, ...statuses: number[]): Promise<string> {
  const text = await response.text();
  assert.ok(statuses.includes(response.status), `${response.status}: ${text.slice(0, 200)}`);
  assert.ok(response.status >= 400 && response.status < 500);
  assert.doesNotMatch(text, /personal|"work"|id-work|example\.test|csrf|data-account/);
  assert.equal(response.headers.get("set-cookie"), null);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  return text;
}

/** Whether a harmless write goes through; puts it back. */
async function writes(send: () => Promise<Response>): Promise<boolean> {
  const response = await send();
  await response.body?.cancel();
  const { accounts } = await stage.store.load();
  const changed = accounts.find(({ id }) => id === "id-work")?.enabled === false;
  if (changed) await stage.store.edit("id-work", (account) => ({ ...account, enabled: true }));
  return changed;
}
const disable = "/accounts/id-work/disable";

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
    assert.equal(await writes(() => me.post(disable, {}, { host })), false);
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
    assert.equal(await writes(() => me.post(disable, {}, { origin })), false);
  });
}

for (const site of ["cross-site", "same-site", "Same-Origin", "anything"]) {
  Deno.test(`D: cross-site form post: Sec-Fetch-Site: ${site}`, async () => {
    const headers = {
      "sec-fetch-site": site,
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    };
    await refused(await me.post(disable, {}, headers), 403);
    assert.equal(await writes(() => me.post(disable, {}, headers)), false);
    await refused(await me.get("/", { "sec-fetch-site": site, "sec-fetch-mode": "cors" }), 403);
  });
}

Deno.test("D: cross-site form post without Sec-Fetch-Site, as an older browser sends it: the cookie stays away", async () => {
  const csrf = me.csrf;
  const send = () =>
    stage.request(disable, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: `csrf=${csrf}`,
    });
  await refused(await send(), 401);
  assert.equal(await writes(send), false);
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

// Sessions

Deno.test("D: another local user's process: it has no cookie", async () => {
  for (const path of ["/", "/?q=work", "/events", "/accounts/id-work", "/export"]) {
    await refused(await stage.request(path), 401);
  }
  await refused(await stage.request(disable, { method: "POST" }), 401);
});

for (
  const [name, cookie] of [
    ["a made-up value", () => `${cookieName(PORT)}=${"A".repeat(43)}`],
    ["an empty value", () => `${cookieName(PORT)}=`],
    ["another port's cookie", () => me.cookie.replace(`_${PORT}=`, `_${PORT + 1}=`)],
    ["a cut value", () => me.cookie.slice(0, -1)],
    ["a longer value", () => `${me.cookie}A`],
    ["the token of the forms", () => `${cookieName(PORT)}=${me.csrf}`],
    ["a name of the language", () => `${cookieName(PORT)}=__proto__`],
  ] as const
) {
  Deno.test(`a cookie with ${name} opens nothing`, async () => {
    await refused(await stage.request("/", { headers: { cookie: cookie() } }), 401);
  });
}

Deno.test("D: old token: a link opens once", async () => {
  const link = stage.link();
  const first = await stage.request(link);
  assert.equal(first.status, 303);
  assert.equal(first.headers.get("location"), "/");
  await refused(await stage.request(link), 401);
});

Deno.test("D: old token: a link ends after 15 minutes", async () => {
  const link = stage.link();
  await stage.clock.advance(LINK_MS - 1);
  const early = stage.link();
  assert.equal((await stage.request(link)).status, 303);
  await stage.clock.advance(LINK_MS);
  await refused(await stage.request(early), 401);
});

Deno.test("D: old token: a link of another key, another end or another form opens nothing", async () => {
  const now = stage.clock.now();
  const [end = "", nonce, signature] = stage.link().replace("/open/", "").split(".");
  const later = (Number.parseInt(end, 36) + 1).toString(36);
  for (
    const token of [
      newLinkToken("another key", now),
      [later, nonce, signature].join("."),
      [end, nonce].join("."),
      [end, nonce, signature, signature].join("."),
      `${end}.${"A".repeat(22)}.${signature}`,
      "",
      "..",
      "__proto__",
      "A".repeat(8_000),
    ]
  ) {
    await refused(await stage.request(`/open/${token}`), 401, 404);
  }
});

Deno.test("D: old token: an idle session ends after 12 hours, one in use does not", async () => {
  const visitor = await stage.visit();
  await stage.clock.advance(IDLE_MS - 1);
  assert.equal((await visitor.get("/")).status, 200);
  await stage.clock.advance(IDLE_MS - 1);
  assert.equal((await visitor.get("/")).status, 200);
  await stage.clock.advance(IDLE_MS);
  await refused(await visitor.get("/"), 401);
  me = await stage.visit();
});

Deno.test("D: old token: a session that was signed out ends at once", async () => {
  const visitor = await stage.visit();
  const out = await visitor.post("/sign-out");
  assert.equal(out.status, 303);
  assert.match(out.headers.get("set-cookie") ?? "", /Max-Age=0/);
  await refused(await visitor.get("/"), 401);
});

Deno.test("D: token in a Referer, a query or a header opens nothing", async () => {
  const token = stage.link().replace("/open/", "");
  const referer = `${ORIGIN}/open/${token}`;
  await refused(await stage.request("/", { headers: { referer } }), 401);
  await refused(await stage.request(`/?token=${token}`), 401);
  await refused(await stage.request("/", { headers: { authorization: `Bearer ${token}` } }), 401);
  // None of that has used it up.
  assert.equal((await stage.request(`/open/${token}`)).status, 303);
});

Deno.test("D: token in a Referer: the link is left behind with the first answer, and no page hands it on", async () => {
  const response = await stage.request(stage.link());
  assert.equal(response.headers.get("location"), "/");
  assert.equal(response.headers.get("referrer-policy"), "same-origin");
  assert.equal(await response.text(), "");
});

Deno.test("a browser that fetches ahead does not use a link up", async () => {
  const link = stage.link();
  await refused(
    await stage.request(link, { headers: { "sec-purpose": "prefetch;prerender" } }),
    401,
  );
  await refused(await stage.request(link, { method: "HEAD" }), 401);
  assert.equal((await stage.request(link)).status, 303);
});

Deno.test("the cookie is HttpOnly, SameSite=Strict and named after the port", async () => {
  const set = (await stage.request(stage.link())).headers.get("set-cookie") ?? "";
  assert.match(
    set,
    new RegExp(`^opencode_multi_auth_${PORT}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`),
  );
});

Deno.test("each link opens a session of its own", async () => {
  const one = await stage.visit();
  const two = await stage.visit();
  assert.notEqual(one.cookie, two.cookie);
  assert.notEqual(one.csrf, two.csrf);
  await refused(await one.post(disable, { csrf: two.csrf }), 403);
});

// The token of the forms

const CSRF: readonly (readonly [string, () => Record<string, string>])[] = [
  ["missing token", () => ({})],
  ["missing token, an empty one", () => ({ csrf: "" })],
  ["missing token, a made-up one", () => ({ csrf: "A".repeat(43) })],
  ["missing token, a cut one", () => ({ csrf: me.csrf.slice(0, -1) })],
  ["missing token, the cookie in its place", () => ({ csrf: me.cookie.split("=")[1] ?? "" })],
];
for (const [name, fields] of CSRF) {
  Deno.test(`D: ${name}`, async () => {
    const send = () =>
      stage.request(disable, {
        method: "POST",
        headers: {
          cookie: me.cookie,
          origin: ORIGIN,
          "content-type": "application/x-www-form-urlencoded",
        },
        body: String(new URLSearchParams(fields())),
      });
    await refused(await send(), 403);
    assert.equal(await writes(send), false);
  });
}

Deno.test("D: missing token: a wrong header is not mended by a right field", async () => {
  await refused(await me.post(disable, {}, { "x-csrf-token": "wrong" }), 403);
});

Deno.test("D: missing token: one in the address does not count", async () => {
  const send = () =>
    stage.request(`${disable}?csrf=${me.csrf}`, {
      method: "POST",
      headers: {
        cookie: me.cookie,
        origin: ORIGIN,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: "",
    });
  await refused(await send(), 403);
});

Deno.test("the right token goes through, in the field and in the header", async () => {
  assert.equal(await writes(() => me.post(disable)), true);
  assert.equal(await writes(() => me.script(disable)), true);
});

/** Routes as the router itself has them. */
function routes(method: string): string[] {
  return [
    ...new Set(
      stage.dashboard.app.routes.filter((route) => route.method === method)
        .map(({ path }) =>
          path.replace(":id", "id-work").replace(":token", "x").replace(":challenge", "x")
        ),
    ),
  ];
}

Deno.test("every POST route of the router refuses a post without a session, without a token and from elsewhere", async () => {
  const paths = routes("POST");
  assert.ok(paths.length >= 25, `only ${paths.length} routes`);
  const form = { "content-type": "application/x-www-form-urlencoded" };
  for (const path of paths) {
    const post = (headers: Record<string, string>, body = "") =>
      stage.request(path, { method: "POST", headers: { ...form, ...headers }, body });
    await refused(await post({ origin: ORIGIN }), 401);
    await refused(await post({ cookie: me.cookie, origin: ORIGIN }), 403);
    await refused(await post({ cookie: me.cookie }, "csrf=wrong"), 403);
    await refused(await post({ cookie: me.cookie, origin: "null" }, `csrf=${me.csrf}`), 403);
    await refused(
      await post({ cookie: me.cookie, "sec-fetch-site": "cross-site" }, `csrf=${me.csrf}`),
      403,
    );
  }
});

Deno.test("the router has GET and POST routes only, and what it lets through without a session is known", async () => {
  const methods = new Set(stage.dashboard.app.routes.map(({ method }) => method));
  assert.deepEqual([...methods].sort(), ["ALL", "GET", "POST"]);
  const open: string[] = [];
  for (const path of routes("GET")) {
    const response = await stage.request(path);
    await response.body?.cancel();
    if (response.status === 200) open.push(path);
  }
  assert.deepEqual(open.sort(), ["/page.css", "/page.js", "/proof/x"]);
});

// Methods

for (
  const headers of [
    { "x-http-method-override": "POST" },
    { "x-http-method": "DELETE" },
    { "x-method-override": "PUT" },
  ]
) {
  Deno.test(`D: method override by ${Object.keys(headers)[0]}`, async () => {
    const given = headers as unknown as Record<string, string>;
    await refused(await me.get(disable, given), 400);
    assert.equal(await writes(() => me.post(disable, {}, given)), false);
  });
}

Deno.test("D: method override by the address or by a field", async () => {
  await refused(await me.get(`${disable}?_method=POST&csrf=${me.csrf}`), 400);
  assert.equal(await writes(() => me.get(`${disable}?csrf=${me.csrf}`)), false);
  await refused(await me.post("/accounts/id-work/enable", { _method: "DELETE" }), 400);
});

for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
  Deno.test(`${method} is not answered`, async () => {
    await refused(await stage.request("/", { method, headers: { cookie: me.cookie } }), 405);
  });
}

Deno.test("a preflight of another origin gets no permission", async () => {
  const response = await stage.request(disable, {
    method: "OPTIONS",
    headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
  });
  await refused(response, 405);
  assert.equal(response.headers.get("access-control-allow-origin"), null);
});

// Bodies

for (
  const type of [
    "text/plain",
    "application/json",
    "",
    "application/x-www-form-urlencodedx",
    "multipart/form-data; boundary=x",
    "text/html",
  ]
) {
  Deno.test(`D: cross-site fetch with text/plain, or with "${type}": only forms are taken`, async () => {
    const send = () =>
      stage.request(disable, {
        method: "POST",
        headers: {
          cookie: me.cookie,
          origin: ORIGIN,
          "x-csrf-token": me.csrf,
          "content-type": type,
        },
        body: `csrf=${me.csrf}`,
      });
    await refused(await send(), 415);
    assert.equal(await writes(send), false);
  });
}

for (
  const [name, body] of [
    ["bad JSON", "{"],
    [
      "prototype keys in JSON",
      '{"__proto__": {"admin": true}, "constructor": {"prototype": {"x": 1}}}',
    ],
  ] as const
) {
  Deno.test(`D: ${name}`, async () => {
    const headers = { cookie: me.cookie, origin: ORIGIN, "x-csrf-token": me.csrf };
    for (const type of ["application/json", "application/x-www-form-urlencoded"]) {
      const response = await stage.request(disable, {
        method: "POST",
        headers: { ...headers, "content-type": type },
        body,
      });
      await refused(response, 400, 415);
    }
    assert.equal(({} as Record<string, unknown>)["admin"], undefined);
    assert.equal(({} as Record<string, unknown>)["x"], undefined);
  });
}

for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "unknown"]) {
  Deno.test(`D: prototype keys in a form: a field "${name}" is refused`, async () => {
    await refused(await me.post(disable, { [name]: "1" }), 400);
  });
}

Deno.test("a field that is given twice is refused: two readers could read two things", async () => {
  const response = await stage.request(disable, {
    method: "POST",
    headers: {
      cookie: me.cookie,
      origin: ORIGIN,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: `csrf=${me.csrf}&reason=a&reason=b`,
  });
  await refused(response, 400);
});

Deno.test("D: huge body", async () => {
  await refused(
    await me.post("/accounts/id-work/describe", { tags: "", notes: "x".repeat(MAX_FORM_BYTES) }),
    413,
  );
});

Deno.test("D: huge body that does not say how long it is", async () => {
  let sent = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 8_192;
      controller.enqueue(new Uint8Array(8_192).fill(97));
    },
    cancel: () => void (cancelled = true),
  });
  const response = await stage.request(disable, {
    method: "POST",
    headers: {
      cookie: me.cookie,
      origin: ORIGIN,
      "content-type": "application/x-www-form-urlencoded",
    },
    body,
  });
  await refused(response, 413);
  assert.ok(cancelled);
  assert.ok(sent < 2 * MAX_FORM_BYTES, `${sent} bytes were taken`);
});

Deno.test("D: huge body, as an upload", async () => {
  const form = new FormData();
  form.set("csrf", me.csrf);
  form.set("file", new Blob([new Uint8Array(MAX_UPLOAD_BYTES)]), "big.json");
  const response = await stage.request("/import", {
    method: "POST",
    headers: { cookie: me.cookie, origin: ORIGIN },
    body: form,
  });
  await refused(response, 413);
});

Deno.test("D: huge body in one field", async () => {
  await refused(await me.post("/accounts/id-work/rename", { alias: "x".repeat(201) }), 400);
});

Deno.test("an upload is taken at one place only, and text is no file", async () => {
  const form = new FormData();
  form.set("csrf", me.csrf);
  form.set("passphrase", new Blob(["x"]), "x");
  const upload = (path: string) =>
    stage.request(path, {
      method: "POST",
      headers: { cookie: me.cookie, origin: ORIGIN },
      body: form,
    });
  await refused(await upload("/unlock"), 415);
  await refused(await upload("/import"), 400);
});

Deno.test("a broken upload is refused", async () => {
  const response = await stage.request("/import", {
    method: "POST",
    headers: {
      cookie: me.cookie,
      origin: ORIGIN,
      "x-csrf-token": me.csrf,
      "content-type": "multipart/form-data; boundary=x",
    },
    body: "--x\r\nContent-Disposition: form-data; name=",
  });
  await refused(response, 400, 422);
});

// Paths

for (
  const path of [
    "/../../etc/passwd",
    "/page.css/../../accounts.json",
    "/..%2f..%2faccounts.json",
    "/%2e%2e/%2e%2e/accounts.json",
    "/page.js%00.html",
    "//accounts.json",
    "/accounts.json",
    "/state.db",
    "/settings.json",
    "/dashboard-3434.json",
    "/\\..\\accounts.json",
    "/open/../page.css/%2e%2e/accounts.json",
  ]
) {
  Deno.test(`D: path traversal: ${path}`, async () => {
    await refused(await stage.request(path), 401, 404);
    await refused(await me.get(path), 404);
  });
}

Deno.test("an account's id in the address is looked up and nothing else", async () => {
  for (const id of ["..%2f..%2fx", "__proto__", "id-nobody", "%00", "'; DROP TABLE figures"]) {
    const response = await me.script(`/accounts/${id}/disable`);
    assert.ok([404, 422].includes(response.status), `${id}: ${response.status}`);
    await response.body?.cancel();
  }
});

// Headers

Deno.test("D: cached secrets: no answer may be kept", async () => {
  for (
    const response of [
      await me.get("/"),
      await me.get("/page.css"),
      await stage.request("/"),
      await me.get("/nothing"),
      await me.post(disable),
      await me.script("/unpin"),
    ]
  ) {
    await response.body?.cancel();
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.equal(response.headers.get("referrer-policy"), "same-origin");
  }
  await stage.store.edit("id-work", (account) => ({ ...account, enabled: true }));
});

Deno.test("the content policy lets nothing in from elsewhere and nothing inline", async () => {
  const response = await me.get("/");
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  const directives = new Map(
    policy.split("; ").map((one) =>
      [one.split(" ")[0], one.split(" ").slice(1).join(" ")] as const
    ),
  );
  for (const name of ["script-src", "style-src", "connect-src", "form-action"]) {
    assert.equal(directives.get(name), "'self'", name);
  }
  for (const name of ["default-src", "base-uri", "frame-ancestors"]) {
    assert.equal(directives.get(name), "'none'", name);
  }
  const html = await response.text();
  assert.doesNotMatch(html, /<style|style="|\son\w+="|<script(?![^>]*\ssrc=)|javascript:/i);
});

Deno.test("the sign-in page says how to get in, and asks nothing of another origin", async () => {
  const text = await refused(await stage.request("/"), 401);
  assert.match(text, /opencode-multi-auth web --url/);
});

Deno.test("the token in a page is the session's, the same on every load", async () => {
  assert.equal(csrfIn(await (await me.get("/")).text()), me.csrf);
  assert.match(me.csrf, /^[\w-]{43}$/);
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
