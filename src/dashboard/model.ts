/**
 * What the dashboard shows, as plain data: everything that a view may know. No token can be in it.
 * Times are epoch milliseconds, shares are percent.
 *
 * @module
 */
import type { LimitTask } from "../limits/limit_queue.ts";
import type { Level } from "../platform/log.ts";
import type { LogLine } from "./log_lines.ts";

export type { LogLine };

/** One window of an account. */
export interface WindowModel {
  readonly minutes: number;
  /** `codex`, or the name of a model's bucket. */
  readonly bucket: string;
  /** The bucket's name for people, where the backend gives one. */
  readonly name?: string | null;
  readonly usedPercent: number;
  /** In the past where the window was reset since it was observed: nothing of it is used then. Null where nobody said. */
  readonly resetsAt: number | null;
  readonly observedAt: number;
  /** Share of the window's time that has gone by, 0 to 100; null where the reset is not known. */
  readonly elapsedPercent: number | null;
  /** Oldest first; at most 60 points. */
  readonly history: readonly { readonly at: number; readonly usedPercent: number }[];
  /** Percent per hour; null where the figures do not carry it. */
  readonly trendPerHour: number | null;
  /** `runs out in 42m`, `about 85 % used at reset`; null where the figures do not carry it. */
  readonly projection: string | null;
}

/** What an account may be doing, the most important first. */
export const ACCOUNT_STATES = [
  "available",
  "blocked",
  "needs login",
  "set aside",
  "disabled",
] as const;
/** One of {@linkcode ACCOUNT_STATES}. */
export type AccountState = typeof ACCOUNT_STATES[number];

/** One account. */
export interface AccountModel {
  readonly id: string;
  readonly alias: string;
  readonly email: string | null;
  readonly plan: string | null;
  readonly workspace: string | null;
  readonly state: AccountState;
  /** Why it is not available, in a few words. */
  readonly reason: string | null;
  /** End of a block; null where none stands or no end is known. */
  readonly blockedUntil: number | null;
  readonly onDevice: boolean;
  /** Whether it served last. */
  readonly serving: boolean;
  readonly pinned: boolean;
  readonly recommended: boolean;
  readonly uses: number;
  readonly tokenExpiresAt: number;
  readonly tokenExpired: boolean;
  readonly refreshedAt: number | null;
  readonly lastUsedAt: number | null;
  /** Conversations that stay on it and were used within the last hour. */
  readonly sessions: number;
  /** The plan's windows shortest first, then those of single models. */
  readonly windows: readonly WindowModel[];
  /** Reset credits that can be used; null where nobody said. */
  readonly resetCredits: number | null;
  readonly tags: readonly string[];
  readonly notes: string;
  /** Models that it cannot serve now, although it is available for others. */
  readonly blockedModels: readonly {
    readonly model: string;
    readonly reason: string;
    /** Null where no end is known. */
    readonly until: number | null;
  }[];
  /** Where it stands in the newest run that asks for figures. */
  readonly limitTask: LimitTask | null;
  /** Where it stands in the newest run that renews tokens. */
  readonly tokenTask: TokenTask | null;
}

/** Where an account stands in the queue that renews tokens. */
export interface TokenTask {
  readonly state: "queued" | "running" | "success" | "error" | "stopped";
  /** One sentence that names the fix; only with the state `error`. */
  readonly error?: string;
}

/** How far a queue has come. */
export interface QueueModel {
  readonly running: boolean;
  readonly done: number;
  readonly total: number;
  readonly stopped: boolean;
}

/** What an uploaded file would bring, until it is confirmed or dropped. */
export interface ImportModel {
  /** Names the plan in the form that confirms it. */
  readonly id: string;
  readonly file: string;
  /** What the file is: `export`, `accounts.json`, `Codex auth.json`, `list`. */
  readonly kind: string;
  readonly rows: readonly {
    readonly alias: string;
    readonly email: string | null;
    readonly action: "add" | "update" | "unchanged" | "kept" | "refused";
    readonly why: string;
  }[];
}

