/** The dashboard in a real Chromium. */
import assert from "node:assert/strict";
import type { Browser, Locator, Page } from "playwright-core";
import { COMMANDS } from "../../src/cli/commands.ts";
import { systemContext } from "../../src/cli/context.ts";
import { NOBODY } from "../../src/cli/person.ts";
import { run } from "../../src/cli/run.ts";
import { PASSPHRASE, SEALED } from "../dashboard/stage.ts";
import { testAccount } from "../memory_store.ts";
import {
  accessible,
  type DashboardScene,
  openDashboard,
  startBrowser,
  visit,
} from "./dashboard_scene.ts";

let browser: Browser;
Deno.test.beforeAll(async () => {
  browser = await startBrowser();
});
Deno.test.afterAll(() => browser.close());

/** A test with a dashboard of its own. The browser outlives it. */
function test(name: string, body: (scene: DashboardScene) => Promise<void>): void {
  Deno.test({
    name: `dashboard in Chromium: ${name}`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using scene = await openDashboard();
      await body(scene);
    },
  });
}

const card = (page: Page, alias: string) => page.locator(`[data-account="${alias}"]`);

/** Aliases of the cards that can be seen, from the top. */
const shown = (page: Page) =>
  page.locator("[data-account]").evaluateAll((cards) =>
    cards.filter((card) => (card as HTMLElement).offsetParent !== null)
      .map((card) => card.getAttribute("data-account"))
  );

/** Waits until the page shows these cards in this order. */
async function shows(page: Page, aliases: readonly string[]): Promise<void> {
  const end = Date.now() + 10_000;
  let seen: unknown;
  while (Date.now() < end) {
    seen = await shown(page);
    if (JSON.stringify(seen) === JSON.stringify(aliases)) return;
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 30)));
  }
  assert.deepEqual(seen, aliases);
}

async function open(part: Locator): Promise<void> {
  await part.locator("details > summary").first().click();
}

test("a link opens it once; what can be used now stands at the top", async (scene) => {
  const link = scene.link();
  await using first = await visit(browser, { ...scene, link: () => link });
  const { page, complaints } = first;
  assert.equal(page.url(), `${scene.origin}/`);
  assert.equal(
    await page.getByRole("heading", { level: 1 }).innerText(),
    "2 of 3 accounts are ready",
  );
  assert.match(await page.locator("#summary").innerText(), /Next back: personal, in (1h 59m|2h)/);
  assert.match(await card(page, "work").innerText(), /5 hours\s+, figures of\s+1m ago\s+38% left/);
  assert.match(await card(page, "personal").innerText(), /blocked: usage limit, back in/);
  assert.match(await card(page, "work").innerText(), /resets in (1h 59m|2h) · \d+:\d\d [AP]M/);
  const again = await page.context().browser()?.newContext();
  const stranger = await again?.newPage();
  assert.equal((await stranger?.goto(link))?.status(), 401);
  assert.match(await stranger?.innerText("body") ?? "", /This page opens by a link/);
  assert.doesNotMatch(await stranger?.content() ?? "", /personal|example\.test/);
  await again?.close();
  assert.deepEqual(complaints, []);
});

test("search, filters and sort; the address keeps them", async (scene) => {
  await using visitor = await visit(browser, scene);
  const { page } = visitor;
  const best = await page.locator("[data-account]").first().innerText();
  assert.match(best, /Recommended/);
  await page.getByRole("searchbox").fill("invoices");
  await shows(page, ["work"]);
  await page.getByRole("searchbox").fill("nobody");
  await page.getByText("No account matches this search.").waitFor();
  await page.getByRole("searchbox").fill("");
  await page.getByLabel("Sort by").selectOption({ label: "Sort: Alias" });
  await shows(page, ["backup", "personal", "work"]);
  await page.getByLabel("In state").selectOption("blocked");
  await shows(page, ["personal"]);
  await page.reload();
  await shows(page, ["personal"]);
  await page.getByLabel("In state").selectOption("");
  await page.getByLabel("With tag").selectOption("eu");
  await shows(page, ["work"]);
  await page.getByLabel("With tag").selectOption("");
  await page.getByLabel("Sort by").selectOption("short window");
  await shows(page, ["backup", "work", "personal"]);
  assert.deepEqual(visitor.complaints, []);
});

test("tags and notes are edited in place; unsaved text survives news", async (scene) => {
  await using visitor = await visit(browser, scene);
  await using second = await visit(browser, scene);
  const { page } = visitor;
  const work = card(page, "work");
  await open(work);
  await work.getByLabel("Tags").fill("client, night");
  await work.getByLabel("Notes").pressSequentially("half a ");
  // Somebody else's news replaces the card under the fingers.
  scene.store.observe({ accountId: "id-work", uses: 30, usedAt: Date.now() });
  await scene.store.flush();
  await work.getByText("42 uses").first().waitFor();
  assert.equal(await work.getByLabel("Tags").inputValue(), "client, night");
  assert.ok(await work.getByLabel("Notes").evaluate((field) => field === document.activeElement));
  await page.keyboard.type("sentence");
  await work.getByRole("button", { name: "Save" }).click();
  await page.getByText('Tags and notes of "work" are saved.').waitFor();
  const stored = (await scene.store.load()).accounts.find(({ alias }) => alias === "work");
  assert.deepEqual(stored?.tags, ["client", "night"]);
  assert.match(stored?.notes ?? "", /half a sentence|sentence/);
  await card(second.page, "work").getByText("night").first().waitFor();
  assert.ok(
    await second.page.getByLabel("With tag").locator("option", { hasText: "night" }).count(),
  );
  assert.deepEqual([...visitor.complaints, ...second.complaints], []);
});

