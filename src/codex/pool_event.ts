import type { Account } from "../account/account.ts";
import type { Block } from "../quota/block.ts";
import type { QuotaWindow } from "../quota/window.ts";
import type { Exhaustion } from "./exhausted.ts";

/** What a person may want to hear about while requests run. */
export type PoolEvent =
  | { readonly kind: "moved"; readonly session: string; readonly from: string; readonly to: string }
  | {
    readonly kind: "exhausted";
    readonly exhaustion: Exhaustion;
    /** The caller is told to wait so long, milliseconds; undefined when it is told to stop. */
    readonly waitMs: number | undefined;
  }
  | {
    readonly kind: "blocked";
    /** One, or every member of a workspace. */
    readonly accounts: readonly Account[];
    /** For all models; a slow-down of some seconds is not told. */
    readonly block: Block;
  }
  /** A limit is over before its time. */
  | { readonly kind: "lifted"; readonly accounts: readonly Account[] }
  /** It takes no part until the person acts. */
  | { readonly kind: "set aside"; readonly account: Account }
  | {
    readonly kind: "used";
    readonly account: Account;
    /** Those that have reached the lowest of `notifyThresholds`. */
    readonly windows: readonly QuotaWindow[];
  };
