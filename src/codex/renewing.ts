/**
 * Renewing tokens, put together: the exchange with the issuer, the transaction around it, and the
 * login that the Codex CLI may hold as well. A part of its own, because OpenCode starts often and
 * tokens are renewed rarely.
 *
 * @module
 */
import { sharedTokens } from "../codex_cli/shared_tokens.ts";
import { exchangeRefreshToken } from "../oauth/refresh.ts";
import { createRefresher, type Refresher } from "../oauth/refresh_transaction.ts";
import type { Account } from "../account/account.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Environment } from "../platform/paths.ts";
import type { LocalStore } from "../store/local.ts";

/** What renewing needs. */
export interface RenewingOptions {
  readonly store: LocalStore;
  readonly env: Environment;
  readonly fetch: typeof fetch;
  /** Without a slash at the end. */
  readonly issuer: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Pause between two refreshes of this machine, in milliseconds. */
  readonly gapMs: () => number;
  readonly log: Log;
  /** Is told what the person should know, in one sentence. */
  readonly notice?: (message: string) => void;
  readonly onSetAside: (account: Account) => void;
}

/** Renews tokens, and keeps the Codex CLI in step. */
export interface Renewing {
  readonly refresher: Refresher;
  /** Gives the Codex CLI what a process that died in the middle still owed it. */
  heal(accounts: readonly Account[]): Promise<unknown>;
}

/** Puts it together. */
export function createRenewing(options: RenewingOptions): Renewing {
  const { fetch, issuer, clock } = options;
  const shared = sharedTokens(options);
  const refresher = createRefresher({
    ...options,
    adopt: (account) => shared.adopt(account),
    renewed: async (account) => void await shared.give(account),
    exchange: ({ credentials }) => exchangeRefreshToken({ fetch, issuer, credentials, clock }),
  });
  return { refresher, heal: (accounts) => shared.heal(accounts) };
}
