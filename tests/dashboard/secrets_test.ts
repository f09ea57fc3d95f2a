/** Nothing of a token, a passphrase, a code or a verifier is in any answer. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { startSimulator } from "../simulator/simulator.ts";
import { storePlan } from "../simulated_account.ts";
import { eventsIn, openStream } from "./page_stream.ts";
import { PASSPHRASE, type Stage, type Visitor, withStage } from "./stage.ts";

/** Letters that a part of a secret must have to count. */
const PART = 5;

/** Every answer that a page of ours, and one that is none, can get. */
async function everything(
  stage: Stage,
  me: Visitor,
  also: readonly string[] = [],
): Promise<string> {
  const texts: string[] = [];
  const before = eventsIn(await (await me.get("/")).text());
  const take = async (response: Response) => {
    texts.push([...response.headers].map((header) => header.join(": ")).join("\n"));
    texts.push(await response.text());
  };
  const [account] = (await stage.store.load()).accounts;
  const at = (path: string) => path.replace(":id", account?.id ?? "x").replace(/:\w+/, "x");
  for (const { method, path } of stage.dashboard.app.routes) {
    if (path === "/events" || path === "/sign-out" || path === "/export" || method === "ALL") {
      continue;
    }
    if (method === "GET") {
      await take(await me.get(at(path)));
      await take(await stage.request(at(path)));
    } else if (!/remove|rename|cancel/.test(path)) {
      await take(await me.script(at(path)));
      await take(
        await me.script(at(path), { alias: "x", way: "paste", name: "strategy", value: "best" }),
      );
    }
  }
  for (const path of also) await take(await me.get(path));
  const stream = await openStream(stage, me, before);
  // Of a locked store there is no news.
  texts.push(JSON.stringify(await stream.next().catch(() => "")));
  await stream.close();
  await take(await me.get("/"));
  return texts.join("\n");
}

/** The parts of a secret that are in a text: every run of {@linkcode PART} letters of it is looked for. */
function partsIn(text: string, secret: string): string[] {
  const found: string[] = [];
  for (let at = 0; at + PART <= secret.length; at++) {
    const part = secret.slice(at, at + PART);
    if (text.includes(part)) found.push(part);
  }
  return found;
}

/** Text that no page has by chance: letters which stand in nothing that we write. */
const secretText = fc.string({
  unit: fc.constantFrom(..."ÀÈÌÒÙÂÊÎÔÛÃÑÕÄËÏÖÜŸ"),
  minLength: 12,
  maxLength: 60,
});

Deno.test("never in any answer, page or error: any part of a token that is stored", async () => {
  await fc.assert(
    fc.asyncProperty(
      secretText,
      secretText,
      secretText,
      async (accessToken, refreshToken, idToken) => {
        await withStage(async (stage) => {
          const accounts = await stage.store.load();
          for (const { id, generation } of accounts.accounts) {
            await stage.store.swapCredentials(id, generation, {
              accessToken,
              refreshToken,
              idToken,
              expiresAt: stage.clock.now() + 60_000,
            });
          }
          const me = await stage.visit();
          const text = await everything(stage, me);
          for (const secret of [accessToken, refreshToken, idToken]) {
            assert.deepEqual(partsIn(text, secret), []);
          }
        });
      },
    ),
    { numRuns: 3 },
  );
});

