import type { Block, BlockScope } from "../quota/block.ts";
import type { QuotaWindow } from "../quota/window.ts";

/** What a pool has just learned, for whoever wants to hear it. */
export type PoolChange =
  | { readonly kind: "blocked"; readonly block: Block }
  | { readonly kind: "lifted"; readonly scope: BlockScope }
  | {
    readonly kind: "windows";
    readonly accountId: string;
    readonly windows: readonly QuotaWindow[];
  };
