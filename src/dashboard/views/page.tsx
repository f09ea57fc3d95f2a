import type { DashboardModel, Page } from "../model.ts";

/** The whole document. */
export function renderPage(model: DashboardModel, page: Page): string {
  return [...renderParts(model, page).values()].join("\n");
}

/**
 * The parts of the page that change, by element id. Two renditions of what has not changed are the
 * same text, also later: moments stand as such in the HTML, and the script says how far away they
 * are. No part but the log depends on the page's query.
 */
export function renderParts(
  model: DashboardModel,
  page: Page,
): ReadonlyMap<string, string> {
  return new Map([["notice", `<p id="notice">${model.accounts.length}${page.csrf.length}</p>`]]);
}

/** What somebody without a session sees: how to get in, and nothing else. */
export function renderSignIn(): string {
  return "<!DOCTYPE html>";
}
