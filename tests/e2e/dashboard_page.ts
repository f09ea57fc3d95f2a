/**
 * What tests of the dashboard in Chromium do and look at again and again.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Browser, Locator, Page } from "playwright-core";
import {
  type DashboardScene,
  type DashboardSceneOptions,
  openDashboard,
  startBrowser,
} from "./dashboard_scene.ts";

/** Starts a browser before the tests of a file and ends it after them. */
export function withBrowser(): () => Browser {
  const started: { browser?: Browser } = {};
  Deno.test.beforeAll(async () => {
    started.browser = await startBrowser();
  });
  Deno.test.afterAll(() => started.browser?.close());
  return () => {
    if (!started.browser) throw new Error("The browser is not there yet.");
    return started.browser;
  };
}

/** A test with a dashboard of its own. The browser outlives it. */
export function test(
  name: string,
  body: (scene: DashboardScene) => Promise<void>,
  options: DashboardSceneOptions = {},
): void {
  Deno.test({
    name: `dashboard in Chromium: ${name}`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using scene = await openDashboard(options);
      await body(scene);
    },
  });
}

/** An account's card. */
export const card = (page: Page, alias: string) => page.locator(`[data-account="${alias}"]`);

/** Aliases of the cards that can be seen, from the top. */
export const shown = (page: Page) =>
  page.locator("[data-account]").evaluateAll((cards) =>
    cards.filter((card) => (card as HTMLElement).offsetParent !== null)
      .map((card) => card.getAttribute("data-account"))
  );

/** Waits until the page shows these cards in this order. */
export async function shows(page: Page, aliases: readonly string[]): Promise<void> {
  const end = Date.now() + 10_000;
  let seen: unknown;
  while (Date.now() < end) {
    seen = await shown(page);
    if (JSON.stringify(seen) === JSON.stringify(aliases)) return;
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 30)));
  }
  assert.deepEqual(seen, aliases);
}

/** Opens the details of a part. */
export async function open(part: Locator): Promise<void> {
  await part.locator("details > summary").first().click();
}
