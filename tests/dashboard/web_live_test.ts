/** The command `web` with everything behind it: the pool, the queue of limits, the Codex CLI's file. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { type Session, withSession } from "../cli/session.ts";
import { authJson, person } from "../codex_cli/device_folder.ts";
import { storePlan } from "../simulated_account.ts";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";

interface Page {
  /** The page as it is now. */
  html(): Promise<string>;
  /** Looks at it until it says something. */
  until(pattern: RegExp): Promise<string>;
  post(path: string, fields?: Record<string, string>): Promise<string>;
}

/** Two accounts on a simulated backend, and a browser that has opened the dashboard. */
async function withPage(
  test: (page: Page, simulator: Simulator, session: Session) => Promise<void>,
  /** What has happened on the machine before the dashboard starts. */
  before: (session: Session, env: Record<string, string>) => Promise<void> | void = () => {},
): Promise<void> {
  const simulator = await startSimulator({ keepAlive: false });
  await withSession(async (session) => {
    const env = {
      HOME: session.home,
      OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
      OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
      OPENCODE_MULTI_AUTH_REFRESH_GAP_MS: "0",
      OPENCODE_MULTI_AUTH_LIMITS_GAP_MS: "0",
    };
    const store = await openLocalStore({ paths: resolvePaths(env), env });
    for (const [name, usedPercent] of [["personal", 37], ["work", 64]] as const) {
      const plan = simulator.addPlan({ name, windows: [{ minutes: 300, usedPercent }] });
      await storePlan(store, plan);
    }
    await store.close();
    await before(session, env);
    const end = new AbortController();
    const said = Promise.withResolvers<string>();
    let out = "";
    const running = session.runWith(
      {
        env,
        clock: systemClock,
        fetch,
        signal: end.signal,
        write: (text) => {
          out += text;
          if (out.includes("Listening")) said.resolve(/http:\S+/.exec(out)?.[0] ?? "");
        },
      },
      "web",
      "--port",
      "0",
    );
    const link = await said.promise;
    const opened = await fetch(link, { redirect: "manual" });
    await opened.body?.cancel();
    const cookie = (opened.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const origin = new URL(link).origin;
    const html = async () => await (await fetch(`${origin}/`, { headers: { cookie } })).text();
    const csrf = /name="csrf" value="([^"]+)"/.exec(await html())?.[1] ?? "";
    const page: Page = {
      html,
      async until(pattern) {
        let text = "";
        for (const start = Date.now(); Date.now() - start < 15_000;) {
          text = await html();
          if (pattern.test(text)) return text;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        throw new Error(`The page never says ${pattern}: ${text.slice(0, 4_000)}`);
      },
      async post(path, fields = {}) {
        const response = await fetch(`${origin}${path}`, {
          method: "POST",
          headers: { cookie, "x-csrf-token": csrf },
          body: new URLSearchParams(fields),
        });
        return await response.text();
      },
    };
    try {
      await test(page, simulator, session);
    } finally {
      end.abort();
      const { code, err } = await running;
      assert.deepEqual([code, err], [0, ""]);
      await simulator.close();
    }
  });
}

const idOf = (html: string, alias: string) =>
  new RegExp(`id="account-([^"]+)"[^>]*data-account="${alias}"`).exec(html)?.[1] ?? "";

Deno.test("limits of all are asked for, one after the other, and stand in the page", () =>
  withPage(async (page) => {
    assert.match(await page.post("/limits"), /2 accounts/);
    const html = await page.until(/63\s*%[^]*36\s*%|36\s*%[^]*63\s*%/);
    assert.match(html, /data-account="work"/);
  }));

