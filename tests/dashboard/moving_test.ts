/** Import and export from the page. */
import assert from "node:assert/strict";
import { fixture } from "../cli/session.ts";
import { ORIGIN, PASSPHRASE, type Stage, type Visitor, withStage } from "./stage.ts";

/** Uploads a file as the page's form does. */
async function upload(
  stage: Stage,
  me: Visitor,
  text: string,
  passphrase = "",
): Promise<string> {
  const form = new FormData();
  form.set("csrf", me.csrf);
  form.set("file", new Blob([text]), "accounts.json");
  form.set("passphrase", passphrase);
  const response = await stage.request("/import", {
    method: "POST",
    headers: { cookie: me.cookie, origin: ORIGIN },
    body: form,
  });
  assert.equal(response.status, 303);
  return await (await me.get("/")).text();
}

const noticeOf = (html: string) =>
  /id="notice" class="(\w+)">([^<]*)/.exec(html)?.slice(1).join(": ") ?? "";
const planOf = (html: string) => /name="plan" value="([^"]+)"/.exec(html)?.[1] ?? "";

Deno.test("an upload shows what would change and changes nothing; confirming it does", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const html = await upload(stage, me, fixture("store/v1.json"));
    assert.match(noticeOf(html), /^done: \d of \d would be taken over/);
    assert.match(html, /<table/);
    assert.equal((await stage.store.load()).accounts.length, 3);
    const response = await me.script("/import/apply", { plan: planOf(html) });
    assert.match(await response.text(), /added/);
    assert.ok((await stage.store.load()).accounts.length > 3);
    const again = await me.script("/import/apply", { plan: planOf(html) });
    assert.match(await again.text(), /not waiting any more/);
  }));

Deno.test("an upload that is dropped changes nothing, and another session never sees it", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const other = await stage.visit();
    const html = await upload(stage, me, fixture("store/v1.json"));
    assert.equal(planOf(await (await other.get("/")).text()), "");
    assert.match(
      await (await other.script("/import/apply", { plan: planOf(html) })).text(),
      /not waiting/,
    );
    assert.equal((await me.script("/import/drop", { plan: planOf(html) })).status, 200);
    assert.equal(planOf(await (await me.get("/")).text()), "");
    assert.equal((await stage.store.load()).accounts.length, 3);
  }));

Deno.test("a sealed file is opened with its passphrase", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const sealed = fixture("store/v1-encrypted.json");
    assert.match(noticeOf(await upload(stage, me, sealed)), /^failed: The file is sealed/);
    assert.match(noticeOf(await upload(stage, me, sealed, "wrong")), /^failed: .*does not open/);
    assert.match(noticeOf(await upload(stage, me, sealed, PASSPHRASE)), /would be taken over/);
  }));

Deno.test("what is no file of accounts is refused, without a word of what is in it", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    for (
      const text of [
        "rt_secretsecret is not JSON",
        "{}",
        "[]",
        "null",
        '{"encrypted": true, "data": "x"}',
        '{"__proto__": []}',
      ]
    ) {
      const html = await upload(stage, me, text);
      assert.match(noticeOf(html), /^failed: /, text);
      assert.doesNotMatch(html, /rt_secret/);
    }
    assert.match(noticeOf(await upload(stage, me, "")), /No file was chosen/);
  }));

Deno.test("an export is a sealed file, and its passphrase must be given twice", () =>
  withStage(async (stage) => {
    const me = await stage.visit();
    const refused = async (passphrase: string, again: string) =>
      noticeOf(
        await (await me.post("/export", { passphrase, again })).text() +
          await (await me.get("/")).text(),
      );
    assert.match(await refused("one", "two"), /differ/);
    assert.match(await refused(" ", " "), /blank/);
    const response = await me.post("/export", {
      passphrase: "moving house",
      again: "moving house",
    });
    assert.equal(response.status, 200);
    assert.match(
      response.headers.get("content-disposition") ?? "",
      /^attachment; filename="accounts-2026-11-23\.sealed"$/,
    );
    assert.equal(response.headers.get("cache-control"), "no-store");
    const text = await response.text();
    assert.doesNotMatch(text, /access-|refresh-|personal/);
    // The same file, back on another stage.
    await withStage(async (other) => {
      const html = await upload(other, await other.visit(), text, "moving house");
      assert.match(noticeOf(html), /3 of 3 would be taken over/);
    }, { accounts: [] });
  }));
