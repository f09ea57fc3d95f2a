import type { Account } from "../account/account.ts";
import type { Refresher } from "../oauth/refresh_transaction.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Settings } from "../platform/settings.ts";
import type { Pool } from "../rotation/pool.ts";
import type { Store } from "../store/store.ts";
import type { Sender } from "./attempt.ts";
import type { Edge } from "./edge.ts";
import type { Exposure } from "./exposure.ts";
import type { ForeignReasoning } from "./foreign_reasoning.ts";
import type { PoolEvent } from "./pool_event.ts";

/** What a request needs to go from account to account. */
export interface JourneyOptions {
  readonly pool: Pool;
  /** Remembers who minted which reasoning. */
  readonly store: Pick<Store, "mints" | "setMint">;
  readonly sender: Sender;
  readonly refresher: Refresher;
  /** Marks an account in the store and in the pool; see `learn`. */
  readonly setAside: (
    account: Account,
    reason: "needs login" | "workspace deactivated",
  ) => Promise<void>;
  /** Asks the usage endpoint about an account whose block is a guess; must not throw. */
  readonly askUsage: (account: Account) => Promise<void>;
  /**
   * Where limits may have ended unseen while nobody used the pool: looks, for a request that finds
   * nobody to send. Says whether it is worth choosing again; throws the signal's reason only.
   */
  readonly catchUp?: (signal: AbortSignal | undefined) => Promise<boolean>;
  /** Shared with whoever else shows accounts to the backend. */
  readonly exposure?: Exposure;
  readonly backend: string;
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly onEvent?: (event: PoolEvent) => void;
}

/** What the requests of one process share. */
export interface SharedState {
  readonly edge: Edge;
  readonly exposure: Exposure;
  readonly foreign: ForeignReasoning;
}
