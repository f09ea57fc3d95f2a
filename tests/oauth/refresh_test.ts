import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { exchangeRefreshToken } from "../../src/oauth/refresh.ts";
import { systemClock } from "../../src/platform/clock.ts";
import rows from "../fixtures/oauth/refresh-errors.json" with { type: "json" };
import answers from "../fixtures/oauth/token-responses.json" with { type: "json" };
import { FIXTURE_NOW, VirtualClock } from "../virtual_clock.ts";
import { json, OLD, refreshWith } from "./exchange_scene.ts";
import { startLocalServer } from "./local_server.ts";

Deno.test("a refresh is the form that OpenCode sends, on a connection of its own", async () => {
  const server = await startLocalServer((request, response) => {
    equal(request.method, "POST");
    equal(request.url, "/oauth/token");
    equal(request.headers["content-type"], "application/x-www-form-urlencoded");
    response.end(JSON.stringify(answers.refresh_full));
  });
  try {
    const asked = server.nextRequest();
    const result = await exchangeRefreshToken({
      issuer: server.origin,
      fetch,
      clock: systemClock,
      credentials: OLD,
    });
    equal(result.kind, "renewed");
    equal(
      server.bodies[0],
      "grant_type=refresh_token&client_id=app_EMoamEEZ73f0CkXaXp7hrann&refresh_token=rt_old_refresh_token_1",
    );
    equal((await asked).headers.connection, "close");
  } finally {
    server.close();
  }
});

Deno.test("a full answer replaces everything and says whose it is", async () => {
  const result = await refreshWith(json(answers.refresh_full));
  ok(result.kind === "renewed");
  deepEqual(result.credentials, {
    accessToken: answers.refresh_full.access_token,
    refreshToken: "rt_fixture_personal_1",
    idToken: answers.refresh_full.id_token,
    expiresAt: 4102444800_000,
  });
  equal(result.email, "you@personal.example");
  equal(result.plan, "plus");
  equal(result.identity?.workspaceId, "5b1c0a52-3f0e-4d0b-9a51-0f2f6f5d1a01");
});

Deno.test("what a refresh leaves out stays as it was", async () => {
  const onlyAccess = await refreshWith(json(answers.refresh_only_access));
  ok(onlyAccess.kind === "renewed");
  equal(onlyAccess.credentials.refreshToken, OLD.refreshToken);
  equal(onlyAccess.credentials.idToken, OLD.idToken);
  equal(onlyAccess.credentials.expiresAt, 4102444800_000);

  const onlyRefresh = await refreshWith(json({ refresh_token: "rt_next", expires_in: 99 }));
  ok(onlyRefresh.kind === "renewed");
  deepEqual(onlyRefresh.credentials, { ...OLD, refreshToken: "rt_next" });
});

Deno.test("an opaque access token ends after expires_in, given as number or text", async () => {
  for (const expires_in of [3600, "3600"]) {
    const result = await refreshWith(json({ ...answers.refresh_opaque_access, expires_in }));
    ok(result.kind === "renewed");
    equal(result.credentials.expiresAt, FIXTURE_NOW + 3_600_000);
  }
});

Deno.test("an opaque access token that names no end gets 8 days, as the Codex CLI gives it", async () => {
  for (const expires_in of [undefined, null, "", "soon", -1, 0, [], {}, true]) {
    const result = await refreshWith(json({ access_token: "opaque", expires_in }));
    ok(result.kind === "renewed");
    const life = result.credentials.expiresAt - FIXTURE_NOW;
    equal(life, 8 * 86_400_000, `expires_in ${JSON.stringify(expires_in)}`);
  }
});

Deno.test("beside an opaque access token a new id token's end counts, an older one's does not", async () => {
  const id_token = `e30.${btoa(JSON.stringify({ exp: FIXTURE_NOW / 1000 + 600 }))}.`;
  const answer = { access_token: "opaque", expires_in: 3600 };
  const fresh = await refreshWith(json({ ...answer, id_token }));
  ok(fresh.kind === "renewed");
  equal(fresh.credentials.expiresAt, FIXTURE_NOW + 600_000);
  const older = await exchangeRefreshToken({
    issuer: "https://issuer.example",
    fetch: () => Promise.resolve(Response.json(answer)),
    clock: new VirtualClock(),
    credentials: { ...OLD, idToken: id_token },
  });
  ok(older.kind === "renewed");
  equal(older.credentials.expiresAt, FIXTURE_NOW + 3_600_000);
});

Deno.test("an end beyond what a date can name is cut to the last date", async () => {
  const result = await refreshWith(json({ access_token: "opaque", expires_in: 1e300 }));
  ok(result.kind === "renewed");
  equal(result.credentials.expiresAt, 8.64e15);
});

for (const row of rows) {
  Deno.test(`refresh error "${row.name}" is ${row.permanent ? "permanent" : "not permanent"}`, async () => {
    const server = await startLocalServer((_request, response) => {
      const text = typeof row.body === "string" ? row.body : JSON.stringify(row.body);
      response.writeHead(row.status).end(text);
    });
    try {
      const result = await exchangeRefreshToken({
        issuer: server.origin,
        fetch,
        clock: systemClock,
        credentials: OLD,
      });
      const expected = row.permanent ? "permanent" : row.status === 200 ? "unknown" : "transient";
      equal(result.kind, expected);
    } finally {
      server.close();
    }
  });
}

