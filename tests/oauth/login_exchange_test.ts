import { strictEqual as equal } from "node:assert/strict";
import { startPastedLogin } from "../../src/oauth/login.ts";
import answers from "../fixtures/oauth/token-responses.json" with { type: "json" };
import { VirtualClock } from "../virtual_clock.ts";
import { failsWith } from "./fails_with.ts";

/** The exchange against one scripted answer of the token endpoint, with an email or without. */
async function exchangeWith(token: () => Response, userinfo?: () => Promise<Response>) {
  const login = await startPastedLogin({
    issuer: "https://issuer.example",
    fetch: async (url) =>
      String(url).endsWith("/oauth/token")
        ? token()
        : await (userinfo?.() ?? Promise.reject(new TypeError("fetch failed"))),
    clock: new VirtualClock(),
  });
  const state = new URL(login.url).searchParams.get("state");
  return await login.finish(`ac_1#${state}`);
}

Deno.test("an answer without a refresh token or an access token is a failure", async () => {
  const { access_token, refresh_token, id_token } = answers.exchange;
  const bodies = [
    answers.exchange_without_refresh_token,
    { refresh_token, id_token, token_type: "bearer" },
    { access_token, refresh_token: "", token_type: "bearer" },
    { access_token, refresh_token: 7, token_type: "bearer" },
    { access_token, refresh_token, token_type: "mac" },
    {},
  ];
  for (const body of bodies) {
    await failsWith(exchangeWith(() => Response.json(body)), /without a refresh token or/);
  }
});

Deno.test("an answer that is no answer is a failure that repeats nothing of it", async () => {
  const page = "<html>rt_secret just a moment</html>";
  await failsWith(exchangeWith(() => new Response(page)), /\(status 200\)/);
  await failsWith(exchangeWith(() => new Response(page, { status: 403 })), /\(status 403\)/);
  await failsWith(
    exchangeWith(() => Response.json({ error: { code: "oops" } }, { status: 500 })),
    /right now \(status 500, oops\)\. Try again in a minute\.$/,
  );
  await failsWith(
    exchangeWith(() => new Response(null, { status: 302, headers: { location: "/login" } })),
    /\(status 302\)/,
  );
});

Deno.test("the email of userinfo wins over the claim, and its failure costs nothing", async () => {
  const good = () => Response.json(answers.exchange);
  const emailWith = async (userinfo?: () => Promise<Response>) =>
    (await exchangeWith(good, userinfo)).email;
  const info = (body: unknown, status = 200) => () =>
    Promise.resolve(Response.json(body, { status }));
  equal(await emailWith(info({ email: "new@example.org" })), "new@example.org");
  equal(await emailWith(), "you@personal.example");
  equal(await emailWith(info({ email: "new@example.org" }, 401)), "you@personal.example");
  for (const email of [7, "", "nobody", "a@b\u001b[31m", "a @b", `${"a".repeat(300)}@b`]) {
    equal(await emailWith(info({ email })), "you@personal.example", String(email));
  }
});

Deno.test("userinfo that hangs is given up after 5 s", async () => {
  const clock = new VirtualClock();
  const asked = Promise.withResolvers<void>();
  const login = await startPastedLogin({
    issuer: "https://issuer.example",
    fetch: (url) => {
      if (String(url).endsWith("/oauth/token")) {
        return Promise.resolve(Response.json(answers.exchange));
      }
      asked.resolve();
      return new Promise(() => {});
    },
    clock,
  });
  const result = login.finish(`ac_1#${new URL(login.url).searchParams.get("state")}`);
  await asked.promise;
  await clock.advance(5_000);
  equal((await result).email, "you@personal.example");
});

Deno.test("an expired id token or a foreign one does not stop a login", async () => {
  const id_token = `e30.${btoa('{"exp":1,"aud":"somebody","iss":"http://elsewhere"}')}.`;
  const tokens = await exchangeWith(() => Response.json({ ...answers.exchange, id_token }));
  equal(tokens.credentials.idToken, id_token);
});
