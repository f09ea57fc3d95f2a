import type { Account } from "../account/account.ts";
import type { StrategyName } from "../platform/settings.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../quota/window.ts";

/** What a strategy may look at. */
export interface Field {
  /** All accounts in the person's order. */
  readonly accounts: readonly Account[];
  /** Whether an account may serve this request. */
  readonly eligible: (account: Account) => boolean;
  /** Position of the account that was given a session last; -1 for none. */
  readonly turn: number;
  readonly uses: (account: Account) => number;
  readonly windows: (account: Account) => readonly QuotaWindow[];
  /** The person's share by alias; 1 where nothing is said. */
  readonly weight: (account: Account) => number;
  /** Percent left below which an account is spared while another has more. */
  readonly softThreshold: number;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** An account and, in a few words, why it. */
export interface Pick {
  readonly account: Account;
  readonly reason: string;
}

/** Chooses among the accounts that may serve; undefined when there is none. */
export type Strategy = (field: Field) => Pick | undefined;

const HOUR_MS = 3_600_000;
/** More than any account can lose in an hour, in percent: a window has at least a minute to go. */
const SPARED = 100 * 60 + 1;

/** Every account in turn, whether its token happens to be fresh or not. */
const roundRobin: Strategy = ({ accounts, eligible, turn }) => {
  for (let step = 1; step <= accounts.length; step++) {
    const account = accounts[(turn + step) % accounts.length];
    if (account && eligible(account)) return { account, reason: "next in turn" };
  }
  return undefined;
};

/** The one with the fewest answers; the person's order decides a tie. */
const leastUsed: Strategy = (field) =>
  best(
    field,
    (account) => -field.uses(account),
    (account) => `fewest uses (${field.uses(account)})`,
  );

/** The first in the person's order, until it is used up. */
const drain: Strategy = ({ accounts, eligible }) => {
  const account = accounts.find(eligible);
  return account && { account, reason: "first in order that has quota" };
};

const random: Strategy = (field) => {
  const among = field.accounts.filter(field.eligible);
  const account = among[Math.floor(field.random() * among.length)];
  return account && { account, reason: "drawn at random" };
};

/** Drawn at random in proportion to the person's weights; weight 0 serves only when nobody else can. */
const weighted: Strategy = (field) => {
  const among = field.accounts.filter(field.eligible);
  const total = among.reduce((sum, account) => sum + field.weight(account), 0);
  if (total <= 0) return roundRobin(field);
  let left = field.random() * total;
  for (const account of among) {
    const weight = field.weight(account);
    left -= weight;
    if (left < 0) return { account, reason: `drawn with weight ${weight}` };
  }
  return random(field);
};

/**
 * The one that has most to lose: what is left in its tightest window, over the
 * hours until that window starts anew. Accounts without figures come first, so
 * that they get some; those below the soft threshold come last.
 */
const quota: Strategy = (field) =>
  best(
    field,
    (account) => urgency(field, account),
    (account) => {
      const window = tightest(field, account);
      return window
        ? `${Math.round(100 - window.usedPercent)}% left, most to lose at its reset`
        : "no figures yet";
    },
  );

function urgency(field: Field, account: Account): number {
  const window = tightest(field, account);
  if (!window) return Number.POSITIVE_INFINITY;
  const hours = window.resetsAt === null
    ? window.minutes / 60
    : Math.max(window.resetsAt - field.now, 60_000) / HOUR_MS;
  const left = 100 - window.usedPercent;
  return left / hours - (left < field.softThreshold ? SPARED : 0);
}

/** The plan's fullest window. One whose reset has passed has begun anew, unused, whatever was seen in it before. */
function tightest({ windows, now }: Field, account: Account): QuotaWindow | undefined {
  let worst: QuotaWindow | undefined;
  for (let window of windows(account)) {
    if (window.bucket !== PLAN_BUCKET) continue;
    if (window.resetsAt !== null && window.resetsAt <= now) {
      window = { ...window, usedPercent: 0, resetsAt: null };
    }
    if (!worst || window.usedPercent > worst.usedPercent) worst = window;
  }
  return worst;
}

function best(
  field: Field,
  score: (account: Account) => number,
  reason: (account: Account) => string,
): Pick | undefined {
  let winner: Account | undefined;
  let top = Number.NEGATIVE_INFINITY;
  for (const account of field.accounts) {
    if (!field.eligible(account)) continue;
    const points = score(account);
    if (winner === undefined || points > top) [winner, top] = [account, points];
  }
  return winner && { account: winner, reason: reason(winner) };
}

/** All strategies by the name that the settings use. */
export const strategies: Readonly<Record<StrategyName, Strategy>> = {
  "round-robin": roundRobin,
  "least-used": leastUsed,
  drain,
  random,
  weighted,
  quota,
};