test("the device is switched", async (scene) => {
  await using visitor = await visit(browser, scene);
  const work = card(visitor.page, "work");
  await work.getByRole("button", { name: "Use on device", exact: true }).click();
  await work.getByRole("button", { name: "On device", exact: true }).waitFor();
  assert.deepEqual(scene.device.switched, ["work"]);
  assert.equal(
    await visitor.page.getByRole("button", { name: "On device", exact: true }).count(),
    1,
  );
  assert.deepEqual(visitor.complaints, []);
});

test("all limits: progress, stop, and figures without a reload", async (scene) => {
  await using visitor = await visit(browser, scene);
  const { page } = visitor;
  await page.getByRole("button", { name: "Refresh all limits" }).click();
  const progress = page.getByRole("progressbar");
  await progress.waitFor();
  assert.equal(scene.limits.asked[0]?.ids.length, 3);
  scene.limits.now = { ...scene.limits.now, done: 1 };
  scene.store.observe({
    accountId: "id-backup",
    windows: [{
      bucket: "codex",
      minutes: 300,
      usedPercent: 33.4,
      resetsAt: Date.now() + 3_600_000,
      observedAt: Date.now(),
    }],
  });
  await scene.store.flush();
  await card(page, "backup").getByText("67% left").waitFor();
  await page.getByText("Limits: 1 of 3").waitFor();
  assert.equal(await progress.evaluate((bar) => (bar as HTMLProgressElement).value), 1);
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByText(/stopped/).waitFor();
  assert.equal(await progress.count(), 0);
  assert.deepEqual(visitor.complaints, []);
});

test("what the command line does arrives by itself", async (scene) => {
  await using visitor = await visit(browser, scene);
  const status = await run({
    ...systemContext(import.meta.url, new AbortController().signal, NOBODY),
    argv: ["disable", "work"],
    env: scene.env,
    write: () => {},
    warn: () => {},
  }, COMMANDS);
  assert.equal(status, 0);
  const start = Date.now();
  await card(visitor.page, "work").getByText("disabled").first().waitFor();
  assert.ok(Date.now() - start < 3_000);
  await visitor.page.getByRole("heading", { name: "1 of 3 accounts is ready" }).waitFor();
  assert.deepEqual(visitor.complaints, []);
});

test("rename, pin, disable, enable and remove", async (scene) => {
  await using visitor = await visit(browser, scene);
  const { page } = visitor;
  const work = card(page, "work");
  await open(work);
  await work.getByRole("button", { name: "Pin", exact: true }).click();
  await page.getByText("serves all it can").waitFor();
  await work.getByRole("button", { name: "Unpin" }).click();
  await work.getByRole("button", { name: "Pin", exact: true }).waitFor();
  await work.getByRole("button", { name: "Disable" }).click();
  await work.getByRole("button", { name: "Enable" }).click();
  await work.getByRole("button", { name: "Disable" }).waitFor();
  await work.getByLabel("Alias").fill("office");
  await work.getByRole("button", { name: "Rename" }).click();
  const office = card(page, "office");
  await office.waitFor();
  await office.getByText("Remove…").click();
  await office.getByRole("button", { name: "Remove office" }).click();
  await shows(page, ["backup", "personal"]);
  assert.deepEqual(visitor.complaints, []);
});

test("by keyboard alone", async (scene) => {
  await using visitor = await visit(browser, scene);
  const { page } = visitor;
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to content");
  const focused = () =>
    page.evaluate(() => {
      const at = document.activeElement as HTMLElement;
      return `${at.closest("[data-account]")?.getAttribute("data-account") ?? ""} ${at.innerText}`;
    });
  const reach = async (what: RegExp) => {
    for (let step = 0; step < 60; step++) {
      if (what.test(await focused())) return;
      await page.keyboard.press("Tab");
      const outline = await page.evaluate(() =>
        getComputedStyle(document.activeElement as Element).outlineStyle
      );
      assert.notEqual(outline, "none", await focused());
    }
    assert.fail(`Tab never reaches ${what}.`);
  };
  await reach(/^work Details/);
  await page.keyboard.press("Enter");
  await reach(/^work Disable/);
  await page.keyboard.press("Enter");
  await card(page, "work").getByRole("button", { name: "Enable" }).waitFor();
  assert.match(await focused(), /^work /, "the focus stays in the card that was replaced");
  assert.deepEqual(visitor.complaints, []);
});