Deno.test("every permanent code is found as 400 and 401, in all three places", async () => {
  const codes = [
    "refresh_token_expired",
    "refresh_token_reused",
    "refresh_token_invalidated",
    "invalid_grant",
    "token_expired",
    "app_session_terminated",
    "account_session_expired",
    "account_deactivated",
    "account_suspended",
    "account_deleted",
  ];
  for (const code of codes) {
    for (const status of [400, 401]) {
      for (const body of [{ error: { code } }, { error: code }, { code, error: null }]) {
        deepEqual(await refreshWith(json(body, { status })), { kind: "permanent", code });
      }
    }
    equal((await refreshWith(json({ error: code }, { status: 403 }))).kind, "transient");
    equal((await refreshWith(json({ error: code }, { status: 500 }))).kind, "transient");
  }
});

Deno.test("any other 401 of the issuer is permanent, a 401 page of something in between is not", async () => {
  const at401 = async (body: string) => await refreshWith(json(body, { status: 401 }));
  deepEqual(await at401("{}"), { kind: "permanent", code: "http_401" });
  deepEqual(await at401(""), { kind: "permanent", code: "http_401" });
  deepEqual(await at401("<html>Log in to the proxy</html>"), {
    kind: "transient",
    code: "http_401",
  });
});

Deno.test("a redirect is not followed, and says nothing about the token", async () => {
  const server = await startLocalServer((_request, response) => {
    response.writeHead(307, { location: "/elsewhere" }).end();
  });
  try {
    const result = await exchangeRefreshToken({
      issuer: server.origin,
      fetch,
      clock: systemClock,
      credentials: OLD,
    });
    equal(result.kind, "transient");
    equal(server.bodies.length, 1);
  } finally {
    server.close();
  }
});

Deno.test("an answer that is good but brings no token leaves the token in doubt", async () => {
  const bodies = ["{}", "[]", "null", "", "{", '{"access_token": 5}', '{"id_token": "a.b.c"}'];
  for (const body of bodies) {
    deepEqual(await refreshWith(json(body)), { kind: "unknown" }, body);
  }
});

Deno.test("retry-after counts in seconds, in milliseconds or from a date, and never beyond an hour", async () => {
  const cases: [Record<string, string>, number | undefined][] = [
    [{ "retry-after": "7" }, 7_000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after-ms": "250", "retry-after": "7" }, 250],
    [{ "retry-after": "Mon, 23 Nov 2026 18:01:30 GMT" }, 90_000],
    [{ "retry-after": "Mon, 23 Nov 2026 17:00:00 GMT" }, 0],
    [{ "retry-after": "9".repeat(400) }, 3_600_000],
    [{ "retry-after": "soon" }, undefined],
    [{}, undefined],
  ];
  for (const [headers, expected] of cases) {
    const result = await refreshWith(json({}, { status: 429, headers }));
    ok(result.kind === "transient");
    equal(result.retryAfterMs, expected, JSON.stringify(headers));
  }
});

Deno.test("whatever the issuer answers, a refresh gives a result and never repeats a token", async () => {
  const secret = "rt_Secret7890_never_shown";
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constant(secret),
    fc.oneof(fc.constant(secret), fc.string(), fc.constant("invalid_grant"), fc.anything())
      .map((code) => JSON.stringify({ error: { code }, code, error_description: secret })),
    fc.oneof(fc.constant(secret), fc.jsonValue()).map((error) => JSON.stringify({ error })),
    fc.record({
      access_token: fc.oneof(fc.string(), fc.jsonValue()),
      refresh_token: fc.oneof(fc.string(), fc.jsonValue()),
      id_token: fc.oneof(fc.string(), fc.jsonValue()),
      expires_in: fc.jsonValue(),
    }, { requiredKeys: [] }).map((value) => JSON.stringify(value)),
  );
  const kinds = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.constantFrom(200, 200, 400, 401, 403, 429), fc.integer({ min: 200, max: 599 })),
      texts,
      fc.oneof(fc.constant(""), fc.string({ unit: "grapheme-ascii" }), fc.nat().map(String)),
      async (status, body, after) => {
        const result = await exchangeRefreshToken({
          issuer: "https://issuer.example",
          fetch: () => {
            const empty = [204, 205, 304].includes(status);
            return Promise.resolve(
              new Response(empty ? null : body, { status, headers: { "retry-after": after } }),
            );
          },
          clock: new VirtualClock(),
          credentials: { ...OLD, refreshToken: secret, accessToken: "access", idToken: "id" },
        });
        kinds.add(result.kind);
        match(result.kind, /^(renewed|permanent|transient|unknown)$/);
        if (result.kind === "renewed") {
          ok(Number.isFinite(new Date(result.credentials.expiresAt).getTime()));
        } else {
          ok(!JSON.stringify(result).includes("Secret7890"));
        }
      },
    ),
    { numRuns: 500 },
  );
  deepEqual([...kinds].sort(), ["permanent", "renewed", "transient", "unknown"]);
});
