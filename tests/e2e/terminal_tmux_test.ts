/**
 * OpenCode's terminal interface with our entry in it, in a real terminal that tmux keeps.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { toolPaths } from "../../scripts/tools.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import type { Sandbox } from "./sandbox.ts";
import { FIVE_HOURS, install, makeScene } from "./scene.ts";

/** A terminal with a program in it. */
interface Terminal extends AsyncDisposable {
  /** What is on the screen. */
  screen(): Promise<string>;
  /** Waits until the screen matches. */
  shows(pattern: RegExp): Promise<string>;
  type(text: string): Promise<void>;
  /** Presses a key by tmux's name for it. */
  press(key: string): Promise<void>;
}

/** Milliseconds until a screen is given up; OpenCode's start is the longest wait. */
const LIMIT_MS = 120_000;

async function terminal(sandbox: Sandbox, command: readonly string[]): Promise<Terminal> {
  const tmux = async (...args: string[]): Promise<string> => {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-S", join(sandbox.folder, "tmux"), "-f", "/dev/null", ...args],
      cwd: sandbox.project,
      clearEnv: true,
      env: { ...sandbox.env, TERM: "xterm-256color", LANG: "C.UTF-8" },
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  };
  await tmux("-u", "new-session", "-d", "-x", "80", "-y", "40", ...command);
  const screen = () => tmux("capture-pane", "-p");
  return {
    screen,
    async shows(pattern) {
      const end = Date.now() + LIMIT_MS;
      let last = "";
      while (Date.now() < end) {
        last = await screen();
        if (pattern.test(last)) return last;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`The screen never showed ${pattern}:\n${last.replace(/\n{2,}/g, "\n")}`);
    },
    type: async (text) => void await tmux("send-keys", "-l", text),
    press: async (key) => void await tmux("send-keys", key),
    [Symbol.asyncDispose]: async () => void await tmux("kill-server").catch(() => {}),
  };
}

Deno.test("the terminal interface shows the account, its share and reset, the hand-over and a palette", async () => {
  await using scene = await makeScene();
  const { sandbox, simulator } = scene;
  const store = await openLocalStore({ paths: resolvePaths(sandbox.env), env: sandbox.env });
  for (const name of ["personal", "work"]) {
    await storePlan(store, simulator.addPlan({ name, windows: [{ minutes: FIVE_HOURS }] }));
  }
  await store.close();
  simulator.plan("personal").setUsed(FIVE_HOURS, 10, 60 * 60_000);
  simulator.plan("work").setUsed(FIVE_HOURS, 75, 90 * 60_000);
  await install(scene);
  await using screen = await terminal(sandbox, [toolPaths().opencode, "-m", "openai/gpt-5.5"]);

  // Nobody knows any figures yet.
  await screen.shows(/OpenAI +personal\s/);
  await screen.type("Say something");
  await screen.press("Enter");
  await screen.shows(/served by personal/);
  await screen.shows(/personal 90% left · resets \d+:\d\d [AP]M/);

  // The limit comes in between: one toast, and the other account stands beside the prompt.
  simulator.plan("personal").setUsed(FIVE_HOURS, 100, 60 * 60_000);
  await screen.type("Again");
  await screen.press("Enter");
  await screen.shows(/personal hands over to work/);
  await screen.shows(/served by work/);
  await screen.shows(/work 25% left · resets \d+:\d\d [AP]M/);

  await screen.press("C-p");
  await screen.shows(/Commands/);
  await screen.type("Pin a ChatGPT");
  await screen.shows(/Pin a ChatGPT account\s/);
  await screen.press("Enter");
  const choice = await screen.shows(/Which account should serve everything\?/);
  assert.match(choice, /personal/);
  assert.match(choice, /work/);
  await screen.type("work");
  await screen.press("Enter");
  await screen.shows(/work serves everything it can/);
  const after = await openLocalStore({ paths: resolvePaths(sandbox.env), env: sandbox.env });
  const { pin, accounts } = await after.load();
  await after.close();
  assert.equal(accounts.find(({ id }) => id === pin?.accountId)?.alias, "work");
});
