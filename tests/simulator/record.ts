/**
 * What the simulator saw: one record for each backend request and each call of the token endpoint,
 * and waiting for one without polling.
 *
 * @module
 */
import { setTimeout as startTimer } from "node:timers";
import { clearTimeout as stopTimer } from "node:timers";

/** One request to the backend. Its fields fill as the answer goes on. */
export interface RequestRecord {
  /** Name of the plan whose access token came along; null when the token is missing or unknown. */
  readonly plan: string | null;
  /** `UPGRADE` for a WebSocket handshake. */
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  /** Query without the question mark, empty when there is none. */
  readonly query: string;
  /** Names in lower case. A known bearer token is replaced by `[access token <n> of <plan>]`, any other by `[unknown token]`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text, decompressed. */
  readonly body: string;
  /** Conversation: header `session-id` or `session_id`, else the body's `prompt_cache_key`, else null. */
  readonly session: string | null;
  /** When it arrived, epoch milliseconds on the simulator's clock. */
  readonly at: number;
  /** HTTP status of the answer; null until there is one. */
  readonly status: number | null;
  /** The kind of the scripted fault that this request met, else null. */
  readonly fault: string | null;
  /** SSE events written so far (a fixture file counts as none). */
  readonly events: number;
  /** Whether the client went away before the answer was complete. */
  readonly aborted: boolean;
  /** Resolves when the answer is over: complete, cut, or given up by the client. */
  readonly closed: Promise<void>;
}

/** One call of the token endpoint or of the revocation endpoint. Never holds a token. */
export interface TokenCallRecord {
  /** `authorization_code`, `refresh_token`, `revoke`, or what the client named. */
  readonly grant: string;
  /** Name of the plan it was about; null when the code or token is unknown. */
  readonly plan: string | null;
  /** Whether tokens were handed out (or revoked), even if the answer never arrived. */
  readonly ok: boolean;
  /** The error code of the answer, or the scripted fault's kind; null when all went well. */
  readonly error: string | null;
  /** How the body was written. */
  readonly format: "form" | "json" | "other";
  /** Codex's `refresh_reason`, else null. */
  readonly reason: string | null;
  /** Epoch milliseconds on the simulator's clock. */
  readonly at: number;
}

/** How long {@linkcode Journal.waitFor} waits unless told otherwise, in real milliseconds. */
const PATIENCE_MS = 10_000;

/** A list that can be waited on. `describe` makes one line of an entry for the message of a wait that failed. */
export class Journal<T> {
  readonly entries: T[] = [];
  readonly #describe: (entry: T) => string;
  readonly #waiting = new Set<{ look(): void; fail(error: Error): void }>();
  #closed = false;

  constructor(describe: (entry: T) => string) {
    this.#describe = describe;
  }

  add(entry: T): void {
    this.entries.push(entry);
    this.changed();
  }

  /** Tells those who wait that an entry is new or has changed. */
  changed(): void {
    for (const waiter of [...this.#waiting]) waiter.look();
  }

  /**
   * Resolves with the first entry, past or future, that fits. Looked at again whenever an entry
   * comes or changes.
   *
   * The limit is in real time, also under a virtual clock: it is there so that a test which waits
   * for something that never comes says so instead of hanging.
   *
   * @param timeoutMs Milliseconds, default 10,000.
   * @throws {Error} when the time is up, naming what was seen, or when the simulator is closed.
   */
  waitFor(fits: (entry: T) => boolean, timeoutMs: number = PATIENCE_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        stopTimer(timer);
        this.#waiting.delete(waiter);
        reject(error);
      };
      const look = () => {
        try {
          const found = this.entries.find(fits);
          if (found === undefined) return;
          stopTimer(timer);
          this.#waiting.delete(waiter);
          resolve(found);
        } catch (error) {
          fail(error as Error);
        }
      };
      const waiter = { look, fail };
      const timer = startTimer(() => {
        const seen = this.entries.slice(-20).map(this.#describe).join("; ") || "nothing";
        fail(new Error(`Waited ${timeoutMs} ms for a record that never came. Seen: ${seen}.`));
      }, timeoutMs);
      if (this.#closed) return fail(new Error("The simulator is closed; nothing more will come."));
      this.#waiting.add(waiter);
      look();
    });
  }

  /** Drops all entries. */
  forget(): void {
    this.entries.length = 0;
  }

  close(): void {
    this.#closed = true;
    for (const waiter of [...this.#waiting]) {
      waiter.fail(new Error("The simulator was closed while a test waited for a record."));
    }
  }
}

/** One line about a request, for messages. */
export function describeRequest(record: RequestRecord): string {
  return `${record.method} ${record.path} by ${record.plan ?? "nobody"} -> ${record.status}`;
}

/** One line about a token call, for messages. */
export function describeTokenCall(record: TokenCallRecord): string {
  return `${record.grant} of ${record.plan ?? "nobody"} -> ${record.error ?? "ok"}`;
}