/** A login that is under way. */
export interface LoginModel {
  readonly alias: string;
  readonly way: "browser" | "device" | "paste";
  readonly state: "waiting" | "done" | "failed";
  readonly url: string | null;
  readonly userCode: string | null;
  readonly message: string | null;
}

/** The whole page. */
export interface DashboardModel {
  readonly now: number;
  readonly version: string;
  /** Why nothing can be read or written; null when the store is open. */
  readonly locked: string | null;
  readonly warnings: readonly string[];
  readonly accounts: readonly AccountModel[];
  /** What can be used now, and what comes back next. */
  readonly pool: {
    readonly available: number;
    readonly total: number;
    /** Percent left over all available accounts in the window of that many minutes; null where unknown. */
    readonly left: readonly { readonly minutes: number; readonly percent: number }[];
    readonly nextBack: { readonly alias: string; readonly at: number } | null;
  };
  readonly recommended: { readonly alias: string; readonly reason: string } | null;
  /** `auth.json` of the Codex CLI, in one sentence, and the alias it holds. */
  readonly device: { readonly alias: string | null; readonly text: string; readonly path: string };
  readonly pin: { readonly alias: string; readonly until: number | null } | null;
  readonly choices: readonly {
    readonly at: number;
    readonly session: string | null;
    readonly alias: string;
    readonly reason: string;
    readonly left: string | null;
  }[];
  /** The queue that asks for limits. */
  readonly queue: QueueModel;
  /** The queue that renews tokens. */
  readonly tokens: QueueModel;
  readonly login: LoginModel | null;
  readonly strategy: string;
  readonly settings: readonly {
    readonly name: string;
    readonly value: string;
    readonly about: string;
    /** The words it takes; null for free text. */
    readonly choices: readonly string[] | null;
    /** The environment variable that is in force instead; null when the page may change it. */
    readonly fixedBy: string | null;
  }[];
  /** Local days, oldest first. */
  readonly usage: readonly {
    readonly day: string;
    readonly answers: number;
    readonly input: number;
    readonly cached: number;
    readonly output: number;
  }[];
  readonly log: {
    readonly path: string;
    /** Oldest first; the newest 400. */
    readonly lines: readonly LogLine[];
  };
  /** Only in the page of the session that uploaded it. */
  readonly importing: ImportModel | null;
  /** The sentence that this session's last action left; null when there is none. */
  readonly notice: { readonly kind: "done" | "failed"; readonly text: string } | null;
}

/** How the accounts are ordered. */
export const SORTS = [
  "recommended",
  "short window",
  "long window",
  "expiry",
  "alias",
  "uses",
] as const;
/** One of {@linkcode SORTS}. */
export type Sort = typeof SORTS[number];

/**
 * What a page asks for; everything has a name in its address: `q`, `tag`, `state`, `sort`, `level`,
 * `from`.
 */
export interface Query {
  /** Looked for in alias, email, tags and notes; empty for all. `q` in the address. */
  readonly search: string;
  /** Empty for all. */
  readonly tag: string;
  /** Empty for all. */
  readonly state: AccountState | "";
  readonly sort: Sort;
  /** The least level of log lines that are shown. */
  readonly level: Level;
  /** How many matching accounts come before the first that is shown. */
  readonly from: number;
}

/** The part of the matching accounts that a page shows. */
export interface Listing {
  /** In their order. */
  readonly accounts: readonly AccountModel[];
  /** How many come before them. */
  readonly from: number;
  /** How many match. */
  readonly matching: number;
}

/** What a view knows beside the model: everything that differs from page to page. */
export interface Page {
  /** For the hidden field `csrf` of every form; the script sends it as the header `x-csrf-token`. */
  readonly csrf: string;
  readonly query: Query;
  readonly listing: Listing;
  /** Address of the stream for this page; see `stream.ts` for what it sends. */
  readonly events: string;
}

/** The element id of an account's card. */
export function cardId(accountId: string): string {
  return `account-${accountId}`;
}