Deno.test("tokens are renewed at the issuer, and the new ones kept", () =>
  withPage(async (page, simulator, session) => {
    const before = readFileSync(join(session.folder, "accounts.json"), "utf8");
    const id = idOf(await page.html(), "work");
    assert.match(await page.post(`/accounts/${id}/token`), /being renewed/);
    await simulator.waitForTokenCall(() => true);
    for (const start = Date.now(); Date.now() - start < 10_000;) {
      if (readFileSync(join(session.folder, "accounts.json"), "utf8") !== before) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("The new tokens were not kept.");
  }));

Deno.test("the Codex CLI of this machine is given an account, and the page says so", () =>
  withPage(async (page, _simulator, session) => {
    const id = idOf(await page.html(), "work");
    mkdirSync(join(session.home, ".codex"), { recursive: true });
    assert.match(await page.post(`/accounts/${id}/device`), /uses \\"work\\" now/);
    assert.ok(existsSync(join(session.home, ".codex", "auth.json")));
    await page.until(/On device/);
  }));

Deno.test("the Codex CLI is not given an account that needs a login, and the page says what to do", () =>
  withPage(
    async (page, _simulator, session) => {
      const id = idOf(await page.html(), "work");
      const said = await page.post(`/accounts/${id}/device`);
      assert.match(
        said,
        /cannot be used: needs login\. Sign in again: opencode-multi-auth add work/,
      );
      assert.ok(!existsSync(join(session.home, ".codex", "auth.json")));
    },
    async (_session, env) => {
      const store = await openLocalStore({ paths: resolvePaths(env), env });
      const work = (await store.load()).accounts.find(({ alias }) => alias === "work");
      const setAside = { at: 1, reason: "needs login" as const };
      await store.edit(work?.id ?? "", (now) => ({ ...now, setAside }));
      await store.close();
    },
  ));

Deno.test("a renamed or removed account leaves no token in a sandbox of the Codex CLI", () =>
  withPage(async (page, _simulator, session) => {
    const login = (alias: string) => join(session.home, ".codex-multi", alias, "auth.json");
    const asked = (alias: string) => {
      mkdirSync(join(login(alias), ".."), { recursive: true });
      writeFileSync(
        login(alias),
        JSON.stringify({ tokens: { access_token: "x", refresh_token: "" } }),
      );
    };
    for (const alias of ["personal", "work", "job"]) asked(alias);
    const id = idOf(await page.html(), "work");
    assert.match(await page.post(`/accounts/${id}/rename`, { alias: "job" }), /job.* now/);
    assert.ok(!existsSync(login("work")));
    assert.match(await page.post(`/accounts/${id}/remove`, { confirm: "yes" }), /were removed/);
    assert.ok(!existsSync(login("job")) && existsSync(login("personal")));
  }));

/** Signs the Codex CLI of a machine in. */
function codexLogin({ home }: Session, name: string, round = 1): void {
  mkdirSync(join(home, ".codex"), { recursive: true });
  writeFileSync(
    join(home, ".codex", "auth.json"),
    JSON.stringify(authJson(person(name), round)),
    { mode: 0o600 },
  );
}

Deno.test("web takes over the login that the Codex CLI has when it starts, and each new one", () =>
  withPage(
    async (page, _simulator, session) => {
      await page.until(/data-account="anna"[^]*On device|On device[^]*data-account="anna"/);
      codexLogin(session, "bert");
      const html = await page.until(/data-account="bert"/);
      for (const alias of ["personal", "work", "anna"]) assert.notEqual(idOf(html, alias), "");
    },
    (session) => codexLogin(session, "anna"),
  ));

Deno.test("web leaves a login alone whose account was removed, and still sees the next one", () =>
  withPage(
    async (page, _simulator, session) => {
      codexLogin(session, "bert");
      assert.equal(idOf(await page.until(/data-account="bert"/), "anna"), "");
      codexLogin(session, "anna", 2);
      const html = await page.until(/anna@example\.com[^<]*not stored here: it was removed here/);
      assert.equal(idOf(html, "anna"), "");
    },
    async (session, env) => {
      codexLogin(session, "anna");
      for (const argv of [["sync"], ["remove", "anna"]]) {
        const { code, err } = await session.runWith({ env, clock: systemClock }, ...argv);
        assert.equal(code, 0, err);
      }
    },
  ));
