import type { Level } from "../platform/log.ts";
import { PLAN_BUCKET } from "../quota/window.ts";
import {
  ACCOUNT_STATES,
  type AccountModel,
  type AccountState,
  type Listing,
  type Query,
  type Sort,
  SORTS,
} from "./model.ts";

/** Accounts on one page: a browser lays out so many in no time, and few people have more. */
export const PAGE_SIZE = 50;

/** Longest search that is taken, in characters. */
const MAX_SEARCH = 200;
const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];
/** Reads a page's address; what makes no sense counts as absent. */
export function readQuery(parameters: URLSearchParams): Query {
  const text = (name: string) => (parameters.get(name) ?? "").trim().slice(0, MAX_SEARCH);
  const one = <T extends string, S>(words: readonly T[], name: string, standard: S): T | S =>
    words.find((word) => word === parameters.get(name)) ?? standard;
  const from = parameters.get("from") ?? "";
  return {
    search: text("q"),
    tag: text("tag"),
    state: one(ACCOUNT_STATES, "state", ""),
    sort: one<Sort, Sort>(SORTS, "sort", "recommended"),
    level: one<Level, Level>(LEVELS, "level", "info"),
    from: /^\d{1,9}$/.test(from) ? Number(from) : 0,
  };
}

/** The same as an address has it, with a question mark; empty for a page that asks for nothing. */
export function writeQuery({ search, tag, state, sort, level, from }: Query): string {
  const parameters = new URLSearchParams();
  if (search !== "") parameters.set("q", search);
  if (tag !== "") parameters.set("tag", tag);
  if (state !== "") parameters.set("state", state);
  if (sort !== "recommended") parameters.set("sort", sort);
  if (level !== "info") parameters.set("level", level);
  if (from > 0) parameters.set("from", String(from));
  return parameters.size === 0 ? "" : `?${parameters}`;
}

/** What a page of its accounts shows; one that begins behind the last account is the last page. */
export function list(accounts: readonly AccountModel[], query: Query): Listing {
  const matching = arrange(accounts, query);
  const last = Math.floor(Math.max(matching.length - 1, 0) / PAGE_SIZE) * PAGE_SIZE;
  const from = Math.min(query.from, last);
  return {
    accounts: matching.slice(from, from + PAGE_SIZE),
    from,
    matching: matching.length,
  };
}

/** The accounts that match a query, in its order. */
export function arrange(accounts: readonly AccountModel[], query: Query): AccountModel[] {
  const words = query.search.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const shown = accounts.filter((account) =>
    (query.state === "" || account.state === query.state) &&
    (query.tag === "" || account.tags.includes(query.tag)) &&
    (words.length === 0 || matches(account, words))
  );
  const key = KEYS[query.sort];
  if (query.sort === "alias") {
    return shown.sort((a, b) => a.alias.localeCompare(b.alias, undefined, { numeric: true }));
  }
  // Accounts with the same key keep the person's order.
  return shown.map((account) => [key(account), account] as const)
    .sort(([a], [b]) => a === b ? 0 : a - b).map(([, account]) => account);
}

function matches({ alias, email, tags, notes }: AccountModel, words: readonly string[]): boolean {
  const text = [alias, email ?? "", ...tags, notes].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

/** What is sorted by, the smallest first. */
const KEYS: Readonly<Record<Sort, (account: AccountModel) => number>> = {
  recommended: (account) =>
    account.recommended ? -Infinity : RANK[account.state] * 1_000 - left(account),
  "short window": (account) => -remaining(account, Math.min),
  "long window": (account) => -remaining(account, Math.max),
  expiry: ({ tokenExpiresAt }) => tokenExpiresAt,
  alias: () => 0,
  uses: ({ uses }) => -uses,
};

const RANK: Readonly<Record<AccountState, number>> = {
  available: 0,
  blocked: 1,
  "needs login": 2,
  "set aside": 3,
  disabled: 4,
};

/** Percent left in the tightest of the plan's windows; as good as new where nothing is known. */
function left({ windows }: AccountModel): number {
  const plan = windows.filter(({ bucket }) => bucket === PLAN_BUCKET);
  return Math.min(100, ...plan.map(({ usedPercent }) => 100 - usedPercent));
}

/** Percent left in the shortest or longest of the plan's windows; accounts without figures come last. */
function remaining({ windows }: AccountModel, which: (...minutes: number[]) => number): number {
  const plan = windows.filter(({ bucket }) => bucket === PLAN_BUCKET);
  const minutes = which(...plan.map((window) => window.minutes));
  const window = plan.find((window) => window.minutes === minutes);
  return window ? 100 - window.usedPercent : -1;
}
