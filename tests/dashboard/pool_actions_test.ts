/** Actions that concern more than one account, and what holds for every action. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import type { RefreshOutcome } from "../../src/oauth/refresh_transaction.ts";
import { Failure } from "../../src/platform/failure.ts";
import { PASSPHRASE, SEALED, withStage } from "./stage.ts";
import { say } from "./notice_said.ts";

Deno.test("limits of one, of all that can be asked, by a source, and stop", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    await stage.store.edit("id-spare", (one) => ({ ...one, enabled: false }));
    assert.match(await say(me, "/accounts/id-work/limits", { source: "exec" }), /^done: /);
    assert.match(await say(me, "/limits"), /of 2 accounts/);
    assert.match(await say(me, "/limits", { source: "guess" }), /^failed: .*no source/);
    assert.deepEqual(stage.limits.asked, [
      { ids: ["id-work"], source: "exec" },
      { ids: ["id-personal", "id-work"], source: "auto" },
    ]);
    assert.match(await (await me.get("/")).text(), /<progress|role="progressbar"/);
    assert.match(await say(me, "/limits/stop"), /^done: No more/);
    assert.match(await (await me.get("/")).text(), /stopped/);
  }));

Deno.test("tokens of all, one after the other; stop lets the one that runs end", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const first = Promise.withResolvers<void>();
    stage.refresher.outcome = async (one) => {
      await first.promise;
      return { kind: "fresh", account: one };
    };
    assert.match(await say(me, "/tokens"), /of 3 accounts/);
    await stage.clock.advance(0);
    assert.deepEqual(stage.refresher.asked, ["personal"]);
    assert.match(await say(me, "/tokens/stop"), /^done: /);
    first.resolve();
    await stage.clock.advance(10);
    assert.deepEqual(stage.refresher.asked, ["personal"]);
    stage.refresher.outcome = () => ({ kind: "failed", retryAt: 0 });
    assert.match(await say(me, "/accounts/id-work/token"), /^done: /);
    await stage.clock.advance(10);
    assert.deepEqual(stage.refresher.asked, ["personal", "work"]);
    assert.match(await (await me.get("/")).text(), /could not be asked/);
    const why = "There is no space left to write state.db.";
    for (
      const outcome of [{ kind: "failed", retryAt: 0, why }, { kind: "kept", account: {}, why }]
    ) {
      stage.refresher.outcome = () => outcome as RefreshOutcome;
      await say(me, "/accounts/id-work/token");
      await stage.clock.advance(10);
      assert.match(await (await me.get("/")).text(), /There is no space left to write state\.db/);
    }
  }));

Deno.test("settings: set, refuse, reset, and what the environment decides", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const file = () => JSON.parse(readFileSync(stage.paths.settings, "utf8"));
    assert.match(
      await say(me, "/settings", { name: "strategy", value: "drain" }),
      /strategy = drain/,
    );
    assert.equal(file().strategy, "drain");
    assert.match(
      await say(me, "/settings", { name: "strategy", value: "best" }),
      /^failed: .*must be one of/,
    );
    assert.match(
      await say(me, "/settings", { name: "__proto__", value: "x" }),
      /^failed: .*no setting/,
    );
    assert.match(await say(me, "/settings/reset", { name: "strategy" }), /strategy = round-robin/);
    assert.equal(file().strategy, undefined);
    assert.match(
      await say(me, "/settings", { name: "stall", value: "45s" }),
      /OPENCODE_MULTI_AUTH_STALL_MS/,
    );
  }, { env: { OPENCODE_MULTI_AUTH_STALL_MS: "9000" } }));

Deno.test("a locked store: the page says so and takes a passphrase, for this process only", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const before = readFileSync(stage.paths.accounts, "utf8");
    assert.match(await (await me.get("/")).text(), /locked/i);
    for (
      const path of ["/accounts/x/remove", "/limits", "/tokens", "/settings", "/export", "/logins"]
    ) {
      assert.equal((await me.script(path)).status, 422, path);
    }
    assert.match(await say(me, "/unlock", { passphrase: "wrong" }), /^failed: .*does not open/);
    assert.match(await say(me, "/unlock", { passphrase: " " }), /^failed: /);
    assert.equal(stage.device.synced, 0);
    assert.match(await say(me, "/unlock", { passphrase: PASSPHRASE }), /^done: .*open/);
    assert.equal(stage.device.synced, 1, "the Codex CLI's login has waited");
    assert.match(await (await me.get("/")).text(), /data-account="/);
    assert.match(await say(me, "/unlock", { passphrase: "again" }), /open already/);
    // Nothing of it is on the disk: another process is as locked as before.
    assert.equal(readFileSync(stage.paths.accounts, "utf8"), before);
    assert.equal((await (await stage.other()).load()).locked, true);
  }, { fixture: SEALED }));

Deno.test("what is changed in a store that was opened here stays sealed", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    await say(me, "/unlock", { passphrase: PASSPHRASE });
    const [first] = (await stage.store.load()).accounts;
    assert.match(
      await say(me, `/accounts/${first?.id}/describe`, { tags: "", notes: "kept" }),
      /^done: /,
    );
    const json = JSON.parse(readFileSync(stage.paths.accounts, "utf8"));
    assert.equal(json.encrypted, true);
    assert.equal((await (await stage.other()).load()).locked, true);
  }, { fixture: SEALED }));

Deno.test("after an action the page comes back with the same search, and never leads elsewhere", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const back = async (text: string) =>
      (await me.post("/unpin", { back: text })).headers.get("location");
    assert.equal(
      await back("?q=work&sort=alias&state=blocked"),
      "/?q=work&state=blocked&sort=alias",
    );
    assert.equal(await back(""), "/");
    for (
      const text of [
        "//evil.example",
        "https://evil.example",
        "?x=//evil.example",
        "\r\nset-cookie: a=b",
        "x".repeat(2_000),
      ]
    ) {
      assert.equal(await back(text), "/", text);
    }
  }));

Deno.test("a notice is said once, and to its own session only", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const other = await stage.visit();
    await me.post("/unpin");
    assert.doesNotMatch(await (await other.get("/")).text(), /Nothing is pinned/);
    assert.match(await (await me.get("/")).text(), /Nothing is pinned/);
    assert.doesNotMatch(await (await me.get("/")).text(), /Nothing is pinned/);
  }));

Deno.test("what breaks inside is logged, and its words are not shown", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    stage.device.sync = () => Promise.reject(new Error("sk-secret-words at /home/me"));
    assert.equal(await say(me, "/sync"), "failed: Something went wrong; the log says more.");
  }));

Deno.test("what an older project kept beside its accounts survives the first change that is made here", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const html = await (await me.get("/")).text();
    const older = await stage.store.olderSettings();
    assert.ok(older?.strategy !== undefined && older.strategy !== "round-robin");
    assert.match(html, new RegExp(`value="${older.strategy}" selected`));
    const [first] = (await stage.store.load()).accounts;
    assert.match(
      await say(me, `/accounts/${first?.id}/describe`, { tags: "a", notes: "" }),
      /^done: /,
    );
    assert.equal(JSON.parse(readFileSync(stage.paths.accounts, "utf8")).version, 3);
    assert.equal(JSON.parse(readFileSync(stage.paths.settings, "utf8")).strategy, older.strategy);
  }, { fixture: "v2.json" }));

Deno.test("no GET changes anything: the files are the same after every route", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const files = () => [stage.paths.accounts].map((path) => readFileSync(path, "utf8")).join();
    const state = async () => JSON.stringify(await stage.store.load());
    const before = [files(), await state()];
    const paths = stage.dashboard.app.routes.map(({ path }) => path.replace(/:\w+/, "id-work"));
    for (const path of new Set(paths)) {
      if (path === "/*" || path === "/events") continue;
      for (const method of ["GET", "HEAD"]) {
        const response = await stage.request(`${path}?alias=x&confirm=yes&csrf=${me.csrf}`, {
          method,
          headers: { cookie: me.cookie },
        });
        await response.body?.cancel();
        assert.ok(
          ["/", "/page.css", "/page.js", "/proof/id-work"].includes(path) || response.status >= 400,
          path,
        );
      }
    }
    assert.deepEqual([files(), await state()], before);
    assert.deepEqual([stage.limits.asked, stage.device.switched, stage.refresher.asked], [
      [],
      [],
      [],
    ]);
  }));

Deno.test("a queue that cannot go on is said, and the page stays", () =>
  withStage(async (stage) => {
    const visitor = await stage.visit();
    stage.limits.state = () => Promise.reject(new Failure("There is no space left.", "Free some."));
    const said = await visitor.script("/limits");
    assert.equal(said.status, 200);
    const page = await visitor.get("/");
    assert.equal(page.status, 200);
    const html = await page.text();
    assert.match(html, /There is no space left\. Free some\./);
    assert.match(html, /data-account="work"/);
    // And what else happens is shown.
    assert.equal((await visitor.script("/accounts/id-work/disable")).status, 200);
    assert.match(await (await visitor.get("/")).text(), /class="account disabled"/);
  }));

Deno.test("a state.db that cannot be opened is said once, and the accounts are shown", () =>
  withStage(async ({ paths, store, limits, visit }) => {
    for (const end of ["", "-wal", "-shm"]) rmSync(paths.state + end, { force: true });
    mkdirSync(paths.state);
    // As the queue itself does.
    limits.state = () => store.files.readState(() => limits.now, limits.now);
    const html = await (await (await visit()).get("/")).text();
    assert.equal(html.split("state.db cannot be").length - 1, 1);
    assert.match(html, /data-account="work"/);
  }));