Deno.test("never in any answer: tokens of the issuer, and the verifier and the code of a login", async () => {
  const simulator = await startSimulator({ keepAlive: false });
  const plan = simulator.addPlan({ name: "real", planType: "pro" });
  simulator.addPlan({ name: "second", planType: "pro" });
  const secrets: string[] = [];
  const watched: typeof fetch = async (input, init) => {
    // What leaves for the token endpoint: the code, the verifier, the refresh token.
    const body = typeof init?.body === "string" ? init.body : String(init?.body ?? "");
    for (const [name, value] of new URLSearchParams(body)) {
      if (["code", "code_verifier", "refresh_token"].includes(name)) secrets.push(value);
    }
    return await fetch(input, init);
  };
  try {
    await withStage(async (stage) => {
      const { credentials } = await storePlan(stage.store, plan);
      const me = await stage.visit();
      await me.script("/logins", { alias: "second", way: "paste" });
      const html = await (await me.get("/")).text();
      const address =
        /href="(http[^"]+\/oauth\/authorize[^"]+)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";
      simulator.approveNext("second");
      const redirect = await fetch(address, { redirect: "manual" });
      await redirect.body?.cancel();
      const end = redirect.headers.get("location") ?? "";
      const wrong = await me.script("/logins/paste", {
        address: end.replace(/state=[^&]+/, "state=wrong"),
      });
      const answers = [await wrong.text()];
      answers.push(await (await me.script("/logins/paste", { address: end })).text());
      const second = (await stage.store.load()).accounts.find(({ alias }) => alias === "second");
      assert.ok(second, answers.join());
      const text = answers.join() + await everything(stage, me);
      for (const { accessToken, refreshToken, idToken } of [credentials, second.credentials]) {
        secrets.push(accessToken, refreshToken, idToken ?? "");
      }
      assert.ok(secrets.length >= 8, `${secrets.length} secrets`);
      // A header of a JWT is in every token of the issuer and no secret; the rest is taken in longer
      // parts here, because five letters of base64 meet by chance in a page of this size.
      for (
        const secret of secrets.flatMap((secret) =>
          secret.split(".").slice(secret.startsWith("ey") ? 1 : 0)
        )
      ) {
        for (let at = 0; at + 12 <= secret.length; at += 4) {
          assert.ok(
            !text.includes(secret.slice(at, at + 12)),
            "a part of a secret is in an answer",
          );
        }
      }
    }, { issuer: simulator.issuerUrl, fetch: watched });
  } finally {
    await simulator.close();
  }
});

Deno.test("never in any answer: a passphrase, right or wrong, not even in an error", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const wrong = "ÀÈÌÒÙÂÊÎÔÛ wrong";
    const answers = [await (await me.script("/unlock", { passphrase: wrong })).text()];
    answers.push(await (await me.script("/unlock", { passphrase: PASSPHRASE })).text());
    answers.push(
      await (await me.script("/export", { passphrase: wrong, again: `${wrong}ÖÜ` })).text(),
    );
    const text = answers.join("\n") + await everything(stage, me);
    assert.deepEqual(partsIn(text, "ÀÈÌÒÙÂÊÎÔÛ"), []);
    assert.ok(!text.includes(PASSPHRASE));
  }, { fixture: "v1-encrypted.json" }));

Deno.test("never in a page: a token that somebody has written into the log", () =>
  withStage(async (stage) => {
    mkdirSync(dirname(stage.paths.log), { recursive: true });
    const secrets = [
      "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJxdWluY2UifQ.c2lnbmF0dXJl",
      "rt_quincemedlarquincemedlar",
      "sk-quincemedlarquince",
    ];
    for (const secret of secrets) {
      appendFileSync(stage.paths.log, `2026-11-23T18:00:00.000Z [error] got ${secret} back\n`);
    }
    const text = await everything(stage, await stage.visit());
    assert.match(text, /got \[jwt\] back/);
    assert.doesNotMatch(text, /quince|medlar|eyJ|c2lnb/);
  }));

Deno.test("D: HTML in alias, notes, tags and log lines: it is text, in pages, parts and notices", () =>
  withStage(async (stage) => {
    const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'&`;
    await stage.store.edit("id-work", (account) => ({
      ...account,
      // Older stores hold such aliases.
      alias: evil,
      email: evil,
      plan: evil,
      notes: `</textarea>${evil}`,
      tags: [evil],
      enabled: false,
      disabled: { at: 0, reason: evil },
    }));
    mkdirSync(dirname(stage.paths.log), { recursive: true });
    appendFileSync(stage.paths.log, `2026-11-23T18:00:00.000Z [error] ${evil}\n${evil}\n`);
    const me = await stage.visit();
    await me.post("/accounts/id-work/enable");
    const texts = [
      await (await me.get(`/?q=${encodeURIComponent(evil)}&tag=${encodeURIComponent(evil)}`))
        .text(),
      await everything(stage, me),
    ];
    for (const text of texts) {
      // What is left of it in HTML is escaped, in JSON it is escaped HTML or a JSON answer that no page shows as one.
      const html = text.split("\n").filter((line) => !line.startsWith('{"notice"')).join("\n");
      assert.doesNotMatch(
        html,
        /<script>alert|<img src=x|<\/textarea><\/?script|onerror=alert\(2\)>/,
      );
      assert.match(html, /&lt;script&gt;alert\(1\)|u003cscript/);
    }
  }));
