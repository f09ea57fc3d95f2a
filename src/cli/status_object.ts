import type { Account } from "../account/account.ts";
import { NO_END } from "../quota/block.ts";
import type { Credits } from "../quota/headers.ts";
import { outlook } from "../quota/projection.ts";
import { PLAN_BUCKET, type QuotaWindow } from "../quota/window.ts";
import { BlockIndex } from "../rotation/eligibility.ts";
import { blocksOf } from "../store/by_hand.ts";
import type { TokenUse } from "../store/past.ts";
import type { Snapshot } from "../store/store.ts";
import { NO_PAST, type Past } from "./status_past.ts";
import { sumTokens, type TokenSums } from "./token_sums.ts";

/** One window in `status --json`. */
export interface StatusWindow {
  readonly minutes: number;
  /** 0 to 100, as last observed; may be from before a reset. */
  readonly usedPercent: number;
  /** Epoch milliseconds. */
  readonly resetsAt: number | null;
  /** Epoch milliseconds. */
  readonly observedAt: number;
  /** Percent of the window per hour; null where the figures do not carry it. */
  readonly trendPerHour: number | null;
  /** `runs out in 42m` or `about 85 % used at reset`; null where the figures do not carry it. */
  readonly projection: string | null;
}

/** One account in `status --json`. Times are epoch milliseconds. */
export interface StatusAccount {
  readonly alias: string;
  readonly email: string | null;
  readonly plan: string | null;
  readonly uses: number;
  readonly lastUsedAt: number | null;
  /** Tokens of the local day; null when there are none. */
  readonly today: TokenSums | null;
  /** End of the access token. */
  readonly expiresAt: number;
  readonly enabled: boolean;
  readonly disableReason: string | null;
  /** End of what keeps the whole account back; {@linkcode NO_END} where no end is known. */
  readonly blockedUntil: number | null;
  readonly blockReason: string | null;
  /** Models that this account cannot serve now. */
  readonly blockedModels: readonly {
    readonly model: string;
    readonly until: number;
    readonly reason: string;
  }[];
  readonly quota: {
    /** The plan's own windows, shortest first. */
    readonly windows: readonly StatusWindow[];
    /** Windows of single models. */
    readonly models: readonly (StatusWindow & {
      readonly bucket: string;
      /** The bucket's name for people, where the backend gives one. */
      readonly name: string | null;
    })[];
  };
  /** Credits that each reset a limit early; null where nobody said. */
  readonly resetCredits: number | null;
  /** Paid credits; null where nobody said. */
  readonly credits: Credits | null;
  readonly tags: readonly string[];
  readonly notes: string;
  /** Whether the Codex CLI of this machine holds it. */
  readonly onDevice: boolean;
}

/** What `status --json` prints. */
export interface StatusObject {
  readonly strategy: string;
  readonly active: string | null;
  readonly locked: boolean;
  readonly pinned: { readonly alias: string; readonly until: number | null } | null;
  readonly accounts: readonly StatusAccount[];
}

/**
 * The status as data.
 *
 * @param now Epoch milliseconds; blocks and pins that have ended by then are left out.
 * @param today The usage ledger of the local day.
 * @param past History and extras of the accounts.
 * @param deviceId The account that the Codex CLI of this machine holds.
 */
export function statusObject(
  strategy: string,
  snapshot: Snapshot,
  now: number,
  today: readonly TokenUse[],
  past: Past = NO_PAST,
  deviceId?: string,
): StatusObject {
  const { accounts, activeId, locked, pin } = snapshot;
  const alias = (id: string | null) => accounts.find((account) => account.id === id)?.alias ?? null;
  const pinned = pin && (pin.until === null || pin.until > now) ? alias(pin.accountId) : null;
  const index = new BlockIndex();
  index.reset(snapshot.blocks);
  return {
    strategy,
    active: alias(activeId),
    locked,
    pinned: pinned === null ? null : { alias: pinned, until: pin?.until ?? null },
    accounts: accounts.map((account) => ({
      ...statusAccount(account, snapshot, index, now, past),
      today: tokensOf(account, today),
      onDevice: account.id === deviceId,
    })),
  };
}

function statusAccount(
  account: Account,
  snapshot: Snapshot,
  index: BlockIndex,
  now: number,
  past: Past,
): Omit<StatusAccount, "today" | "onDevice"> {
  const history = past.histories.get(account.id) ?? [];
  const extras = past.extras.get(account.id);
  const statusWindow = (window: QuotaWindow): StatusWindow => {
    const { minutes, usedPercent, resetsAt, observedAt } = window;
    return { minutes, usedPercent, resetsAt, observedAt, ...outlook(window, history, now) };
  };
  const figures = snapshot.figures.get(account.id);
  const windows = (figures?.windows ?? []).toSorted((a, b) => a.minutes - b.minutes);
  const block = index.on(account, undefined, now);
  return {
    alias: account.alias,
    email: account.email ?? null,
    plan: account.plan ?? null,
    uses: figures?.uses ?? 0,
    lastUsedAt: figures?.lastUsedAt ?? null,
    expiresAt: account.credentials.expiresAt,
    enabled: account.enabled,
    disableReason: account.disabled?.reason ?? null,
    // What needs the person outlasts every block.
    blockedUntil: account.setAside ? NO_END : block?.until ?? null,
    blockReason: account.setAside?.reason ?? block?.reason ?? null,
    blockedModels: blocksOf(account, snapshot.blocks, now)
      .filter((block) => block.model !== "")
      .map(({ model, until, reason }) => ({ model, until, reason })),
    quota: {
      windows: windows.filter((window) => window.bucket === PLAN_BUCKET).map(statusWindow),
      models: windows.filter((window) => window.bucket !== PLAN_BUCKET)
        .map((window) => ({
          bucket: window.bucket,
          name: extras?.bucketNames?.[window.bucket] ?? null,
          ...statusWindow(window),
        })),
    },
    resetCredits: extras?.resetCredits ?? null,
    credits: extras?.credits ?? null,
    tags: account.tags,
    notes: account.notes,
  };
}

function tokensOf(account: Account, today: readonly TokenUse[]): TokenSums | null {
  const uses = today.filter(({ accountId }) => accountId === account.id);
  return uses.length === 0 ? null : sumTokens(uses);
}
