/**
 * The contract of the queue that asks for every account's figures: one for the whole machine, shared
 * by the command line and the dashboard.
 *
 * @module
 */

/** How an account's figures are asked for; `auto` takes the cheapest way that answers. */
export type LimitSource = "auto" | "usage" | "app-server" | "exec";

/** Where one question about an account stands in the queue. */
export interface LimitTask {
  readonly accountId: string;
  readonly source: LimitSource;
  readonly state: "queued" | "running" | "success" | "error" | "stopped";
  /** Epoch milliseconds. */
  readonly queuedAt: number;
  /** Epoch milliseconds. */
  readonly startedAt?: number;
  /** Epoch milliseconds. */
  readonly endedAt?: number;
  /** One sentence that names the fix; only with the state `error`. */
  readonly error?: string;
}

/** The newest run as a whole. Results stay until the next run. */
export interface LimitQueueState {
  /** Whether tasks are queued or running now. */
  readonly running: boolean;
  /** Tasks that have ended, in whatever way. */
  readonly done: number;
  readonly total: number;
  /** Whether the person has stopped it. */
  readonly stopped: boolean;
  /** In the order in which they run. */
  readonly tasks: readonly LimitTask[];
}

/** Asks for figures, one account after the other with a jittered pause. What it knows is in `state.db`. */
export interface LimitQueue {
  /**
   * Adds accounts to the run that is under way, or begins one. Who asks the same way for one that already
   * waits, waits with the others; who asks another way gets a question of their own.
   */
  add(accountIds: readonly string[], source: LimitSource): Promise<void>;
  /** Marks what runs and what waits as stopped, and ends what runs as fast as it can be. */
  stop(): Promise<void>;
  /** Rejects when the store cannot be written, so that nothing goes on; `add` tries anew. */
  state(): Promise<LimitQueueState>;
  /** Resolves when nothing is queued or running any more; rejects as `state` does. */
  settled(): Promise<void>;
  /** Lets go of everything; what is under way is stopped. */
  close(): Promise<void>;
}
