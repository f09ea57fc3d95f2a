import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Account } from "../../src/account/account.ts";
import type { Device, DeviceState } from "../../src/codex_cli/device.ts";
import { createDashboard, type Dashboard, type DashboardOptions } from "../../src/dashboard/app.ts";
import { newLinkToken } from "../../src/dashboard/session.ts";
import type { LimitQueue, LimitQueueState, LimitSource } from "../../src/limits/limit_queue.ts";
import type { Refresher, RefreshOutcome } from "../../src/oauth/refresh_transaction.ts";
import { silentLog } from "../../src/platform/log.ts";
import { type Environment, type Paths, resolvePaths } from "../../src/platform/paths.ts";
import { type LocalStore, openLocalStore } from "../../src/store/local.ts";
import { testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

/** The port that the dashboard on the stage believes to serve. */
export const PORT = 3434;
/** What a page of it is called by its browser. */
export const ORIGIN = `http://127.0.0.1:${PORT}`;
const KEY = "a key that only the owner knows, long enough";

/** A browser that has opened a link. */
export interface Visitor {
  readonly cookie: string;
  /** Of the page that it has loaded. */
  readonly csrf: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** Submits a form without script, as a page of ours does. */
  post(
    path: string,
    fields?: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<Response>;
  /** The same with script. */
  script(path: string, fields?: Record<string, string>): Promise<Response>;
}

/** A dashboard without a socket, on a store of its own. */
export interface Stage {
  readonly folder: string;
  readonly paths: Paths;
  readonly env: Environment;
  readonly clock: VirtualClock;
  readonly store: LocalStore;
  readonly dashboard: Dashboard;
  readonly limits: TestQueue;
  readonly device: TestDevice;
  readonly refresher: TestRefresher;
  /** Sends a request as a browser would send it that was told the address. */
  request(
    path: string,
    init?: RequestInit & { headers?: Record<string, string> },
  ): Promise<Response>;
  /** A fresh one-time link's path. */
  link(): string;
  /** Opens a link and the page. */
  visit(): Promise<Visitor>;
  /** Another process of the same person. */
  other(): Promise<LocalStore>;
}

/** A queue that a test moves by hand. */
export class TestQueue implements LimitQueue {
  readonly asked: { readonly ids: readonly string[]; readonly source: LimitSource }[] = [];
  now: LimitQueueState = { running: false, done: 0, total: 0, stopped: false, tasks: [] };
  add(ids: readonly string[], source: LimitSource): Promise<void> {
    this.asked.push({ ids, source });
    const tasks = ids.map((accountId) => ({
      accountId,
      source,
      state: "queued" as const,
      queuedAt: 0,
    }));
    this.now = { running: true, done: 0, total: ids.length, stopped: false, tasks };
    return Promise.resolve();
  }
  stop(): Promise<void> {
    const { total, tasks } = this.now;
    const stopped = tasks.map((task) => ({ ...task, state: "stopped" as const }));
    this.now = { running: false, done: total, total, stopped: true, tasks: stopped };
    return Promise.resolve();
  }
  state = () => Promise.resolve(this.now);
  settled = () => Promise.resolve();
  close = () => Promise.resolve();
}

/** An auth.json in memory. */
export class TestDevice implements Device {
  readonly switched: string[] = [];
  codexRuns = false;
  now: DeviceState = {
    path: "/home/me/.codex/auth.json",
    credentialStore: "file",
    content: { kind: "absent" },
    changedAt: null,
  };
  state = () => Promise.resolve(this.now);
  synced = 0;
  sync() {
    this.synced++;
    const text = "There is nothing new in auth.json.";
    return Promise.resolve({ kind: "unchanged" as const, text });
  }
  switchTo(account: Account) {
    this.switched.push(account.alias);
    this.now = { ...this.now, content: { kind: "account", accountId: account.id } };
    return Promise.resolve({ codexRuns: this.codexRuns });
  }
  watch = () => () => {};
}

/** Renews tokens as a test says. */
export class TestRefresher implements Refresher {
  readonly asked: string[] = [];
  outcome: (account: Account) => RefreshOutcome | Promise<RefreshOutcome> = (account) => ({
    kind: "fresh",
    account,
  });
  async refresh(account: Account): Promise<RefreshOutcome> {
    this.asked.push(account.alias);
    return await this.outcome(account);
  }
  settled = () => Promise.resolve();
}

/** What a stage starts with; the accounts are `personal`, `work` and `spare` unless it says something else. */
export interface StageOptions extends Partial<DashboardOptions> {
  readonly accounts?: readonly Account[];
  /** Prepares the store before the dashboard starts. */
  readonly prepare?: (store: LocalStore, clock: VirtualClock) => Promise<void> | void;
  /** A file of `tests/fixtures/store/` in their place. */
  readonly fixture?: string;
}

/** A sealed store among the fixtures, with a key that is derived fast. */
export const SEALED = "v1-encrypted.json";
/** What opens it. */
export const PASSPHRASE = "fixture-passphrase";

/** Runs a test on a stage that is thrown away afterwards. */
export async function withStage(
  test: (stage: Stage) => Promise<void>,
  options: StageOptions = {},
): Promise<void> {
  const { stage, close } = await openStage(options);
  try {
    await test(stage);
  } finally {
    await close();
  }
}

/** A stage for several tests. */
export async function openStage(
  options: StageOptions = {},
): Promise<{ readonly stage: Stage; readonly close: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "multi-auth-dashboard-"));
  const clock = new VirtualClock();
  const env: Environment = { HOME: folder, ...options.env };
  const paths = resolvePaths(env);
  const open = (environment: Environment) =>
    openLocalStore({ paths, env: environment, clock, random: () => 0.5 });
  const stores: LocalStore[] = [];
  if (options.fixture !== undefined) {
    mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
    cpSync(new URL(`../fixtures/store/${options.fixture}`, import.meta.url), paths.accounts);
  } else {
    const first = await open(env);
    const accounts = options.accounts ??
      ["personal", "work", "spare"].map((alias) => testAccount(alias));
    for (const account of accounts) await first.add(account);
    await options.prepare?.(first, clock);
    await first.close();
  }
  const store = await open(env);
  const limits = new TestQueue();
  const device = new TestDevice();
  const refresher = new TestRefresher();
  const dashboard = createDashboard({
    store,
    paths,
    clock,
    fetch: () => Promise.reject(new TypeError("this test has no network")),
    log: silentLog,
    refresher,
    limits,
    device,
    issuer: "https://issuer.example",
    callbackPorts: [0],
    key: KEY,
    port: () => PORT,
    ...options,
    env,
  });
  await dashboard.start();
  const port = options.port ?? (() => PORT);
  const request: Stage["request"] = async (path, init = {}) =>
    await dashboard.app.request(`http://127.0.0.1:${port()}${path}`, {
      ...init,
      headers: { host: `127.0.0.1:${port()}`, ...init.headers },
    });
  const link = () => `/open/${newLinkToken(KEY, clock.now())}`;
  const stage: Stage = {
    folder,
    paths,
    env,
    clock,
    store,
    dashboard,
    limits,
    device,
    refresher,
    request,
    link,
    visit: () => visit(stage),
    async other() {
      const store = await open(env);
      stores.push(store);
      return store;
    },
  };
  return {
    stage,
    async close() {
      await dashboard.close();
      for (const one of [...stores, store]) await one.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The cookie that an answer sets, as a browser sends it back. */
export function cookieOf(response: Response): string {
  return (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

/** The token in a page. */
export function csrfIn(html: string): string {
  return /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? "";
}

async function visit(stage: Stage): Promise<Visitor> {
  const cookie = cookieOf(await stage.request(stage.link()));
  const get: Visitor["get"] = (path, headers = {}) =>
    stage.request(path, { headers: { cookie, ...headers } });
  const csrf = csrfIn(await (await get("/")).text());
  const send = (path: string, fields: Record<string, string>, headers: Record<string, string>) =>
    stage.request(path, {
      method: "POST",
      headers: {
        cookie,
        origin: ORIGIN,
        "sec-fetch-site": "same-origin",
        "content-type": "application/x-www-form-urlencoded",
        ...headers,
      },
      body: String(new URLSearchParams(fields)),
    });
  return {
    cookie,
    csrf,
    get,
    post: (path, fields = {}, headers = {}) => send(path, { csrf, ...fields }, headers),
    script: (path, fields = {}) => send(path, fields, { "x-csrf-token": csrf }),
  };
}
