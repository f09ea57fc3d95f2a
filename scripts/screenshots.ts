/**
 * Takes the pictures of the dashboard for the README: real `add`, requests and `web` on the simulated
 * backend, seen through Chromium. `deno run -A scripts/screenshots.ts`
 *
 * @module
 */
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { COMMANDS } from "../src/cli/commands.ts";
import { type Context, systemContext } from "../src/cli/context.ts";
import { NOBODY } from "../src/cli/person.ts";
import { run as runCommand } from "../src/cli/run.ts";
import { clientOver } from "../src/codex/client.ts";
import { type Clock, systemClock } from "../src/platform/clock.ts";
import { resolvePaths } from "../src/platform/paths.ts";
import { openLocalStore } from "../src/store/local.ts";
import { type Simulator, startSimulator } from "../tests/simulator/simulator.ts";
import { script } from "./program.ts";
import { inRepository } from "./repository.ts";
import { findProgram, SYSTEM_PROGRAMS } from "./system_programs.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const CALLBACK_PORTS = [1455, 1457, 31455, 31457];
/** How long the afternoon in the pictures lasts, and between which moments of it somebody asks. */
const AFTERNOON_MS = 3.4 * HOUR_MS;
const STEP_MS = 12 * MINUTE_MS;

/** The accounts: what their windows have used when it begins, and what an answer costs. */
const PLANS = [
  { name: "personal", planType: "plus", short: 46, long: 38, cost: 4, resets: 4.1 },
  { name: "work", planType: "team", short: 8, long: 61, cost: 1.4, resets: 4.9 },
  { name: "backup", planType: "pro", short: 0, long: 9, cost: 0.4, resets: 5 },
  { name: "lab", planType: "plus", short: 20, long: 30, cost: 1, resets: 4.5 },
] as const;

/** A clock that lags behind, so that an afternoon passes in a second. */
class Afternoon implements Clock {
  lag = AFTERNOON_MS;
  now = () => Date.now() - this.lag;
  after = systemClock.after;
}

function command(argv: string[], env: Record<string, string>, more: Partial<Context> = {}) {
  return runCommand({
    ...systemContext(import.meta.url, new AbortController().signal, NOBODY),
    argv,
    env,
    callbackPorts: CALLBACK_PORTS,
    write: () => {},
    warn: (text) => console.error(text),
    terminal: { input: false, output: false },
    openBrowser: async (url) => {
      await (await fetch(url)).body?.cancel();
      return true;
    },
    ...more,
  }, COMMANDS);
}

/** Signs everybody in, and lets conversations run for some hours. */
async function live(simulator: Simulator, clock: Afternoon, env: Record<string, string>) {
  for (const { name, planType, short, long, cost, resets } of PLANS) {
    simulator.addPlan({
      name,
      email: `you@${name}.example`,
      planType,
      windows: [
        {
          minutes: 300,
          usedPercent: short,
          costPercentPerRequest: cost,
          resetsInMs: resets * HOUR_MS,
        },
        {
          minutes: 10_080,
          usedPercent: long,
          costPercentPerRequest: cost / 8,
          resetsInMs: (60 + 9 * resets) * HOUR_MS,
        },
      ],
    });
    simulator.approveNext(name);
    await command(["add", name], env, {
      clock,
      terminal: { input: true, output: true },
    });
  }
  const store = await openLocalStore({
    paths: resolvePaths(env),
    env,
    clock,
    random: Math.random,
  });
  const client = await clientOver(store, { env, clock });
  const ask = async (session: string) => {
    const response = await client.fetch("https://api.openai.com/v1/responses", {
      method: "POST",
      headers: { "content-type": "application/json", "session-id": `ses_${session}` },
      body: JSON.stringify({
        model: "gpt-5.5",
        instructions: "Be brief.",
        input: [{ role: "user", content: [{ type: "input_text", text: "Go on." }] }],
        store: false,
        stream: true,
      }),
    });
    await response.text();
  };
  for (let step = 0; clock.lag > 3 * MINUTE_MS; step++) {
    for (const session of ["4f1d7a0c", "9be20177", "08c1aa52", "d34c90fe"]) {
      if ((step + session.length) % 3 !== 0 || session < "a") await ask(session);
    }
    if (clock.lag < HOUR_MS) {
      simulator.plan("lab").invalidateAccessTokens();
      simulator.plan("lab").revokeRefreshTokens();
    }
    // The history is made of what was saved, and nothing waits for this clock.
    await store.flush();
    clock.lag -= STEP_MS;
  }
  clock.lag = 0;
  await client.close();
}

