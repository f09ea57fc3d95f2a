/** What a write must carry: the token of the forms, and a method that is what it says. */
import assert from "node:assert/strict";
import { DISABLE, refused, writes } from "./refusal.ts";
import { openStage, ORIGIN, type Stage, type Visitor } from "./stage.ts";

let stage: Stage;
let close = () => Promise.resolve();
let me: Visitor;

Deno.test.beforeAll(async () => {
  ({ stage, close } = await openStage());
  me = await stage.visit();
});
Deno.test.afterAll(() => close());

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
      stage.request(DISABLE, {
        method: "POST",
        headers: {
          cookie: me.cookie,
          origin: ORIGIN,
          "content-type": "application/x-www-form-urlencoded",
        },
        body: String(new URLSearchParams(fields())),
      });
    await refused(await send(), 403);
    assert.equal(await writes(stage, send), false);
  });
}

Deno.test("D: missing token: a wrong header is not mended by a right field", async () => {
  await refused(await me.post(DISABLE, {}, { "x-csrf-token": "wrong" }), 403);
});

Deno.test("D: missing token: one in the address does not count", async () => {
  const send = () =>
    stage.request(`${DISABLE}?csrf=${me.csrf}`, {
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
  assert.equal(await writes(stage, () => me.post(DISABLE)), true);
  assert.equal(await writes(stage, () => me.script(DISABLE)), true);
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
    await refused(await me.get(DISABLE, given), 400);
    assert.equal(await writes(stage, () => me.post(DISABLE, {}, given)), false);
  });
}

Deno.test("D: method override by the address or by a field", async () => {
  await refused(await me.get(`${DISABLE}?_method=POST&csrf=${me.csrf}`), 400);
  assert.equal(await writes(stage, () => me.get(`${DISABLE}?csrf=${me.csrf}`)), false);
  await refused(await me.post("/accounts/id-work/enable", { _method: "DELETE" }), 400);
});

for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
  Deno.test(`${method} is not answered`, async () => {
    await refused(await stage.request("/", { method, headers: { cookie: me.cookie } }), 405);
  });
}

Deno.test("a preflight of another origin gets no permission", async () => {
  const response = await stage.request(DISABLE, {
    method: "OPTIONS",
    headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
  });
  await refused(response, 405);
  assert.equal(response.headers.get("access-control-allow-origin"), null);
});
