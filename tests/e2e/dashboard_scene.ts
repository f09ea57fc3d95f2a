/**
 * A dashboard on a real socket and a real clock, and people who look at it through Chromium.
 *
 * @module
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findProgram, SYSTEM_PROGRAMS } from "../../scripts/system_programs.ts";
import type { Account } from "../../src/account/account.ts";
import { createDashboard } from "../../src/dashboard/app.ts";
import { serve } from "../../src/dashboard/serve.ts";
import { newLinkToken } from "../../src/dashboard/session.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { fileLog } from "../../src/platform/log.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { accountSubject } from "../../src/quota/block.ts";
import { type LocalStore, openLocalStore } from "../../src/store/local.ts";
import { TestDevice, TestQueue, TestRefresher } from "../dashboard/stage.ts";
import { testAccount } from "../memory_store.ts";

const KEY = "a key that only the owner knows, long enough";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A dashboard that runs. */
export interface DashboardScene extends AsyncDisposable {
  readonly origin: string;
  readonly env: Readonly<Record<string, string>>;
  /** As another process of the same person has it. */
  readonly store: LocalStore;
  readonly limits: TestQueue;
  readonly device: TestDevice;
  /** A fresh one-time link. */
  link(): string;
}

/** Options of {@linkcode openDashboard}. */
export interface DashboardSceneOptions {
  /** The accounts (default: three, with figures and one block). */
  readonly accounts?: readonly Account[];
  /** A file of `tests/fixtures/store/` in their place. */
  readonly fixture?: string;
  /** How often the first account is there once more, as `a-0`, `a-1`, … */
  readonly copies?: number;
}

/** Starts a dashboard on a store of its own. */
export async function openDashboard(options: DashboardSceneOptions = {}): Promise<DashboardScene> {
  const folder = mkdtempSync(join(tmpdir(), "multi-auth-browser-"));
  const env = { HOME: folder, TZ: "UTC" };
  const paths = resolvePaths(env);
  if (options.fixture !== undefined) {
    mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
    cpSync(new URL(`../fixtures/store/${options.fixture}`, import.meta.url), paths.accounts);
  }
  const open = () => openLocalStore({ paths, env, clock: systemClock, random: () => 0.5 });
  const store = await open();
  if (options.fixture === undefined) await furnish(store, options.accounts);
  if (options.copies) copy(paths.accounts, options.copies);
  const own = await open();
  const [limits, device] = [new TestQueue(), new TestDevice()];
  const log = fileLog({ path: paths.log, clock: systemClock });
  log.info("work serves ses_4f1d7a0c: next in turn");
  log.warn("personal hands over to work: usage limit");
  await log.flush();
  let port = 0;
  const dashboard = createDashboard({
    store: own,
    paths,
    env,
    clock: systemClock,
    fetch: () => Promise.reject(new TypeError("this test has no network")),
    log,
    refresher: new TestRefresher(),
    limits,
    device,
    issuer: "https://issuer.example",
    callbackPorts: [0],
    key: KEY,
    port: () => port,
  });
  const serving = await serve({
    host: "127.0.0.1",
    port: 0,
    fetch: (request) => dashboard.app.fetch(request),
  });
  port = serving.port;
  await dashboard.start();
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    env,
    store,
    limits,
    device,
    link: () => `${origin}/open/${newLinkToken(KEY, systemClock.now())}`,
    [Symbol.asyncDispose]: async () => {
      await dashboard.close();
      await serving.close();
      await store.close();
      await own.close();
      await log.flush();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function furnish(store: LocalStore, accounts?: readonly Account[]): Promise<void> {
  const now = systemClock.now();
  const three = [
    testAccount("personal", { plan: "plus", tags: ["home"] }),
    testAccount("work", { plan: "team", tags: ["client", "eu"], notes: "Invoices to the office" }),
    testAccount("backup", { plan: "pro" }),
  ];
  for (const account of accounts ?? three) await store.add(account);
  if (accounts) return;
  for (const [alias, short, long] of [["personal", 100, 40], ["work", 62, 76], ["backup", 9, 15]]) {
    for (const share of [0.2, 0.5, 0.8, 1]) {
      store.observe({
        accountId: `id-${alias}`,
        uses: 3,
        usedAt: now - 5 * MINUTE,
        windows: [[300, Number(short), 2 * HOUR], [10_080, Number(long), 3 * DAY]].map((
          [minutes = 0, used = 0, resets = 0],
        ) => ({
          bucket: "codex",
          minutes,
          usedPercent: used * share,
          resetsAt: now + resets,
          observedAt: now - (1 - share) * HOUR - MINUTE,
        })),
        tokens: {
          model: "gpt-5.5",
          day: new Date(now).toISOString().slice(0, 10),
          input: 800_000,
          cached: 640_000,
          output: 40_000,
          reasoning: 0,
        },
      });
    }
  }
  await store.flush();
  await store.block({
    subject: accountSubject("id-personal"),
    model: "",
    reason: "usage limit",
    until: now + 2 * HOUR,
    source: "body",
    since: now,
  });
}

/** One account after the other would take longer than all the rest. */
function copy(file: string, copies: number): void {
  const content = JSON.parse(readFileSync(file, "utf8"));
  const [first] = Object.values<object>(content.accounts);
  for (let number = 0; number < copies; number++) {
    const name = `a-${number}`;
    content.accounts[name] = { ...first, id: `id-${name}`, accountId: `ws-${name}` };
  }
  writeFileSync(file, JSON.stringify(content));
}

/** Starts Chromium, cut off from everything but the pages it is given. */
export function startBrowser(): Promise<Browser> {
  const program = SYSTEM_PROGRAMS.find(({ name }) => name === "Chromium");
  const executablePath = program && findProgram(program);
  if (executablePath === undefined) throw new Error("Chromium is missing.");
  return chromium.launch({
    executablePath,
    args: [
      // Root has no other way.
      ...(Deno.uid() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Somebody in front of a page. */
export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** What the page had to complain about: errors, violations of its policy, requests to elsewhere. */
  readonly complaints: string[];
}

/** Opens a fresh link in a browser of its own, and waits for the page to be live where it can be. */
export async function visit(
  browser: Browser,
  scene: Pick<DashboardScene, "origin" | "link">,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    timezoneId: "UTC",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${scene.origin}/`) && !url.startsWith("data:")) complaints.push(url);
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      // Chromium is the one that reports it.
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(scene.link());
  if (options.javaScriptEnabled !== false) {
    await page.locator("#live").getByText("Live").waitFor();
  }
  return {
    page,
    complaints,
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** Looks at the page with axe. */
export async function accessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any
    const result = await (globalThis as any).axe.run();
    return {
      passes: result.passes.length as number,
      violations: result.violations.map((
        { id, nodes }: { id: string; nodes: { html: string }[] },
      ) => `${id}: ${nodes[0]?.html}`) as string[],
    };
  });
  assert.deepEqual(violations, []);
  assert.ok(passes > 15, `axe looked at ${passes} rules only`);
}
