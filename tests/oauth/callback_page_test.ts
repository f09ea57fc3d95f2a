import { doesNotMatch, match, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { get, good, STATE, waitForCode } from "./callback_scene.ts";

Deno.test("the page keeps nothing, hands nothing on, and has no code in it", async () => {
  const server = await waitForCode({ ports: [0] });
  const { headers, text } = await get(server.port, good("ac_secret_code"));
  equal(headers.get("referrer-policy"), "no-referrer");
  equal(headers.get("cache-control"), "no-store");
  equal(headers.get("x-content-type-options"), "nosniff");
  match(headers.get("content-security-policy") ?? "", /^default-src 'none'; style-src 'sha256-/);
  doesNotMatch(headers.get("content-security-policy") ?? "", /unsafe/);
  doesNotMatch(text, /ac_secret_code|8f14e45f|https?:|<script|src=|href=/);
  const style = /<style>(.*)<\/style>/s.exec(text)?.[1] ?? "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(digest)));
  ok(headers.get("content-security-policy")?.includes(`'sha256-${base64}'`));
});

Deno.test("a wrong or missing state gets a 400 page and the login goes on", async () => {
  const server = await waitForCode({ ports: [0] });
  const forged = [
    "/auth/callback",
    "/auth/callback?code=forged",
    "/auth/callback?code=forged&state=",
    "/auth/callback?code=forged&state=0000",
    `/auth/callback?code=forged&state=${STATE}0`,
    `/auth/callback?code=forged&state=${STATE}&state=${STATE}`,
    "/auth/callback?error=access_denied&state=0000",
    "/auth/callback?error=access_denied",
    `/auth/callback?state=${STATE}`,
  ];
  for (const path of forged) {
    const page = await get(server.port, path);
    equal(page.status, 400, path);
    doesNotMatch(page.text, /forged/);
  }
  await get(server.port, good("ac_real"));
  equal(await server.result, "ac_real");
});

Deno.test("other paths get 404, other methods 405, and the login goes on", async () => {
  const server = await waitForCode({ ports: [0] });
  const others = [
    "/",
    "/favicon.ico",
    `/auth/callback/?code=a&state=${STATE}`,
    `/auth/callbackx?code=a&state=${STATE}`,
    `/AUTH/CALLBACK?code=a&state=${STATE}`,
    `//auth/callback?code=a&state=${STATE}`,
  ];
  for (const path of others) equal((await get(server.port, path)).status, 404, path);
  for (const method of ["POST", "HEAD", "OPTIONS"]) {
    equal((await get(server.port, good("wrong"), { method })).status, 405, method);
  }
  await get(server.port, good("ac_real"));
  equal(await server.result, "ac_real");
});

Deno.test("a page that is loaded twice sends the code once", async () => {
  let exchanges = 0;
  const slow = Promise.withResolvers<void>();
  const server = await waitForCode({
    ports: [0],
    complete: async (code) => {
      exchanges++;
      await slow.promise;
      return code;
    },
  });
  const pages = [get(server.port, good()), get(server.port, good("ac_2"))];
  // Gives both the time of a whole answer to arrive; one that comes later still meets a closed port.
  await get(server.port, "/");
  slow.resolve();
  const arrived = (await Promise.allSettled(pages)).filter((page) => page.status === "fulfilled");
  ok(arrived.length > 0);
  for (const page of arrived) equal(page.value.status, 200);
  match(await server.result, /^ac_[12]$/);
  equal(exchanges, 1);
});

Deno.test("an unexpected error reaches the caller but not the page", async () => {
  const server = await waitForCode({
    ports: [0],
    complete: () => Promise.reject(new Error("inner secret")),
  });
  const page = await get(server.port, good());
  equal(page.status, 500);
  doesNotMatch(page.text, /inner secret/);
  await rejects(server.result, /inner secret/);
});
