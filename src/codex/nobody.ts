import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Settings } from "../platform/settings.ts";
import type { Pool } from "../rotation/pool.ts";
import { describeExhaustion, exhaustedResponse, waitOf } from "./exhausted.ts";
import { emptyAnswer, lockedAnswer } from "./own_answers.ts";
import type { PoolEvent } from "./pool_event.ts";

/**
 * The answer where no account can serve: why, for each of them.
 *
 * @param unrenewed Accounts whose token has ended and could not be renewed, by id, and why.
 */
export function nobodyAnswer(
  { pool, clock, settings, log, onEvent }: {
    readonly pool: Pool;
    readonly clock: Clock;
    readonly settings: () => Settings;
    readonly log: Log;
    readonly onEvent?: (event: PoolEvent) => void;
  },
  model: string | undefined,
  unrenewed: ReadonlyMap<string, string>,
): Response {
  if (pool.locked) return lockedAnswer();
  if (pool.accounts.length === 0) return emptyAnswer();
  const now = clock.now();
  const exhaustion = describeExhaustion(pool.absences(model), now, unrenewed);
  log.warn(exhaustion.message);
  const waitMs = waitOf(exhaustion, settings(), now);
  onEvent?.({ kind: "exhausted", exhaustion, waitMs });
  return exhaustedResponse(exhaustion, waitMs);
}
