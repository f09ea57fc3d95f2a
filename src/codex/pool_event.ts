import type { Exhaustion } from "./exhausted.ts";

/** What a person may want to hear about while requests run. */
export type PoolEvent =
  | { readonly kind: "moved"; readonly session: string; readonly from: string; readonly to: string }
  | {
    readonly kind: "exhausted";
    readonly exhaustion: Exhaustion;
    /** The caller is told to wait so long, milliseconds; undefined when it is told to stop. */
    readonly waitMs: number | undefined;
  };
