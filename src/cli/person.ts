import { runtime } from "../platform/runtime.ts";
import type { Person } from "./context.ts";

/**
 * The person at this process's terminal. What is needed to ask is loaded at the first question.
 *
 * @param signal Aborts at Ctrl-C.
 */
export function systemPerson(signal: AbortSignal): Person {
  return {
    prompts: async () => (await import("./prompts.ts")).terminalPrompts(signal),
    readLine: async () => (await import("./read_line.ts")).readLine(runtime.stdin, signal),
    openBrowser: async (url) => (await import("../oauth/browser.ts")).openBrowser(url),
  };
}

/** Nobody, for commands that ask nothing. */
export const NOBODY: Person = {
  prompts: () => Promise.reject(new Error("this command asks nothing")),
  readLine: () => Promise.resolve(undefined),
  openBrowser: () => Promise.resolve(false),
};