/** Starts `web` and gives its link. */
function web(env: Record<string, string>, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    command(["web", "--port", "0"], env, {
      signal,
      write: (text) => {
        const link = /http:\/\/\S+\/open\/\S+/.exec(text)?.[0];
        if (link) resolve(link);
      },
    }).then((status) => reject(new Error(`web ended with ${status}`)), reject);
  });
}

/** What the person has done on the page before the pictures are taken. */
async function settle(page: Page): Promise<void> {
  const work = page.locator('[data-account="work"]');
  await work.locator("details > summary").first().click();
  await work.getByLabel("Tags").fill("client, eu");
  await work.getByRole("button", { name: "Save" }).click();
  await work.getByText("client").first().waitFor();
  await work.getByRole("button", { name: "Use on device", exact: true }).click();
  await work.getByRole("button", { name: "On device", exact: true }).waitFor();
}

/** A face like those of most systems, where this machine has it: `system-ui` may be anything here. */
function fonts(folder: string): string {
  const file = join(folder, "fonts.conf");
  Deno.writeTextFileSync(
    file,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>` +
      `<dir>/usr/share/fonts</dir><cachedir>${folder}/fonts</cachedir>` +
      `<match><test name="family"><string>system-ui</string></test>` +
      `<edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>` +
      `</fontconfig>`,
  );
  return file;
}

async function picture(
  browser: Browser,
  state: Awaited<ReturnType<Awaited<ReturnType<Browser["newContext"]>>["storageState"]>>,
  origin: string,
  name: string,
  look: { colorScheme: "light" | "dark"; width: number; height: number },
): Promise<void> {
  const context = await browser.newContext({
    storageState: state,
    colorScheme: look.colorScheme,
    viewport: { width: look.width, height: look.height },
  });
  const page = await context.newPage();
  await page.goto(origin);
  await page.locator("#live").getByText("Live").waitFor();
  const path = inRepository("docs", "screenshots", `dashboard-${name}.png`);
  await page.screenshot({ path });
  console.log(path);
  await context.close();
}

if (import.meta.main) {
  await script(async () => {
    const program = SYSTEM_PROGRAMS.find(({ name }) => name === "Chromium");
    const executablePath = program && findProgram(program);
    if (executablePath === undefined) throw new Error("Chromium is missing.");
    const folder = Deno.makeTempDirSync({ prefix: "opencode-multi-auth-pictures-" });
    const clock = new Afternoon();
    const simulator = await startSimulator({ clock, redirectPorts: CALLBACK_PORTS });
    const env = {
      HOME: folder,
      PATH: Deno.env.get("PATH") ?? "",
      OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
      OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
    };
    const end = new AbortController();
    const browser = await chromium.launch({
      executablePath,
      env: { ...env, FONTCONFIG_FILE: fonts(folder) },
      args: [...(Deno.uid() === 0 ? ["--no-sandbox"] : []), "--disable-gpu", "--no-first-run"],
    });
    try {
      await live(simulator, clock, env);
      const link = await web(env, end.signal);
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(link);
      await settle(page);
      const state = await context.storageState();
      const { origin } = new URL(link);
      const wide = { width: 1280, height: 1080 };
      await picture(browser, state, origin, "light", { ...wide, colorScheme: "light" });
      await picture(browser, state, origin, "dark", { ...wide, colorScheme: "dark" });
      const phone = { width: 390, height: 844 };
      await picture(browser, state, origin, "phone", { ...phone, colorScheme: "light" });
    } finally {
      end.abort();
      await browser.close();
      await simulator.close();
      Deno.removeSync(folder, { recursive: true });
    }
  });
}
