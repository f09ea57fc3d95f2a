/** The dashboard in a real Chromium: what people do with it. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../../src/cli/commands.ts";
import { systemContext } from "../../src/cli/context.ts";
import { NOBODY } from "../../src/cli/person.ts";
import { run } from "../../src/cli/run.ts";
import { card, open, shows, test, withBrowser } from "./dashboard_page.ts";
import { visit } from "./dashboard_scene.ts";

const browser = withBrowser();

test("a link opens it once; what can be used now stands at the top", async (scene) => {
  const link = scene.link();
  await using first = await visit(browser(), { ...scene, link: () => link });
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
  await using visitor = await visit(browser(), scene);
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
  await using visitor = await visit(browser(), scene);
  await using second = await visit(browser(), scene);
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

test("text that nobody has saved outlives a filter, and a page that was cut off catches up", async (scene) => {
  await using visitor = await visit(browser(), scene);
  const { page } = visitor;
  await open(card(page, "work"));
  await card(page, "work").getByLabel("Notes").fill("a draft");
  await page.getByLabel("In state").selectOption("blocked");
  // Beside what was searched for.
  await shows(page, ["personal", "work"]);
  assert.equal(await card(page, "work").getByLabel("Notes").inputValue(), "a draft");
  await page.getByLabel("In state").selectOption("");
  await shows(page, ["backup", "work", "personal"]);
  await page.context().setOffline(true);
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await page.getByText("Reconnecting…").waitFor();
  await scene.store.remove("id-backup");
  await scene.store.edit("id-work", (account) => ({ ...account, tags: ["night"] }));
  await page.context().setOffline(false);
  await card(page, "work").getByText("night").first().waitFor();
  await shows(page, ["work", "personal"]);
  assert.equal(await card(page, "work").getByLabel("Notes").inputValue(), "a draft");
  await page.getByText("Live", { exact: true }).waitFor();
  // Chromium says itself what did not load.
  assert.deepEqual(visitor.complaints.filter((text) => !text.includes("ERR_INTERNET")), []);
});

test("the device is switched", async (scene) => {
  await using visitor = await visit(browser(), scene);
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
  await using visitor = await visit(browser(), scene);
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
  await using visitor = await visit(browser(), scene);
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
  await using visitor = await visit(browser(), scene);
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

test("an import is looked at before it happens", async (scene) => {
  await using visitor = await visit(browser(), scene, { viewport: { width: 1280, height: 400 } });
  const { page } = visitor;
  const move = page.locator("#move");
  await move.locator("summary").click();
  await move.getByLabel("File", { exact: true }).setInputFiles(
    fileURLToPath(new URL("../fixtures/store/v2.json", import.meta.url)),
  );
  await move.getByRole("button", { name: "Look at it" }).click();
  await page.getByText("would be taken over; confirm it below").waitFor();
  const { y } = await move.getByRole("table").boundingBox() ?? { y: -1 };
  assert.ok(y >= 0 && y < 400, `the plan stands at ${y}`);
  await move.getByRole("button", { name: "Import 5 accounts" }).click();
  await page.getByText("5 added").waitFor();
  await card(page, "mate").waitFor();
  assert.equal(await move.getByRole("table").count(), 0);
  assert.deepEqual(visitor.complaints, []);
});

test("a setting that is reset shows what it is now, whatever was typed", async (scene) => {
  await using visitor = await visit(browser(), scene);
  const { page } = visitor;
  await page.locator("#settings > summary").click();
  const value = page.getByLabel("softThreshold", { exact: true });
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const standard = await value.inputValue();
  await value.fill("7");
  await press("Reset softThreshold");
  await page.getByText(`softThreshold = ${standard}`).waitFor();
  assert.equal(await value.inputValue(), standard);
  await value.fill("8");
  await press("Set softThreshold");
  await page.getByText("softThreshold = 8").waitFor();
  assert.equal(await value.inputValue(), "8");
  await value.fill("9");
  await press("Reset softThreshold");
  await page.locator(`#setting-softThreshold[value="${standard}"]`).waitFor();
  assert.equal(await value.inputValue(), standard);
  assert.deepEqual(visitor.complaints, []);
});
