/** The dashboard in a real Chromium: for everybody, on every screen, in every state. */
import assert from "node:assert/strict";
import { PASSPHRASE, SEALED } from "../dashboard/stage.ts";
import { testAccount } from "../memory_store.ts";
import { card, open, shown, shows, test, withBrowser } from "./dashboard_page.ts";
import { accessible, visit } from "./dashboard_scene.ts";

const browser = withBrowser();

test("by keyboard alone", async (scene) => {
  await using visitor = await visit(browser(), scene);
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
  await using visitor = await visit(browser(), scene, { javaScriptEnabled: false });
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
  await using visitor = await visit(browser(), scene, { viewport: { width: 360, height: 740 } });
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
    await using visitor = await visit(browser(), scene, { colorScheme });
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
  await using visitor = await visit(browser(), scene);
  const { page } = visitor;
  await page.locator("#log > summary").click();
  await page.getByText("work serves ses_4f1d7a0c").waitFor();
  await page.getByLabel("Least level").selectOption("warn");
  await page.getByText("work serves ses_4f1d7a0c").waitFor({ state: "hidden" });
  await page.getByText("personal hands over to work").waitFor();
  assert.deepEqual(visitor.complaints, []);
});

test("a locked store says so, and opens with its passphrase", async (scene) => {
  await using visitor = await visit(browser(), scene);
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
}, { fixture: SEALED });

test("an empty store teaches the first step", async (scene) => {
  await using visitor = await visit(browser(), scene, { colorScheme: "dark" });
  const { page } = visitor;
  await page.getByRole("heading", { name: "No account yet" }).waitFor();
  await page.getByLabel("Alias", { exact: true }).waitFor();
  await accessible(page);
  await scene.store.add(testAccount("first"));
  await card(page, "first").waitFor();
  await page.getByRole("searchbox").waitFor();
  assert.deepEqual(visitor.complaints, []);
}, { accounts: [] });

test("a thousand accounts can be searched and opened", async (scene) => {
  await using visitor = await visit(browser(), scene);
  const { page } = visitor;
  assert.equal((await shown(page)).length, 50);
  await page.getByLabel("Sort by").selectOption("alias");
  // The text beside it is the same before the new order is there.
  await page.locator('a[href="/?sort=alias&from=50"]').click();
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
}, { accounts: [testAccount("only")], copies: 999 });
