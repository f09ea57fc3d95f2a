import type { ServerResponse } from "node:http";
import { whenClosed } from "./http.ts";
import type { RequestRecord } from "./record.ts";

/** A record whose answer is still being given; the fields mean what {@linkcode RequestRecord} says. */
export class LiveRecord implements RequestRecord {
  readonly plan: string | null;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly session: string | null;
  readonly at: number;
  status: number | null = null;
  fault: string | null = null;
  events = 0;
  aborted = false;
  closed: Promise<void> = Promise.resolve();
  #ourDoing = false;

  constructor(
    seen: Pick<
      RequestRecord,
      "plan" | "method" | "path" | "query" | "headers" | "body" | "session" | "at"
    >,
  ) {
    this.plan = seen.plan;
    this.method = seen.method;
    this.path = seen.path;
    this.query = seen.query;
    this.headers = seen.headers;
    this.body = seen.body;
    this.session = seen.session;
    this.at = seen.at;
  }

  /** Follows the answer to its end. `changed` is called when it is over. */
  follow(response: ServerResponse, changed: () => void): void {
    this.closed = whenClosed(response).then(() => {
      this.aborted = !response.writableFinished && !this.#ourDoing;
      changed();
    });
  }

  /** The connection is about to be destroyed by the simulator, so nobody aborted. */
  cutByUs(): void {
    this.#ourDoing = true;
  }
}
