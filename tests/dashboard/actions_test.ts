/** Every action of the page: by a form without script, and by the script. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Account } from "../../src/account/account.ts";
import type { RefreshOutcome } from "../../src/oauth/refresh_transaction.ts";
import { PASSPHRASE, SEALED, type Stage, type Visitor, withStage } from "./stage.ts";

const account = async (stage: Stage, alias: string): Promise<Account> => {
  const { accounts } = await stage.store.load();
  const found = accounts.find((one) => one.alias === alias);
  assert.ok(found, `no ${alias} among ${accounts.map((one) => one.alias)}`);
  return found;
};

/** Submits a form and gives what the next page says. */
async function say(
  visitor: Visitor,
  path: string,
  fields: Record<string, string> = {},
): Promise<string> {
  const response = await visitor.post(path, fields);
  assert.equal(response.status, 303, await response.text());
  const html = await (await visitor.get(response.headers.get("location") ?? "")).text();
  const [, kind, text] = /id="notice" class="(\w+)">([^<]*)/.exec(html) ?? [];
  return `${kind}: ${(text ?? "").replaceAll("&quot;", '"').replaceAll("&#39;", "'")}`;
}

Deno.test("rename: the account keeps all that is known about it", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    stage.store.observe({ accountId: "id-work", uses: 7 });
    await stage.store.flush();
    assert.equal(
      await say(me, "/accounts/id-work/rename", { alias: "job" }),
      'done: "work" is "job" now.',
    );
    assert.equal((await account(stage, "job")).id, "id-work");
    assert.equal((await stage.store.load()).figures.get("id-work")?.uses, 7);
    assert.match(
      await say(me, "/accounts/id-work/rename", { alias: "personal" }),
      /^failed: .*personal/,
    );
    assert.match(
      await say(me, "/accounts/id-work/rename", { alias: "../etc" }),
      /^failed: .*cannot be an alias/,
    );
    assert.match(await say(me, "/accounts/id-work/rename", { alias: "" }), /^failed: /);
    assert.equal((await account(stage, "job")).id, "id-work");
  }));

Deno.test("tags and notes: as typed, tags once each", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const fields = {
      tags: " eu, team ,,eu, <b>",
      notes: "one\r\ntwo & <script>alert(1)</script> ",
    };
    assert.match(await say(me, "/accounts/id-work/describe", fields), /^done: /);
    const { tags, notes } = await account(stage, "work");
    assert.deepEqual(tags, ["eu", "team", "<b>"]);
    assert.equal(notes, "one\ntwo & <script>alert(1)</script>");
    const html = await (await me.get("/")).text();
    assert.doesNotMatch(html, /<script>alert|<b>\W*<\/b>/);
    assert.match(html, /&lt;script&gt;alert/);
  }));

Deno.test("disable with a reason, enable again", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    assert.match(await say(me, "/accounts/id-work/disable", { reason: "on holiday" }), /^done: /);
    assert.deepEqual((await account(stage, "work")).disabled?.reason, "on holiday");
    assert.match(await (await me.get("/")).text(), /on holiday/);
    assert.equal(await say(me, "/accounts/id-work/enable"), 'done: "work" is enabled.');
    assert.equal((await account(stage, "work")).disabled, undefined);
    assert.match(await say(me, "/accounts/id-work/enable"), /was enabled already/);
  }));

Deno.test("pin for a while, for good, and unpin", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    assert.match(await say(me, "/accounts/id-work/pin", { for: "2h" }), /for 2h/);
    assert.deepEqual((await stage.store.load()).pin, {
      accountId: "id-work",
      until: stage.clock.now() + 7_200_000,
    });
    assert.match(await say(me, "/accounts/id-spare/pin", { for: "" }), /until you unpin/);
    assert.equal((await stage.store.load()).pin?.until, null);
    assert.match(
      await say(me, "/accounts/id-spare/pin", { for: "soon" }),
      /^failed: .*no.*span|span/,
    );
    assert.match(await say(me, "/unpin"), /^done: /);
    assert.equal((await stage.store.load()).pin, null);
    await stage.store.edit("id-work", (one) => ({ ...one, enabled: false }));
    assert.match(
      await say(me, "/accounts/id-work/pin", { for: "2h" }),
      /^failed: .*cannot serve: disabled/,
    );
  }));

Deno.test("restore lifts what set an account aside and what blocks it", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const now = stage.clock.now();
    await stage.store.edit(
      "id-work",
      (one) => ({ ...one, setAside: { at: now, reason: "needs login" } }),
    );
    await stage.store.block({
      subject: "account:id-work",
      model: "",
      reason: "usage limit",
      until: now + 60_000,
      source: "body",
      since: now,
    });
    assert.match(await say(me, "/accounts/id-work/restore"), /was: needs login, usage limit/);
    const { blocks } = await stage.store.load();
    assert.deepEqual(blocks, []);
    assert.equal((await account(stage, "work")).setAside, undefined);
  }));

Deno.test("remove only when it is confirmed", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    assert.match(await say(me, "/accounts/id-work/remove"), /^failed: .*confirmed/);
    await account(stage, "work");
    assert.match(await say(me, "/accounts/id-work/remove", { confirm: "yes" }), /^done: /);
    assert.equal((await stage.store.load()).accounts.length, 2);
    assert.match(
      await say(me, "/accounts/id-work/remove", { confirm: "yes" }),
      /^failed: .*not there any more/,
    );
  }));

Deno.test("use on device, and what is said when a Codex runs", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    assert.match(await say(me, "/accounts/id-work/device"), /uses "work" now\.$/);
    assert.deepEqual(stage.device.switched, ["work"]);
    assert.match(await (await me.get("/")).text(), /On device/);
    stage.device.codexRuns = true;
    assert.match(await say(me, "/accounts/id-spare/device"), /restart/);
    assert.match(await say(me, "/sync"), /nothing new in auth\.json/);
  }));

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
