/** Pages that stay up to date by themselves. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { IDLE_MS } from "../../src/dashboard/session.ts";
import { writeSetting } from "../../src/platform/settings.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { testAccount } from "../memory_store.ts";
import { eventsIn, openStream } from "./page_stream.ts";
import { PASSPHRASE, SEALED, type Stage, withStage } from "./stage.ts";

Deno.test("a page that was just loaded is sent nothing until something changes", () =>
  withStage(async (stage) => {
    const stream = await openStream(stage, await stage.visit());
    assert.match(stream.response.headers.get("content-type") ?? "", /^text\/event-stream/);
    assert.equal(stream.response.headers.get("cache-control"), "no-store");
    await assert.rejects(stream.next(), /Nothing has come/);
    await stream.close();
  }));

Deno.test("two open pages agree within a second, and with the CLI and OpenCode too", () =>
  withStage(async (stage) => {
    const pages = await Promise.all([0, 1].map(async () => openStream(stage, await stage.visit())));
    const other = await stage.other();
    await stage.clock.advance(3_000);
    await other.edit("id-work", (account) => ({ ...account, notes: "by another process" }));
    const start = stage.clock.now();
    for (const page of pages) {
      const parts = (await page.next()).parts ?? {};
      assert.match(parts["account-id-work"] ?? "", /by another process/);
      // Only what changed.
      assert.equal(parts["account-id-personal"], undefined);
    }
    assert.ok(stage.clock.now() - start <= 1_000, `${stage.clock.now() - start} ms`);
    await Promise.all(pages.map((page) => page.close()));
  }));

Deno.test("counts, figures and blocks of OpenCode arrive", () =>
  withStage(async (stage) => {
    const page = await openStream(stage, await stage.visit());
    const other = await stage.other();
    const now = stage.clock.now();
    other.observe({
      accountId: "id-work",
      uses: 3,
      usedAt: now,
      windows: [{
        bucket: "codex",
        minutes: 300,
        usedPercent: 42,
        resetsAt: now + 3_600_000,
        observedAt: now,
      }],
    });
    await other.flush();
    assert.match((await page.next()).parts?.["account-id-work"] ?? "", /58/);
    await other.block({
      subject: accountSubject("id-work"),
      model: "",
      reason: "usage limit",
      until: now + 60_000,
      source: "body",
      since: now,
    });
    const blocked = (await page.next()).parts ?? {};
    assert.match(blocked["account-id-work"] ?? "", /usage limit/);
    assert.ok(blocked["summary"]);
    // And its end, which no process tells of.
    await stage.clock.advance(60_000);
    assert.doesNotMatch((await page.next()).parts?.["account-id-work"] ?? "", /usage limit/);
    await page.close();
  }));

Deno.test("the end of a model's block arrives as it comes, which no process tells of", () =>
  withStage(async (stage) => {
    const now = stage.clock.now();
    await (await stage.other()).block({
      subject: accountSubject("id-work"),
      model: "gpt-5.5-pro",
      reason: "usage limit",
      until: now + 60_000,
      source: "body",
      since: now,
    });
    const page = await openStream(stage, await stage.visit());
    await stage.clock.advance(60_000);
    const card = (await page.next()).parts?.["account-id-work"] ?? "";
    assert.match(card, /data-account="work"/);
    assert.doesNotMatch(card, /Not for gpt-5.5-pro/);
    await page.close();
  }));

Deno.test("an account added, removed or renamed elsewhere comes, goes and changes", () =>
  withStage(async (stage) => {
    const page = await openStream(stage, await stage.visit(), "/?sort=alias");
    const other = await stage.other();
    await other.add(testAccount("added"));
    const added = await page.next();
    assert.ok(added.parts?.["account-id-added"]);
    assert.deepEqual(
      added.order,
      ["added", "personal", "spare", "work"].map((alias) => `account-id-${alias}`),
    );
    await other.remove("id-personal");
    const removed = await page.next();
    assert.equal(removed.parts?.["account-id-personal"], undefined);
    assert.deepEqual(
      removed.order,
      ["added", "spare", "work"].map((alias) => `account-id-${alias}`),
    );
    await page.close();
  }));

Deno.test("what an action does is seen on the other page, also what a part shows of settings", () =>
  withStage(async (stage) => {
    const one = await stage.visit();
    const page = await openStream(stage, await stage.visit());
    assert.equal((await one.script("/settings", { name: "strategy", value: "drain" })).status, 200);
    assert.match((await page.next()).parts?.["settings"] ?? "", /value="drain" selected/);
    assert.equal((await one.script("/accounts/id-spare/pin", { for: "2h" })).status, 200);
    assert.ok((await page.next()).parts?.["account-id-spare"]);
    await page.close();
  }));

Deno.test("a setting changed at the command line arrives", () =>
  withStage(async (stage) => {
    const page = await openStream(stage, await stage.visit());
    await stage.clock.advance(1_000);
    writeSetting(stage.paths, "strategy", "least-used");
    assert.match((await page.next()).parts?.["settings"] ?? "", /value="least-used" selected/);
    await page.close();
  }));

Deno.test("progress of the queue arrives, and its end", () =>
  withStage(async (stage) => {
    const visitor = await stage.visit();
    const page = await openStream(stage, visitor);
    assert.equal((await visitor.script("/limits")).status, 200);
    assert.match((await page.next()).parts?.["queues"] ?? "", /progress/);
    stage.limits.now = { ...stage.limits.now, done: 1 };
    assert.ok((await page.next()).parts?.["queues"]);
    assert.equal((await visitor.script("/limits/stop")).status, 200);
    assert.match((await page.next()).parts?.["queues"] ?? "", /stopped/);
    await page.close();
  }));

Deno.test("each page gets its own session's token in its forms, and nobody else's", () =>
  withStage(async (stage) => {
    const visitors = [await stage.visit(), await stage.visit()] as const;
    const pages = [
      await openStream(stage, visitors[0]),
      await openStream(stage, visitors[1]),
    ] as const;
    await (await stage.other()).edit("id-work", (account) => ({ ...account, notes: "new" }));
    for (const [at, page] of pages.entries()) {
      const html = (await page.next()).parts?.["account-id-work"] ?? "";
      assert.ok(html.includes(visitors[at]?.csrf ?? "?"));
      assert.ok(!html.includes(visitors[1 - at]?.csrf ?? "?"));
      await page.close();
    }
  }));

Deno.test("a page whose stream was closed gets what it has missed, and no more", () =>
  withStage(async (stage) => {
    const visitor = await stage.visit();
    const page = await openStream(stage, visitor);
    const other = await stage.other();
    await other.edit("id-work", (account) => ({ ...account, notes: "first" }));
    const { id: since } = await page.next();
    await page.close();
    await other.edit("id-personal", (account) => ({ ...account, notes: "second" }));
    await other.remove("id-spare");
    const again = await openStream(stage, visitor, `/events?since=${since}`);
    const { parts, order } = await again.next();
    assert.ok(parts?.["account-id-personal"]);
    assert.equal(parts?.["account-id-work"], undefined);
    assert.equal(order?.length, 2);
    await again.close();
  }));

Deno.test("a page of another run of the program, or of long ago, is to be loaded anew", () =>
  withStage(async (stage) => {
    const visitor = await stage.visit();
    const old = eventsIn(await (await visitor.get("/")).text());
    for (let number = 0; number < 70; number++) {
      await visitor.script("/accounts/id-work/describe", { tags: "", notes: `${number}` });
    }
    const others = ["", "other-7-0", "x", "%00-1-1", `${"9".repeat(400)}-1-1`];
    for (const address of [old, ...others.map((since) => `/events?since=${since}`)]) {
      const page = await openStream(stage, visitor, address);
      assert.equal((await page.next()).event, "reload", address);
      await page.close();
    }
  }));

Deno.test("an update of one account among many sends that account and what is said of all", () => {
  const accounts = Array.from({ length: 120 }, (_, number) => testAccount(`a-${number}`));
  return withStage(async (stage) => {
    const visitor = await stage.visit();
    const page = await openStream(stage, visitor, "/?sort=alias");
    await visitor.script("/accounts/id-a-7/describe", { tags: "", notes: "new" });
    const edited = await page.next();
    assert.deepEqual(Object.keys(edited.parts ?? {}), ["account-id-a-7"]);
    assert.ok(edited.size < 8_000, `${edited.size} bytes`);
    // One that the page does not show.
    await visitor.script("/accounts/id-a-77/disable", {});
    const disabled = await page.next();
    assert.deepEqual(Object.keys(disabled.parts ?? {}), ["summary"]);
    // One that goes to another page of the list takes along what still shows it.
    await visitor.script("/accounts/id-a-7/rename", { alias: "z" });
    const renamed = await page.next();
    assert.ok(renamed.parts?.["account-id-a-7"] && renamed.parts["account-id-a-50"]);
    assert.equal(renamed.order?.length, 50);
    assert.ok(!renamed.order?.includes("account-id-a-7"));
    await page.close();
  }, { accounts });
});

Deno.test("the stream keeps to the page's search, filter and sort", () =>
  withStage(async (stage) => {
    const page = await openStream(stage, await stage.visit(), "/?q=WORK");
    await (await stage.other()).edit("id-spare", (account) => ({ ...account, tags: ["work"] }));
    const { parts, order } = await page.next();
    assert.deepEqual(order, ["account-id-work", "account-id-spare"]);
    assert.ok(parts?.["account-id-spare"], "a card that was not on the page");
    assert.match(parts["tag-choice"] ?? "", /value="work"/);
    // And what the page does not show is not sent.
    await (await stage.other()).edit("id-personal", (account) => ({ ...account, notes: "new" }));
    await assert.rejects(page.next());
    await page.close();
  }));

Deno.test("new lines of the log are appended, each with its level, and HTML in them is text", () =>
  withStage(async (stage) => {
    mkdirSync(dirname(stage.paths.log), { recursive: true });
    appendFileSync(stage.paths.log, "2026-11-23T18:00:00.000Z [warn] before\n");
    const page = await openStream(stage, await stage.visit());
    appendFileSync(
      stage.paths.log,
      "2026-11-23T18:00:01.000Z [info] small <b>\n2026-11-23T18:00:02.000Z [error] large <script>\n",
    );
    const { log: html = "" } = await page.next();
    assert.match(html, /large &lt;script&gt;/);
    assert.match(html, /class="info"[^]*small[^]*class="error"/);
    assert.doesNotMatch(html, /before|<script|<b>\n/);
    await page.close();
  }));

Deno.test("a store that is locked or opened while a page is open asks it to load anew", () =>
  withStage(async (stage) => {
    const visitor = await stage.visit();
    const page = await openStream(stage, visitor);
    assert.match(await (await visitor.get("/")).text(), /locked/i);
    assert.equal((await visitor.script("/unlock", { passphrase: PASSPHRASE })).status, 200);
    assert.equal((await page.next()).event, "reload");
    await page.close();
  }, { fixture: SEALED }));

Deno.test("a session that ends, by sign-out or by idleness, ends its streams with a goodbye", () =>
  withStage(async (stage) => {
    const visitor = await stage.visit();
    const page = await openStream(stage, visitor);
    await visitor.post("/sign-out");
    assert.equal((await page.next()).event, "bye");
  }));

Deno.test("a page that is open keeps its session", () =>
  withStage(async (stage) => {
    const visitor = await stage.visit();
    const page = await openStream(stage, visitor);
    for (let day = 0; day < 2; day++) {
      stage.clock.jump(stage.clock.now() + IDLE_MS - 60_000);
      // Two of the stream's signs of life.
      await stage.clock.advance(50_000);
    }
    assert.equal((await visitor.get("/")).status, 200);
    await page.close();
  }));

Deno.test("the end of the program is said to every page", () =>
  withStage(async (stage: Stage) => {
    const page = await openStream(stage, await stage.visit());
    await stage.dashboard.close();
    assert.equal((await page.next()).event, "bye");
  }));

Deno.test("too many streams are turned away, and a closed one makes room", () =>
  withStage(async (stage) => {
    const visitor = await stage.visit();
    const pages = await Promise.all(Array.from({ length: 64 }, () => openStream(stage, visitor)));
    const refused = await visitor.get("/events");
    assert.equal(refused.status, 503);
    await refused.body?.cancel();
    await pages.pop()?.close();
    await stage.clock.advance(1_000);
    const again = await openStream(stage, visitor);
    assert.equal(again.response.status, 200);
    await Promise.all([...pages, again].map((page) => page.close()));
  }));
