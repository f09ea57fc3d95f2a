import { accountsIn, olderIn } from "./accounts_content.ts";
import type { Contents } from "./accounts_reading.ts";
import { olderFormats } from "./older.ts";
import type { Pending } from "./pending.ts";
import type { State } from "./state_cache.ts";
import type { Snapshot } from "./store.ts";

/**
 * What `accounts.json`, `state.db` and this process's unsaved changes say
 * together.
 *
 * @param now Epoch milliseconds; blocks that have ended by then are left out.
 */
export function snapshotOf(
  contents: Contents,
  saved: State,
  pending: Pending,
  now: number,
): Snapshot {
  const older = olderIn(contents, now);
  const state = older ? olderFormats().withOlder(saved, older) : saved;
  return {
    accounts: accountsIn(contents),
    figures: pending.over(state.figures),
    blocks: [...state.blocks].filter(([, block]) => block.until > now)
      // Two processes have learned of them in different orders.
      .sort(([a], [b]) => a < b ? -1 : 1).map(([, block]) => block),
    pin: state.pin ?? null,
    activeId: pending.turn.activeId ?? state.activeId ?? null,
    turnId: pending.turn.turnId ?? state.turnId ?? null,
    locked: contents.kind === "locked",
  };
}
