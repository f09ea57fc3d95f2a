import { chromium } from "playwright-core";
import { systemClock } from "../../src/platform/clock.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { inRepository } from "../repository.ts";
import { findProgram, SYSTEM_PROGRAMS } from "../system_programs.ts";
import { type Effort, type Figure, median, output, rounds } from "./measure.ts";
import { setStage, type Stage } from "./stage.ts";

const ACCOUNTS = 1_000;
/** The most that the first paint may take, in milliseconds. */
const PAINT_MS = 300;

/**
 * The dashboard of a thousand accounts: how long its page takes, and how much an update sends.
 *
 * @param node The program that runs it.
 */
export async function measureDashboard(node: string, effort: Effort): Promise<Figure[]> {
  const stage = await setStage({ accounts: ACCOUNTS });
  await giveFigures(stage);
  const cli = inRepository("npm", "cli.js");
  const web = new Deno.Command(node, {
    args: [cli, "web", "--port", "0"],
    env: stage.env,
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    const link = await linkOf(web.stdout);
    const opened = await fetch(link, { redirect: "manual" });
    await opened.body?.cancel();
    const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
    const page = new URL("/", link).href;
    const times: { first: number; whole: number; bytes: number }[] = [];
    for (let n = 0; n < rounds(20, effort); n++) times.push(await load(page, cookie));
    const figures: Figure[] = [
      figure("first byte of its page", median(times.map(({ first }) => first)), "ms"),
      figure("its whole page", median(times.map(({ whole }) => whole)), "ms"),
      figure("size of its page", median(times.map(({ bytes }) => bytes)) / 1_048_576, "MB"),
      figure("bytes of an update of one account", await update(page, cookie, node, cli, stage), ""),
    ];
    const paint = await firstPaint(page, cookie, effort);
    if (paint !== undefined) {
      figures.unshift({ ...figure("first paint of its page", paint, "ms"), budget: PAINT_MS });
    }
    return figures;
  } finally {
    web.kill("SIGTERM");
    await web.status;
    await stage.close();
  }
}

function figure(what: string, value: number, unit: string): Figure {
  return {
    what: `dashboard, ${ACCOUNTS} accounts: ${what}`,
    value,
    unit,
    noisy: unit === "ms",
  };
}

/** Two windows for each account, as traffic brings them. */
async function giveFigures({ env }: Stage): Promise<void> {
  const store = await openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
  const { accounts } = await store.load();
  const now = systemClock.now();
  for (const [n, { id }] of accounts.entries()) {
    const windows = [300, 10_080].map((minutes) => ({
      bucket: "codex",
      minutes,
      usedPercent: (n * 7 + minutes) % 100,
      resetsAt: now + minutes * 30_000,
      observedAt: now,
    }));
    store.observe({ accountId: id, uses: n, usedAt: now, windows });
  }
  await store.close();
}

/** The one-time link that the program prints. Its output is left open: it would end with its reader. */
async function linkOf(stdout: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stdout.getReader();
  const decoder = new TextDecoder();
  let said = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`web printed no link: ${said}`);
    said += decoder.decode(value, { stream: true });
    const link = /http:\/\/127\.0\.0\.1:\d+\/open\/\S+/.exec(said)?.[0];
    if (link !== undefined) return link;
  }
}

async function load(page: string, cookie: string) {
  const start = performance.now();
  const response = await fetch(page, { headers: { cookie } });
  let first = Number.NaN;
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    if (bytes === 0) first = performance.now() - start;
    bytes += chunk.length;
  }
  return { first, whole: performance.now() - start, bytes };
}

/** What the page's stream sends when another process switches one account off. */
async function update(
  page: string,
  cookie: string,
  node: string,
  cli: string,
  stage: Stage,
): Promise<number> {
  const ending = new AbortController();
  const html = await (await fetch(page, { headers: { cookie } })).text();
  const events = /data-events="([^"]+)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const stream = await fetch(new URL(events, page), {
    headers: { cookie, accept: "text/event-stream" },
    signal: ending.signal,
  });
  let bytes = 0;
  const reading = (async () => {
    try {
      for await (const chunk of stream.body ?? []) bytes += chunk.length;
    } catch {
      // Ended by us.
    }
  })();
  // What else may have changed since the page was made comes before.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const before = bytes;
  await output(node, [cli, "disable", "account-7"], stage.env);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const changed = bytes - before;
  ending.abort();
  await reading;
  if (changed === 0) throw new Error("The page was not told of the change.");
  return changed;
}

/** Milliseconds to the first contentful paint in Chromium; undefined where there is none. */
async function firstPaint(
  address: string,
  cookie: string,
  effort: Effort,
): Promise<number | undefined> {
  const program = SYSTEM_PROGRAMS.find(({ name }) => name === "Chromium");
  const executablePath = program && findProgram(program);
  if (executablePath === undefined) return undefined;
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    const context = await browser.newContext();
    const [name = "", value = ""] = cookie.split("=");
    await context.addCookies([{ name, value, url: address }]);
    const page = await context.newPage();
    const paints: number[] = [];
    for (let n = 0; n < rounds(15, effort); n++) {
      await page.goto(address);
      paints.push(
        await page.evaluate(() =>
          performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN
        ),
      );
    }
    return median(paints);
  } finally {
    await browser.close();
  }
}
