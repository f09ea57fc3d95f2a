import type { Account } from "../../src/account/account.ts";
import type { RefreshResult } from "../../src/oauth/refresh.ts";
import { createRefresher, type RefreshOutcome } from "../../src/oauth/refresh_transaction.ts";
import { silentLog } from "../../src/platform/log.ts";
import { MemoryStore, testAccount } from "../memory_store.ts";
import { VirtualClock } from "../virtual_clock.ts";

/** In milliseconds. */
export const MINUTE = 60_000;

/** What the issuer answers when all is well. */
export function renewed(account: Account, expiresAt: number): RefreshResult {
  const { alias, generation } = account;
  return {
    kind: "renewed",
    credentials: {
      accessToken: `access-${alias}-${generation + 1}`,
      refreshToken: `refresh-${alias}-${generation + 1}`,
      expiresAt,
    },
  };
}

/** Refreshers over one store in memory. */
export function setUp(options: {
  expiresIn?: number;
  answer?: (account: Account) => RefreshResult | Promise<RefreshResult>;
  accounts?: string[];
} = {}) {
  const clock = new VirtualClock();
  const accounts = (options.accounts ?? ["a"]).map((alias) =>
    testAccount(alias, {
      credentials: {
        accessToken: `access-${alias}`,
        refreshToken: `refresh-${alias}`,
        expiresAt: clock.now() + (options.expiresIn ?? -1),
      },
    })
  );
  const store = new MemoryStore(clock, accounts);
  const sent: string[] = [];
  const notices: string[] = [];
  const make = (adopt?: (account: Account) => Promise<Account["credentials"] | undefined>) =>
    createRefresher({
      store,
      clock,
      random: () => 0.5,
      gapMs: () => 1_000,
      log: silentLog,
      notice: (message) => notices.push(message),
      ...(adopt ? { adopt } : {}),
      exchange: async (account) => {
        sent.push(account.credentials.refreshToken);
        store.journal.push(`send ${account.id}`);
        return await (options.answer?.(account) ?? renewed(account, clock.now() + 240 * MINUTE));
      },
    });
  return { clock, store, sent, notices, make, refresher: make(), account: accounts[0]! };
}

/** Lets a refresh run on the virtual clock to its end. */
export function finish(
  clock: VirtualClock,
  outcome: Promise<RefreshOutcome>,
): Promise<RefreshOutcome> {
  return clock.passUntil(outcome);
}
