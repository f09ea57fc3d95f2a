/**
 * A dashboard's model with something of everything, on an invented evening.
 *
 * @module
 */
import type { AccountModel, DashboardModel, Page, WindowModel } from "../../src/dashboard/model.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Now, in the fixture: a Monday, 6 PM local time. */
export const NOW = new Date(2026, 10, 23, 18, 0, 0).getTime();

/**
 * A window.
 *
 * @param left Percent left.
 * @param resetsIn Milliseconds.
 */
export function window(
  minutes: number,
  left: number,
  resetsIn: number | null,
  more: Partial<WindowModel> & { readonly now?: number } = {},
): WindowModel {
  const { now = NOW, ...rest } = more;
  const elapsed = resetsIn === null ? null : 100 - resetsIn / (minutes * MINUTE) * 100;
  const points = 24;
  return {
    minutes,
    bucket: "codex",
    usedPercent: 100 - left,
    resetsAt: resetsIn === null ? null : now + resetsIn,
    observedAt: now - 2 * MINUTE,
    elapsedPercent: elapsed,
    history: Array.from({ length: points }, (_, index) => {
      const share = index / (points - 1);
      const bend = share + Math.sin(index * 1.7) * 0.04 * (1 - share) * share * 4;
      return {
        at: now - (1 - share) * minutes * MINUTE * (elapsed ?? 50) / 100,
        usedPercent: (100 - left) * Math.min(Math.max(bend, 0), 1),
      };
    }),
    trendPerHour: elapsed ? (100 - left) / (minutes / 60 * elapsed / 100) : null,
    projection: null,
    ...rest,
  };
}

/** An account: available, with both windows. */
export function account(alias: string, more: Partial<AccountModel> = {}): AccountModel {
  return {
    id: `id-${alias}`,
    alias,
    email: `you@${alias}.example`,
    plan: "plus",
    workspace: null,
    state: "available",
    reason: null,
    blockedUntil: null,
    onDevice: false,
    serving: false,
    pinned: false,
    recommended: false,
    uses: 12,
    tokenExpiresAt: NOW + 6 * DAY,
    tokenExpired: false,
    refreshedAt: NOW - 4 * DAY,
    lastUsedAt: NOW - 20 * MINUTE,
    sessions: 0,
    windows: [window(300, 70, 2 * HOUR), window(10_080, 60, 4 * DAY)],
    resetCredits: null,
    tags: [],
    notes: "",
    blockedModels: [],
    limitTask: null,
    tokenTask: null,
    ...more,
  };
}

/** Five accounts in five states. */
export const ACCOUNTS: readonly AccountModel[] = [
  account("backup", {
    plan: "pro",
    recommended: true,
    uses: 4,
    sessions: 1,
    tags: ["spare"],
    windows: [window(300, 92, 3.2 * HOUR), window(10_080, 81, 2.1 * DAY)],
  }),
  account("work", {
    plan: "team",
    workspace: "Example Ltd",
    onDevice: true,
    serving: true,
    uses: 318,
    sessions: 3,
    lastUsedAt: NOW - 40_000,
    tags: ["eu", "client"],
    notes: "Invoices go to the office.",
    resetCredits: 2,
    windows: [
      window(300, 38, 1.6 * HOUR, { projection: "runs out in 58m" }),
      window(10_080, 24, 3.4 * DAY, { projection: "about 95% used at reset" }),
      window(10_080, 88, 3.4 * DAY, { bucket: "gpt-5.3-codex-spark" }),
    ],
    blockedModels: [{ model: "gpt-5.5-pro", reason: "not in the plan", until: null }],
  }),
  account("personal", {
    state: "blocked",
    reason: "usage limit",
    blockedUntil: NOW + 42 * MINUTE,
    uses: 127,
    windows: [window(300, 0, 42 * MINUTE), window(10_080, 55, 5 * DAY)],
  }),
  account("lab", {
    state: "needs login",
    reason: "needs login",
    uses: 51,
    tokenExpiresAt: NOW - 2 * HOUR,
    lastUsedAt: NOW - 3 * DAY,
    windows: [window(10_080, 100, -HOUR)],
  }),
  account("old", {
    state: "disabled",
    reason: null,
    uses: 0,
    lastUsedAt: null,
    windows: [],
    plan: "free",
  }),
];