test("without script everything is a form", async (scene) => {
  await using visitor = await visit(browser, scene, { javaScriptEnabled: false });
  const { page } = visitor;
  await page.getByRole("searchbox").fill("work");
  await page.getByRole("button", { name: "Apply", exact: true }).click();
  await shows(page, ["work"]);
  const work = card(page, "work");
  await work.getByRole("button", { name: "Use on device", exact: true }).click();
  assert.match(page.url(), /\?q=work$/);
  await work.getByRole("button", { name: "On device", exact: true }).waitFor();
  await open(work);
  await work.getByLabel("Tags").fill("plain");
  await work.getByRole("button", { name: "Save" }).click();
  await page.getByText('Tags and notes of "work" are saved.').waitFor();
  await page.goto(scene.origin);
  await page.getByRole("button", { name: "Refresh all limits" }).click();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByText(/stopped/).waitFor();
  assert.deepEqual(visitor.complaints, []);
});

test("nothing overlaps and nothing scrolls sideways on a phone", async (scene) => {
  await using visitor = await visit(browser, scene, { viewport: { width: 360, height: 740 } });
  const { page } = visitor;
  await open(card(page, "work"));
  for (const part of ["settings", "move", "log"]) await page.locator(`#${part} > summary`).click();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  const small = await page.locator("button:visible, summary:visible").evaluateAll((all) =>
    all.filter((one) => one.getBoundingClientRect().height < 19).map((one) => one.outerHTML)
  );
  assert.deepEqual(small, []);
  await accessible(page);
  assert.deepEqual(visitor.complaints, []);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing, ${colorScheme}`, async (scene) => {
    await using visitor = await visit(browser, scene, { colorScheme });
    const { page } = visitor;
    await open(card(page, "work"));
    await page.getByText("Add account").click();
    for (const part of ["settings", "move", "log"]) {
      await page.locator(`#${part} > summary`).click();
    }
    await page.getByRole("button", { name: "Refresh all limits" }).click();
    await page.getByRole("progressbar").waitFor();
    await accessible(page);
    assert.deepEqual(visitor.complaints, []);
  });
}

test("the log follows, and shows what is asked for", async (scene) => {
  await using visitor = await visit(browser, scene);
  const { page } = visitor;
  await page.locator("#log > summary").click();
  await page.getByText("work serves ses_4f1d7a0c").waitFor();
  await page.getByLabel("Least level").selectOption("warn");
  await page.getByText("work serves ses_4f1d7a0c").waitFor({ state: "hidden" });
  await page.getByText("personal hands over to work").waitFor();
  assert.deepEqual(visitor.complaints, []);
});

Deno.test({
  name: "dashboard in Chromium: a locked store says so, and opens with its passphrase",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using scene = await openDashboard({ fixture: SEALED });
    await using visitor = await visit(browser, scene);
    const { page } = visitor;
    await page.getByRole("heading", { name: "The accounts are locked" }).waitFor();
    await accessible(page);
    assert.equal(await page.locator("[data-account]").count(), 0);
    await page.getByLabel("Passphrase").fill("wrong");
    await page.getByRole("button", { name: "Unlock" }).click();
    await page.getByRole("heading", { name: "The accounts are locked" }).waitFor();
    await page.getByLabel("Passphrase").fill(PASSPHRASE);
    await page.getByRole("button", { name: "Unlock" }).click();
    await page.locator("[data-account]").first().waitFor();
    assert.deepEqual(visitor.complaints, []);
  },
});

Deno.test({
  name: "dashboard in Chromium: an empty store teaches the first step",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using scene = await openDashboard({ accounts: [] });
    await using visitor = await visit(browser, scene, { colorScheme: "dark" });
    const { page } = visitor;
    await page.getByRole("heading", { name: "No account yet" }).waitFor();
    await page.getByLabel("Alias", { exact: true }).waitFor();
    await accessible(page);
    await scene.store.add(testAccount("first"));
    await card(page, "first").waitFor();
    await page.getByRole("searchbox").waitFor();
    assert.deepEqual(visitor.complaints, []);
  },
});

Deno.test({
  name: "dashboard in Chromium: a thousand accounts can be searched and opened",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using scene = await openDashboard({ accounts: [testAccount("only")], copies: 999 });
    await using visitor = await visit(browser, scene);
    const { page } = visitor;
    assert.equal((await shown(page)).length, 50);
    await page.getByLabel("Sort by").selectOption("alias");
    await page.getByText("Accounts 1 to 50 of 1000").waitFor();
    await page.getByRole("link", { name: "Next" }).click();
    await page.getByText("Accounts 51 to 100 of 1000").waitFor();
    assert.equal((await shown(page))[0], "a-50");
    await page.getByRole("searchbox").fill("a-777");
    await shows(page, ["a-777"]);
    const one = card(page, "a-777");
    await open(one);
    await one.getByLabel("Notes").fill("found");
    await one.getByRole("button", { name: "Save" }).click();
    await page.getByText('Tags and notes of "a-777" are saved.').waitFor();
    assert.equal(await one.getByLabel("Notes").inputValue(), "found");
    await page.getByRole("searchbox").fill("");
    await page.getByText("Accounts 1 to 50 of 1000").waitFor();
    assert.deepEqual(visitor.complaints, []);
  },
});
