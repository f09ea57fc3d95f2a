/** Pages that stay up to date by themselves. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { IDLE_MS } from "../../src/dashboard/session.ts";
import { writeSetting } from "../../src/platform/settings.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { testAccount } from "../memory_store.ts";
import {
  openStream,
  PASSPHRASE,
  SEALED,
  type Stage,
  type StreamEvent,
  withStage,
} from "./stage.ts";

/** The HTML by id of a batch. */
function partsOf(batch: readonly StreamEvent[]): Record<string, string> {
  return Object.assign(
    {},
    ...batch.filter(({ event }) => event === "parts").map(({ data }) => data),
  );
}

function dataOf(batch: readonly StreamEvent[], name: string): unknown {
  return batch.find(({ event }) => event === name)?.data;
}

Deno.test("a page that was just loaded is sent its order and nothing else", () =>
  withStage(async (stage) => {
    const stream = await openStream(stage, await stage.visit());
    assert.match(stream.response.headers.get("content-type") ?? "", /^text\/event-stream/);
    assert.equal(stream.response.headers.get("cache-control"), "no-store");
    const batch = await stream.batch().catch((error: Error) => error);
    // Nothing has changed since the page was made, so there is no new position to tell.
    assert.ok(batch instanceof Error);
    assert.match(batch.message, /only: \[\{"event":"order","data":\["account-id-/);
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
      const parts = partsOf(await page.batch());
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
    assert.match(partsOf(await page.batch())["account-id-work"] ?? "", /58/);
    await other.block({
      subject: accountSubject("id-work"),
      model: "",
      reason: "usage limit",
      until: now + 60_000,
      source: "body",
      since: now,
    });
    const blocked = partsOf(await page.batch());
    assert.match(blocked["account-id-work"] ?? "", /usage limit/);
    assert.ok(blocked["summary"]);
    // And its end, which no process tells of.
    await stage.clock.advance(60_000);
    assert.doesNotMatch(partsOf(await page.batch())["account-id-work"] ?? "", /usage limit/);
    await page.close();
  }));

Deno.test("an account added, removed or renamed elsewhere comes, goes and changes", () =>
  withStage(async (stage) => {
    const page = await openStream(stage, await stage.visit(), "/events?sort=alias");
    await page.batch();
    const other = await stage.other();
    await other.add(testAccount("added"));
    const added = await page.batch();
    assert.ok(partsOf(added)["account-id-added"]);
    assert.deepEqual(
      dataOf(added, "order"),
      ["added", "personal", "spare", "work"].map((alias) => `account-id-${alias}`),
    );
    await other.remove("id-personal");
    const removed = await page.batch();
    assert.deepEqual(dataOf(removed, "gone"), ["account-id-personal"]);
    assert.deepEqual(
      dataOf(removed, "order"),
      ["added", "spare", "work"].map((alias) => `account-id-${alias}`),
    );
    await page.close();
  }));

Deno.test("what an action does is seen on the other page, also what a part shows of settings", () =>
  withStage(async (stage) => {
    const one = await stage.visit();
    const page = await openStream(stage, await stage.visit());
    assert.equal((await one.script("/settings", { name: "strategy", value: "drain" })).status, 200);
    assert.match(partsOf(await page.batch())["settings"] ?? "", /value="drain" selected/);
    assert.equal((await one.script("/accounts/id-spare/pin", { for: "2h" })).status, 200);
    assert.ok(partsOf(await page.batch())["account-id-spare"]);
    await page.close();
  }));

Deno.test("a setting changed at the command line arrives", () =>
  withStage(async (stage) => {
    const page = await openStream(stage, await stage.visit());
    await stage.clock.advance(1_000);
    writeSetting(stage.paths, "strategy", "least-used");
    assert.match(partsOf(await page.batch())["settings"] ?? "", /value="least-used" selected/);
    await page.close();
  }));

Deno.test("progress of the queue arrives, and its end", () =>
  withStage(async (stage) => {
    const visitor = await stage.visit();
    const page = await openStream(stage, visitor);
    assert.equal((await visitor.script("/limits")).status, 200);
    assert.match(partsOf(await page.batch())["queues"] ?? "", /progress/);
    stage.limits.now = { ...stage.limits.now, done: 1 };
    assert.ok(partsOf(await page.batch())["queues"]);
    assert.equal((await visitor.script("/limits/stop")).status, 200);
    assert.match(partsOf(await page.batch())["queues"] ?? "", /stopped/);
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
      const html = partsOf(await page.batch())["account-id-work"] ?? "";
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
    const since = (await page.batch()).at(-1)?.id ?? "";
    await page.close();
    await other.edit("id-personal", (account) => ({ ...account, notes: "second" }));
    await other.remove("id-spare");
    const again = await openStream(stage, visitor, `/events?since=${since}`);
    const batch = await again.batch();
    assert.ok(partsOf(batch)["account-id-personal"]);
    assert.equal(partsOf(batch)["account-id-work"], undefined);
    assert.deepEqual(dataOf(batch, "gone"), ["account-id-spare"]);
    await again.close();
  }));

Deno.test("a position of another run of the program brings everything", () =>
  withStage(async (stage) => {
    for (const since of ["", "other-7-0", "x", "%00-1-1", `${"9".repeat(400)}-1-1`]) {
      const page = await openStream(stage, await stage.visit(), `/events?since=${since}`);
      const parts = partsOf(await page.batch());
      assert.ok(parts["account-id-work"] && parts["summary"] && parts["settings"], since);
      await page.close();
    }
  }));

Deno.test("the stream keeps to the page's search, filter and sort", () =>
  withStage(async (stage) => {
    const page = await openStream(stage, await stage.visit(), "/events?q=WORK");
    assert.deepEqual(dataOf(await page.batch(), "order"), ["account-id-work"]);
    await (await stage.other()).edit("id-spare", (account) => ({ ...account, tags: ["work"] }));
    assert.deepEqual(dataOf(await page.batch(), "order"), ["account-id-work", "account-id-spare"]);
    await page.close();
  }));

Deno.test("new lines of the log are appended, each with its level, and HTML in them is text", () =>
  withStage(async (stage) => {
    mkdirSync(dirname(stage.paths.log), { recursive: true });
    appendFileSync(stage.paths.log, "2026-11-23T18:00:00.000Z [warn] before\n");
    const page = await openStream(stage, await stage.visit(), "/events");
    await page.batch();
    appendFileSync(
      stage.paths.log,
      "2026-11-23T18:00:01.000Z [info] small <b>\n2026-11-23T18:00:02.000Z [error] large <script>\n",
    );
    const { id, html } = dataOf(await page.batch(), "append") as { id: string; html: string };
    assert.equal(id, "log-lines");
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
    assert.equal((await page.batch()).at(-1)?.event, "reload");
    await page.close();
  }, { fixture: SEALED }));

Deno.test("a session that ends, by sign-out or by idleness, ends its streams with a goodbye", () =>
  withStage(async (stage) => {
    const visitor = await stage.visit();
    const page = await openStream(stage, visitor);
    await visitor.post("/sign-out");
    assert.equal((await page.batch()).at(-1)?.event, "bye");
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
    assert.equal((await page.batch()).at(-1)?.event, "bye");
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
