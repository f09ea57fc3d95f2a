/** The dashboard in a real Chromium: what people have typed, focused or marked outlives the news. */
import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { resolvePaths } from "../../src/platform/paths.ts";
import { SEALED } from "../dashboard/stage.ts";
import { testAccount } from "../memory_store.ts";
import { card, open, shown, shows, test, withBrowser } from "./dashboard_page.ts";
import { type DashboardScene, visit } from "./dashboard_scene.ts";

const browser = withBrowser();

/** Somebody else's news about an account, and the page with them. */
async function news(scene: DashboardScene, page: Page, alias: string): Promise<void> {
  scene.store.observe({ accountId: `id-${alias}`, uses: 30, usedAt: Date.now() });
  await scene.store.flush();
  await card(page, alias).getByText("42 uses").first().waitFor();
}

const seenAgain = (page: Page) =>
  page.evaluate(() => void document.dispatchEvent(new Event("visibilitychange")));

test("the focus stays near where it was when its button or its card goes away", async (scene) => {
  await using visitor = await visit(browser(), scene);
  const { page } = visitor;
  const work = card(page, "work");
  const focused = () => page.evaluate(() => document.activeElement?.textContent);
  await work.getByRole("button", { name: "Use on device", exact: true }).press("Enter");
  await work.getByRole("button", { name: "On device", exact: true }).waitFor();
  assert.equal(await focused(), "Detailsof work");
  await open(work);
  await work.getByText("Remove…").click();
  await work.getByRole("button", { name: "Remove work" }).press("Enter");
  await work.waitFor({ state: "detached" });
  assert.equal(await focused(), "Add account");
  assert.deepEqual(visitor.complaints, []);
});

test("a draft stays in its form when a box of another kind comes before it", async (scene) => {
  await using visitor = await visit(browser(), scene);
  const work = card(visitor.page, "work");
  await open(work);
  await work.getByLabel("Alias").fill("office");
  scene.store.observe({
    accountId: "id-work",
    windows: [{
      bucket: "gpt-x",
      minutes: 300,
      usedPercent: 10,
      resetsAt: Date.now() + 3_600_000,
      observedAt: Date.now(),
    }],
  });
  await scene.store.flush();
  await work.getByText("gpt-x, 5 hours").waitFor();
  assert.equal(await work.getByLabel("Alias").inputValue(), "office");
  assert.ok(await work.getByLabel("Alias").evaluate((field) => field === document.activeElement));
  assert.deepEqual(visitor.complaints, []);
});

test("what is typed while a form is under way stays a draft", async (scene) => {
  await using visitor = await visit(browser(), scene);
  const { page } = visitor;
  const work = card(page, "work");
  await open(work);
  const sent = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  await page.route("**/describe", async (route) => {
    sent.resolve();
    await go.promise;
    await route.continue();
  });
  await work.getByLabel("Notes").fill("half a");
  await work.getByRole("button", { name: "Save" }).click();
  await sent.promise;
  await work.getByLabel("Notes").pressSequentially(" sentence");
  go.resolve();
  await page.getByText('Tags and notes of "work" are saved.').waitFor();
  await news(scene, page, "work");
  assert.equal(await work.getByLabel("Notes").inputValue(), "half a sentence");
  assert.deepEqual(visitor.complaints, []);
});

test("drafts wait behind a locked store and behind the sign-in page", async (scene) => {
  await using visitor = await visit(browser(), scene);
  const { page } = visitor;
  const work = card(page, "work");
  await open(work);
  await work.getByLabel("Notes").fill("a draft");
  const { accounts } = resolvePaths(scene.env);
  const plain = readFileSync(accounts);
  cpSync(new URL(`../fixtures/store/${SEALED}`, import.meta.url), accounts);
  await page.getByRole("heading", { name: "The accounts are locked" }).waitFor();
  await work.waitFor({ state: "hidden" });
  writeFileSync(accounts, plain);
  await work.waitFor();
  assert.equal(await work.getByLabel("Notes").inputValue(), "a draft");

  await page.context().clearCookies();
  await seenAgain(page);
  await page.getByRole("heading", { name: "This page opens by a link" }).waitFor();
  await work.waitFor({ state: "hidden" });
  await (await page.context().newPage()).goto(scene.link());
  await seenAgain(page);
  await work.waitFor();
  assert.equal(await work.getByLabel("Notes").inputValue(), "a draft");
  // Chromium says itself what was refused.
  assert.deepEqual(visitor.complaints.filter((text) => !text.includes("401")), []);
});

test("text that is to be copied stays marked", async (scene) => {
  await using visitor = await visit(browser(), scene);
  const { page } = visitor;
  const reset = card(page, "backup").locator(".window time i").last();
  const before = await reset.evaluateHandle((part) => part.firstChild);
  // With them every moment on the page is said anew.
  await news(scene, page, "work");
  assert.ok(await reset.evaluate((part, before) => part.firstChild === before, before));
});

