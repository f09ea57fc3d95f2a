import { type Clock, sleep } from "../platform/clock.ts";
import { messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import { holderName, isDead } from "../store/lease.ts";
import {
  addLimitTasks,
  claimLimitTask,
  endLimitTask,
  hasLimitTask,
  isPending,
  leaveLimitTasks,
  type LimitKey,
  type LimitRow,
  limitRows,
  pauseLimitTasks,
  settleLeftTasks,
  stopLimitTasks,
} from "../store/limit_tasks.ts";
import type { LocalStore } from "../store/local.ts";
import type { LimitQueue, LimitQueueState, LimitSource, LimitTask } from "./limit_queue.ts";
import type { Question } from "./question.ts";

/** Pause between two looks at what other processes do, in milliseconds. */
const LOOK_MS = 150;
/** Least pause after a refused token, in milliseconds. */
const CAREFUL_MS = 5_000;

/** What a queue needs. */
export interface QueueOptions {
  readonly store: LocalStore;
  readonly ask: Question;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Asked anew for each task. */
  readonly settings: () => { readonly limitsAtOnce: number; readonly limitsGap: number };
  readonly log: Log;
  /** Who this process is among all (default: its own name). */
  readonly holder?: string;
  /** Whether another one has ended (default: asks the system). */
  readonly isGone?: (holder: string) => boolean;
}

/**
 * The queue as one process sees it. Tasks are rows of `state.db`: every process that has added some
 * works on all of them, as many at once as the setting allows on the whole machine, and each process
 * can stop them all. A process that dies leaves nothing that waits for it.
 */
export function createLimitQueue(options: QueueOptions): LimitQueue {
  return new StoredQueue(options);
}

class StoredQueue implements LimitQueue {
  readonly #options: QueueOptions;
  readonly #holder: string;
  readonly #isGone: (holder: string) => boolean;
  /** Questions that this process asks, by account id; one that was stopped may take a while to end. */
  readonly #running = new Map<string, { readonly stop: AbortController; done: Promise<void> }>();
  readonly #closing = new AbortController();
  #working: Promise<void> | undefined;
  /** Whether something was added since the worker looked last. */
  #added = false;
  /** Why this process cannot go on. */
  #failure: unknown;
  /** Who waits for a while, and is woken when there is something new. */
  readonly #sleepers = new Set<AbortController>();

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#holder = options.holder ?? holderName();
    const isGone = options.isGone ?? isDead;
    this.#isGone = (holder) => holder !== this.#holder && isGone(holder);
  }

  async add(accountIds: readonly string[], source: LimitSource): Promise<void> {
    if (accountIds.length === 0 || this.#closing.signal.aborted) return;
    this.#failure = undefined;
    await this.#write((now, db) => {
      settleLeftTasks(db, this.#isGone, now);
      addLimitTasks(db, accountIds, source, this.#holder, now);
    });
    this.#work();
  }

  async stop(): Promise<void> {
    await this.#write((now, db) => {
      stopLimitTasks(db, now);
      // Nothing new begins before every process has looked and ended its own.
      pauseLimitTasks(db, now + 2 * LOOK_MS, now);
    });
    // Nobody waits for them: a token that is being renewed may not be cut off.
    for (const task of this.#running.values()) task.stop.abort();
    this.#wake();
  }

  async state(): Promise<LimitQueueState> {
    const rows = await this.#rows();
    const pending = rows.filter(isPending).length;
    return {
      running: pending > 0,
      done: rows.length - pending,
      total: rows.length,
      stopped: rows.some(({ state }) => state === "stopped"),
      tasks: rows.map(taskOf),
    };
  }

  async settled(): Promise<void> {
    while ((await this.#rows()).some(isPending)) {
      await this.#sleep(LOOK_MS);
      if (this.#closing.signal.aborted) return;
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#wake();
    for (const task of this.#running.values()) task.stop.abort();
    // It may just be beginning one more.
    await this.#working;
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    // Reading shows whether there is anything to leave: a look alone makes no file.
    const rows = await this.#read().catch(() => []);
    const concerned = ({ owners, worker, state }: LimitRow) =>
      isPending({ state }) && (owners.includes(this.#holder) || worker === this.#holder);
    if (rows.some(concerned)) {
      // Where that cannot be written, this process's end says the same.
      await this.#write((now, db) => leaveLimitTasks(db, this.#holder, now))
        .catch((error) => this.#options.log.warn(`limits: ${messageOf(error)}`));
    }
  }

  /** All rows, none of which waits for somebody who is gone. */
  async #rows(): Promise<LimitRow[]> {
    if (this.#failure !== undefined) throw this.#failure;
    const rows = await this.#read();
    const left = rows.some((row) =>
      isPending(row) && (row.owners.every(this.#isGone) || (row.worker && this.#isGone(row.worker)))
    );
    if (!left) return rows;
    await this.#write((now, db) => settleLeftTasks(db, this.#isGone, now));
    return await this.#read();
  }

  #read(): Promise<LimitRow[]> {
    return this.#options.store.files.readState(limitRows, []);
  }

  #write<T>(work: (now: number, db: Parameters<typeof limitRows>[0]) => T): Promise<T> {
    const { store, clock } = this.#options;
    return store.files.writeState((db) => work(clock.now(), db), false);
  }

  /** A store that cannot be written holds the tasks where they are; whoever looks must hear why. */
  #fail(error: unknown): void {
    this.#failure = error;
    this.#options.log.error(`limits: ${messageOf(error)}`);
  }

  /** Works until nothing is pending. */
  #work(): void {
    this.#added = true;
    this.#wake();
    this.#working ??= this.#loop().catch((error) => {
      this.#working = undefined;
      this.#fail(error);
    });
  }

  async #loop(): Promise<void> {
    const { settings } = this.#options;
    while (!this.#closing.signal.aborted) {
      this.#added = false;
      const claim = await this.#write((now, db) => {
        settleLeftTasks(db, this.#isGone, now);
        const busy = new Set(this.#running.keys());
        return claimLimitTask(db, this.#holder, settings().limitsAtOnce, busy, now);
      });
      if (claim.kind === "idle" && this.#running.size === 0) {
        // What was added meanwhile has found a worker that was about to leave.
        if (this.#added) continue;
        this.#working = undefined;
        return;
      }
      if (claim.kind === "task") this.#begin(claim);
      else await this.#sleep(LOOK_MS);
    }
  }

  #begin(task: LimitKey): void {
    const { accountId } = task;
    const stop = new AbortController();
    if (this.#closing.signal.aborted) stop.abort();
    const done = this.#run(task, stop)
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#running.delete(accountId);
        this.#wake();
      });
    this.#running.set(accountId, { stop, done });
  }

  async #run(task: LimitKey, stop: AbortController): Promise<void> {
    const { ask, random, settings } = this.#options;
    const over = new AbortController();
    const watching = this.#watch(task, stop, over.signal);
    const end = await ask(task.accountId, task.source as LimitSource, stop.signal)
      .finally(() => over.abort());
    await watching;
    await this.#write((now, db) => {
      const gap = settings().limitsGap * (0.5 + random());
      const careful = end.kind === "failed" && end.careful ? CAREFUL_MS : 0;
      pauseLimitTasks(db, now + Math.max(gap, careful), now);
      // Stopped meanwhile, or taken for dead: its row says something else by now.
      if (!hasLimitTask(db, task, this.#holder)) return;
      // Closed in the middle: all of it is let go.
      if (stop.signal.aborted) leaveLimitTasks(db, this.#holder, now);
      else if (end.kind === "answered") endLimitTask(db, task, "success", null, now);
      else endLimitTask(db, task, "error", end.error, now);
    });
  }

  /** Ends a task at once when another process has stopped it. */
  async #watch(task: LimitKey, stop: AbortController, over: AbortSignal): Promise<void> {
    const { store, clock } = this.#options;
    while (!over.aborted) {
      await sleep(clock, LOOK_MS, over).catch(() => {});
      if (over.aborted) return;
      const mine = await store.files.readState(
        (db) => hasLimitTask(db, task, this.#holder),
        false,
      ).catch(() => true);
      if (mine) continue;
      stop.abort();
      return;
    }
  }

  /** Waits, but not when there is something new. */
  async #sleep(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#sleepers.add(woken);
    await sleep(this.#options.clock, ms, woken.signal).catch(() => {});
    this.#sleepers.delete(woken);
  }

  #wake(): void {
    for (const sleeper of this.#sleepers) sleeper.abort();
  }
}

function taskOf(row: LimitRow): LimitTask {
  return {
    accountId: row.accountId,
    source: row.source as LimitSource,
    state: row.state,
    queuedAt: row.queuedAt,
    ...(row.startedAt === null ? {} : { startedAt: row.startedAt }),
    ...(row.endedAt === null ? {} : { endedAt: row.endedAt }),
    ...(row.error === null ? {} : { error: row.error }),
  };
}
