import type { DashboardModel } from "../model.ts";
import type { Query } from "../query.ts";

/** What a page is made of beside the model. */
export interface PageOptions {
  /** The visitor's token against cross-site requests. */
  readonly csrf: string;
  readonly query: Query;
}

/** The whole document. */
export function renderPage(model: DashboardModel, options: PageOptions): string {
  return [...renderParts(model, options).values()].join("\n");
}

/**
 * The parts of the page that change, by element id. Two renditions of what has not changed are the
 * same text: moments stand as such in the HTML, and the script says how far away they are.
 */
export function renderParts(
  model: DashboardModel,
  { csrf }: PageOptions,
): ReadonlyMap<string, string> {
  return new Map([["notice", `<p id="notice">${model.accounts.length}${csrf.length}</p>`]]);
}

/** What somebody without a session sees: how to get in, and nothing else. */
export function renderSignIn(): string {
  return "<!DOCTYPE html>";
}
