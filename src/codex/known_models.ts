import type { Clock } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import type { Pool } from "../rotation/pool.ts";
import type { LocalStore } from "../store/local.ts";
import { type ModelList, readModelLists } from "../store/models.ts";

/** How soon another process's discovery is noticed while requests come, in milliseconds. */
const LOOK_MS = 60_000;

/** What the accounts are known to have, in memory, for one process. */
export interface KnownModels {
  /** The lists by account id, as they were last read. */
  readonly lists: ReadonlyMap<string, ModelList>;
  /** Those of the accounts that may serve now, or where none may of those at a limit; a moment's throttle does not count. */
  serving(): ModelList[];
  /** Whether nobody may serve a model now: none has it, or who has is held back for longer than a moment. */
  nobodyFor(model: string): boolean;
  /** Reads them before the first choice, later beside the requests. Undefined when nothing is to be waited for. */
  touch(): Promise<void> | undefined;
  /** Reads them now. Never rejects: without lists every account may have every model. */
  read(): Promise<void>;
}

/** Keeps the pool's knowledge of models in step with `state.db`. */
export function knownModels(options: {
  store: LocalStore;
  pool: Pool;
  clock: Clock;
  log: Log;
}): KnownModels {
  const { store, pool, clock, log } = options;
  let lists: ReadonlyMap<string, ModelList> = new Map();
  let readAt = 0;
  let first: Promise<void> | undefined;
  let unread = true;

  const able = (model: string | undefined) =>
    pool.absences(model).filter(({ hindrance: one }) =>
      !one || (one.kind === "blocked" && one.block.reason === "rate limit")
    );

  const read = async () => {
    readAt = clock.now();
    // Whose lists count is known with the accounts. That these cannot be read is for the request to say.
    if (!pool.loaded) await pool.refresh()?.catch(() => {});
    try {
      lists = await readModelLists(store);
      pool.models.set(
        new Map(
          [...lists].map(([id, { models }]) => [id, new Set(models.map(({ slug }) => slug))]),
        ),
      );
    } catch (error) {
      log.debug(`model lists: ${messageOf(error)}`);
    }
  };

  return {
    get lists() {
      return lists;
    },
    serving() {
      const now = able(undefined);
      // Where nobody may, whoever is back in time for this request counts.
      const whose = now.length > 0
        ? now
        : pool.absences(undefined).filter(({ hindrance }) => hindrance?.kind === "blocked");
      return whose.flatMap(({ account }) => lists.get(account.id) ?? []);
    },
    nobodyFor: (model) => able(model).length === 0,
    touch() {
      // All who come meanwhile wait for it: OpenCode begins with two requests at once.
      if (unread) return first ??= read().then(() => void (unread = false));
      if (Math.abs(clock.now() - readAt) >= LOOK_MS) void read();
      return undefined;
    },
    read,
  };
}