/** The whole model. */
export function model(more: Partial<DashboardModel> = {}): DashboardModel {
  return {
    now: NOW,
    version: "0.1.0",
    locked: null,
    warnings: [],
    accounts: ACCOUNTS,
    pool: {
      available: 2,
      total: 5,
      left: [{ minutes: 300, percent: 65 }, { minutes: 10_080, percent: 52 }],
      nextBack: { alias: "personal", at: NOW + 42 * MINUTE },
    },
    recommended: { alias: "backup", reason: "most left in both windows, and nobody else needs it" },
    device: {
      alias: "work",
      text: "The Codex CLI here is signed in as work.",
      path: "/home/you/.codex/auth.json",
    },
    pin: null,
    choices: [
      { at: NOW - 40_000, session: "ses_4f1d7a0c", alias: "work", reason: "stays", left: null },
      {
        at: NOW - 6 * MINUTE,
        session: "ses_9be20177",
        alias: "work",
        reason: "next in turn",
        left: "personal (usage limit)",
      },
      {
        at: NOW - 55 * MINUTE,
        session: "ses_08c1aa52",
        alias: "backup",
        reason: "next in turn",
        left: null,
      },
    ],
    queue: { running: false, done: 0, total: 0, stopped: false },
    tokens: { running: false, done: 0, total: 0, stopped: false },
    login: null,
    strategy: "round-robin",
    settings: [
      {
        name: "strategy",
        value: "round-robin",
        about: "which account a new session gets",
        choices: ["round-robin", "least-used", "drain", "random", "weighted", "quota"],
        fixedBy: null,
      },
      {
        name: "maxWait",
        value: "10m",
        about: "longest wait that exhausted=wait asks for",
        choices: null,
        fixedBy: null,
      },
      {
        name: "stall",
        value: "30s",
        about: "how long an answer may be silent before its first useful event",
        choices: null,
        fixedBy: "OPENCODE_MULTI_AUTH_STALL_MS",
      },
    ],
    usage: Array.from({ length: 14 }, (_, index) => {
      const busy = [3, 5, 0, 0, 7, 9, 6, 4, 2, 0, 0, 8, 11, 6][index] ?? 0;
      return {
        day: `2026-11-${String(index + 10).padStart(2, "0")}`,
        answers: busy * 14,
        input: busy * 840_000,
        cached: busy * 690_000,
        output: busy * 41_000,
      };
    }),
    log: {
      path: "/home/you/.config/opencode-multi-auth/logs/codex-soft.log",
      lines: [
        { at: NOW - 70 * MINUTE, level: "debug", text: "model map: gpt-5.5 -> gpt-5.5" },
        { at: NOW - 42 * MINUTE, level: "info", text: "personal hands over to work: usage limit" },
        { at: NOW - 9 * MINUTE, level: "warn", text: "lab needs login: refresh token revoked" },
        { at: NOW - 3 * MINUTE, level: "error", text: "the backend did not answer for 30s" },
      ],
    },
    importing: null,
    notice: null,
    ...more,
  };
}

/** A page that shows everything. */
export function page(shown: DashboardModel, more: Partial<Page> = {}): Page {
  return {
    csrf: "csrf-of-this-visitor",
    query: { search: "", tag: "", state: "", sort: "recommended", level: "info", from: 0 },
    listing: { accounts: shown.accounts, from: 0, matching: shown.accounts.length },
    events: "/events?since=1",
    ...more,
  };
}

/** The text that a person reads, without what is for the eye of a screen reader only. */
export const words = (html: string) =>
  html.replace(/<title>[^<]*<\/title>/g, " ").replace(/<[^>]+>/g, " ").replace(/\s+/g, " ");
