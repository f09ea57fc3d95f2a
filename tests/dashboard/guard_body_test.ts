/** What a request may bring: bodies and paths. */
import assert from "node:assert/strict";
import { MAX_FORM_BYTES, MAX_UPLOAD_BYTES } from "../../src/dashboard/guard.ts";
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
      stage.request(DISABLE, {
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
    assert.equal(await writes(stage, send), false);
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
      const response = await stage.request(DISABLE, {
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
    await refused(await me.post(DISABLE, { [name]: "1" }), 400);
  });
}

Deno.test("a field that is given twice is refused: two readers could read two things", async () => {
  const response = await stage.request(DISABLE, {
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

Deno.test("notes of full length are taken in any script, and an end of a line counts once", async () => {
  for (const notes of ["字".repeat(10_000), "x\r\n".repeat(5_000)]) {
    const { status } = await me.post("/accounts/id-work/describe", { tags: "", notes });
    assert.equal(status, 303);
  }
  await refused(
    await me.post("/accounts/id-work/describe", { tags: "", notes: "x".repeat(10_001) }),
    400,
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
  const response = await stage.request(DISABLE, {
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
    const response = await me.script(`/accounts/${id}/DISABLE`);
    assert.ok([404, 422].includes(response.status), `${id}: ${response.status}`);
    await response.body?.cancel();
  }
});
