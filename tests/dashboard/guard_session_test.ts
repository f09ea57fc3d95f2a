/** Links, cookies and sessions, and the headers of every answer. */
import assert from "node:assert/strict";
import { cookieName } from "../../src/dashboard/guard.ts";
import { IDLE_MS, LINK_MS, newLinkToken } from "../../src/dashboard/session.ts";
import { DISABLE, refused } from "./refusal.ts";
import { csrfIn, openStage, ORIGIN, PORT, type Stage, type Visitor } from "./stage.ts";

let stage: Stage;
let close = () => Promise.resolve();
let me: Visitor;

Deno.test.beforeAll(async () => {
  ({ stage, close } = await openStage());
  me = await stage.visit();
});
Deno.test.afterAll(() => close());

// Sessions

Deno.test("D: another local user's process: it has no cookie", async () => {
  for (const path of ["/", "/?q=work", "/events", "/accounts/id-work", "/export"]) {
    await refused(await stage.request(path), 401);
  }
  await refused(await stage.request(DISABLE, { method: "POST" }), 401);
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
  await refused(await one.post(DISABLE, { csrf: two.csrf }), 403);
});

// Headers

Deno.test("D: cached secrets: no answer may be kept", async () => {
  for (
    const response of [
      await me.get("/"),
      await me.get("/page.css"),
      await stage.request("/"),
      await me.get("/nothing"),
      await me.post(DISABLE),
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