test("what came of an action is seen wherever the page stands, and does not stay", async (scene) => {
  await using visitor = await visit(browser(), scene, { viewport: { width: 1280, height: 400 } });
  const { page } = visitor;
  const notice = page.locator("#notice");
  await page.clock.install();
  await page.locator("#settings > summary").click();
  const reset = page.getByRole("button", { name: "Reset strategy" });
  const place = () => reset.evaluate((button) => button.getBoundingClientRect().y + scrollY);
  const before = await place();
  await reset.click();
  await notice.getByText("strategy = round-robin").waitFor();
  const { y } = await notice.boundingBox() ?? { y: -1 };
  assert.ok(y >= 0 && y < 400, `it stands at ${y}`);
  assert.equal(await place(), before, "nothing moves under the pointer");
  await page.clock.runFor(9_000);
  assert.equal(await notice.innerText(), "");

  // The browser keeps people from typing it, and a program may say anything.
  await open(card(page, "work"));
  await card(page, "work").getByLabel("Tags").evaluate((field) =>
    (field as HTMLInputElement).value = "x".repeat(1_001)
  );
  await card(page, "work").getByRole("button", { name: "Save" }).click();
  await notice.getByText("The field tags is too long.").waitFor();
  await page.clock.runFor(9_000);
  assert.equal(await notice.innerText(), "The field tags is too long.");
  await page.clock.runFor(60_000);
  assert.equal(await notice.innerText(), "");
});

test("the longest alias is no wider than a phone", async (scene) => {
  await using visitor = await visit(browser(), scene, { viewport: { width: 360, height: 740 } });
  const { page } = visitor;
  const alias = "a".repeat(64);
  await open(card(page, alias));
  await card(page, alias).getByText("Remove…").click();
  await card(page, alias).getByRole("button", { name: "Pin", exact: true }).click();
  await page.getByRole("button", { name: `Unpin ${alias}` }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
}, { accounts: [testAccount("a".repeat(64))] });

test("a text that was sent is no draft: its form goes with the login", async (scene) => {
  await using visitor = await visit(browser(), scene);
  const { page } = visitor;
  const login = page.locator("#login");
  await page.locator("#add > summary").click();
  await page.locator("#add").getByLabel("Alias").fill("fourth");
  await page.locator("#add select").selectOption("paste");
  await page.locator("#add").getByRole("button", { name: "Sign in" }).click();
  await login.getByLabel("Address that the browser ends on").fill("http://localhost/?code=1");
  const sent = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  await page.route("**/logins/paste", async (route) => {
    sent.resolve();
    await go.promise;
    await route.abort();
  });
  await login.getByRole("button", { name: "Finish" }).click();
  await sent.promise;
  await login.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("The login was cancelled").waitFor();
  await login.waitFor({ state: "hidden" });
  assert.equal(await login.locator("form").count(), 0);
  go.resolve();
});

test("a page that nobody looks at listens to nothing", async (scene) => {
  await using visitor = await visit(browser(), scene);
  const page = await visitor.page.context().newPage();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.addInitScript(() =>
    Object.defineProperty(document, "hidden", { value: true, writable: true })
  );
  await page.goto(scene.origin);
  await card(page, "work").waitFor();
  assert.deepEqual(asked.filter((path) => path === "/events"), []);
  await page.evaluate(() => {
    (document as { hidden: boolean }).hidden = false;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.getByText("Live", { exact: true }).waitFor();
});

test("the chosen tag stays chosen when another one goes, and when it goes itself", async (scene) => {
  await using visitor = await visit(browser(), scene);
  const { page } = visitor;
  const choice = page.getByLabel("With tag");
  const options = () => choice.locator("option").allTextContents();
  await choice.selectOption("client");
  await shows(page, ["work"]);
  await choice.selectOption("eu");
  await scene.store.edit("id-work", (account) => ({ ...account, tags: ["eu"] }));
  await choice.locator("option", { hasText: "client" }).waitFor({ state: "detached" });
  assert.equal(await choice.inputValue(), "eu");
  await shows(page, ["work"]);
  await scene.store.edit("id-work", (account) => ({ ...account, tags: [] }));
  await page.getByText("No account matches this search.").waitFor();
  assert.equal(await choice.inputValue(), "eu");
  assert.deepEqual(await options(), ["Any tag", "eu", "home"]);
  await choice.selectOption("");
  await shows(page, ["backup", "work", "personal"]);
  assert.deepEqual(await options(), ["Any tag", "home"]);
  assert.deepEqual(visitor.complaints, []);
});

test("a page or a stream that is turned away is asked for again", async (scene) => {
  await using visitor = await visit(browser(), scene);
  const { page } = visitor;
  const refused = new Set(["/", "/events"]);
  await page.route("**/*", async (route) => {
    const { pathname } = new URL(route.request().url());
    if (refused.delete(pathname)) await route.fulfill({ status: 503, body: "Too many." });
    else await route.continue();
  });
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await page.getByText("Reconnecting…").waitFor();
  assert.deepEqual(await shown(page), ["backup", "work", "personal"]);
  await scene.store.edit("id-work", (account) => ({ ...account, tags: ["night"] }));
  await card(page, "work").getByText("night").first().waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
  assert.equal(refused.size, 0);
  assert.deepEqual(visitor.complaints.filter((text) => !text.includes("503")), []);
});
