/**
 * What a visitor of the page has chosen to see, as it stands in the page's address.
 *
 * @module
 */
import type { Level } from "../platform/log.ts";
import type { AccountModel, AccountState, WindowModel } from "./model.ts";

/** Orders of the accounts, with the names that the page gives them. */
export const SORTS = {
  recommended: "Recommended",
  short: "5 h left",
  long: "Week left",
  expiry: "Token expiry",
  uses: "Uses",
  alias: "Alias",
} as const;

/** An order's name. */
export type Sort = keyof typeof SORTS;

/** States that can be asked for, the page's order. */
export const STATES: readonly AccountState[] = [
  "available",
  "blocked",
  "needs login",
  "set aside",
  "disabled",
];

/** Levels of the log, the least first. */
export const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

/** The choice. Empty texts and null choose everything. */
export interface Query {
  /** Words that alias, email, tags or notes must have, in any order. */
  readonly search: string;
  readonly tag: string;
  readonly state: AccountState | null;
  readonly sort: Sort;
  /** The least level of the log's lines. */
  readonly level: Level;
}

/** What a page without a query shows. */
export const EVERYTHING: Query = {
  search: "",
  tag: "",
  state: null,
  sort: "recommended",
  level: "info",
};

/** Reads the choice from an address; whatever it does not know counts as absent. */
export function readQuery(parameters: URLSearchParams): Query {
  const text = (name: string) => (parameters.get(name) ?? "").trim().slice(0, 200);
  const sort = text("sort");
  return {
    search: text("q"),
    tag: text("tag"),
    state: STATES.find((state) => state === text("state")) ?? null,
    sort: Object.hasOwn(SORTS, sort) ? sort as Sort : EVERYTHING.sort,
    level: LEVELS.find((level) => level === text("level")) ?? EVERYTHING.level,
  };
}

/** Accounts that a choice shows, in its order. */
export function choose(accounts: readonly AccountModel[], query: Query): AccountModel[] {
  const words = query.search.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const chosen = accounts.filter((account) =>
    (query.state === null || account.state === query.state) &&
    (query.tag === "" || account.tags.includes(query.tag)) &&
    (words.length === 0 || has(account, words))
  );
  // Sorting is stable: accounts that are equal stay in the person's order.
  return chosen.sort(ORDERS[query.sort]);
}

function has(account: AccountModel, words: readonly string[]): boolean {
  const text = [account.alias, account.email ?? "", ...account.tags, account.notes]
    .join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

type Order = (a: AccountModel, b: AccountModel) => number;

const byAlias: Order = (a, b) => a.alias < b.alias ? -1 : a.alias > b.alias ? 1 : 0;

const ORDERS: Readonly<Record<Sort, Order>> = {
  recommended: (a, b) =>
    Number(b.recommended) - Number(a.recommended) ||
    STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
    (a.state === "blocked" ? soonest(a, b) : score(b) - score(a)),
  short: (a, b) => left(b, shortWindow) - left(a, shortWindow),
  long: (a, b) => left(b, longWindow) - left(a, longWindow),
  expiry: (a, b) => a.tokenExpiresAt - b.tokenExpiresAt,
  uses: (a, b) => b.uses - a.uses,
  alias: byAlias,
};

/** The plan's window of at most a day. */
export function shortWindow({ windows }: AccountModel): WindowModel | undefined {
  return windows.find(({ bucket, minutes }) => bucket === PLAN && minutes <= DAY);
}

/** The plan's window of more than a day. */
export function longWindow({ windows }: AccountModel): WindowModel | undefined {
  return windows.findLast(({ bucket, minutes }) => bucket === PLAN && minutes > DAY);
}

/** The bucket of the plan itself. */
const PLAN = "codex";
/** Minutes. */
const DAY = 1_440;

/** What is left of a window; an account without figures comes after those that have some. */
function left(
  account: AccountModel,
  which: (account: AccountModel) => WindowModel | undefined,
): number {
  const window = which(account);
  return window === undefined ? -1 : 100 - window.usedPercent;
}

/** What is left of the tightest window. */
function score(account: AccountModel): number {
  return Math.min(...[shortWindow, longWindow].map((which) => left(account, which)).filter((n) =>
    n >= 0
  ), 101);
}

function soonest(a: AccountModel, b: AccountModel): number {
  return (a.blockedUntil ?? Infinity) - (b.blockedUntil ?? Infinity) || 0;
}
