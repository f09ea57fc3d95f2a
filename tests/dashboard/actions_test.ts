/** What the page can do with one account. */
import assert from "node:assert/strict";
import type { Account } from "../../src/account/account.ts";
import { type Stage, withStage } from "./stage.ts";
import { say } from "./notice_said.ts";

const account = async (stage: Stage, alias: string): Promise<Account> => {
  const { accounts } = await stage.store.load();
  const found = accounts.find((one) => one.alias === alias);
  assert.ok(found, `no ${alias} among ${accounts.map((one) => one.alias)}`);
  return found;
};

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
