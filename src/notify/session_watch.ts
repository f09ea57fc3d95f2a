import type { Clock } from "../platform/clock.ts";
import { asNumber, asObject, asText, type JsonObject } from "../platform/json.ts";
import { redact } from "../platform/redaction.ts";
import { type Notification, oneLine } from "./notification.ts";

/** What is known of one of OpenCode's sessions. */
export interface SessionInfo {
  /** As a person sees it; empty while OpenCode has found none. */
  readonly title: string;
  /** Whether another session has started it. */
  readonly subagent: boolean;
  /** The folder it works in. */
  readonly folder: string;
}

/** One of OpenCode's events, as a plugin gets them. */
export interface SessionEvent {
  readonly type: string;
  readonly properties?: unknown;
}

/** The same session is not told to be idle twice within this, in milliseconds. */
const TWICE_MS = 2_000;
/** Longest wait for the title of a session that no event has described, in milliseconds. */
const DESCRIBE_MS = 500;
/** Sessions that are remembered; the oldest go first. */
const MOST_SESSIONS = 500;
/** Longest text of an error, in characters. */
const ERROR_LIMIT = 200;

interface Watched {
  info: SessionInfo | undefined;
  /** Under way for sessions that began before we did. */
  asked: Promise<void> | undefined;
  /** Whether it works, as far as the person knows. */
  busy: boolean;
  /** Whether its first retry of this run was told. */
  retryTold: boolean;
  idleToldAt: number;
}

/**
 * Makes notifications of OpenCode's events.
 *
 * OpenCode says twice that a session is idle, with `session.status` and with `session.idle`, and at
 * times both once more; what counts is that it was busy before.
 */
export class SessionWatch {
  readonly #sessions = new Map<string, Watched>();

  /**
   * @param options.describe Asks OpenCode about a session; rejects or gives undefined when it does not know.
   * @param options.tell Gets each notification; how to wait for it while the session's title is still asked for.
   */
  constructor(
    private readonly options: {
      clock: Clock;
      describe: (id: string) => Promise<SessionInfo | undefined>;
      tell: (notification: Notification | (() => Promise<Notification>)) => void;
    },
  ) {}

  /** Takes an event in, in the order in which they come. */
  event({ type, properties }: SessionEvent): void {
    const given = asObject(properties) ?? {};
    const id = asText(given["sessionID"]) ?? "";
    switch (type) {
      case "session.created":
      case "session.updated":
        return this.#describe(given);
      case "session.deleted":
        return void this.#sessions.delete(id || infoId(given));
      case "session.status": {
        const status = asObject(given["status"]) ?? {};
        if (status["type"] === "busy") return this.#busy(id);
        if (status["type"] === "retry") return this.#retry(id, status);
        return status["type"] === "idle" ? this.#idle(id) : undefined;
      }
      case "session.idle":
        return this.#idle(id);
      case "session.error":
        return this.#error(id, asObject(given["error"]) ?? {});
    }
  }

  #describe(properties: JsonObject): void {
    const info = readSessionInfo(properties["info"]);
    if (info) this.#watched(asText(properties["sessionID"]) || infoId(properties)).info = info;
  }

  #busy(id: string): void {
    const session = this.#watched(id);
    session.busy = true;
    if (!session.info) session.asked ??= this.#ask(id, session);
  }

  #retry(id: string, status: JsonObject): void {
    this.#busy(id);
    const session = this.#watched(id);
    if (session.retryTold) return;
    session.retryTold = true;
    const next = asNumber(status["next"]);
    const wait = next === undefined ? 0 : Math.round((next - this.options.clock.now()) / 1_000);
    const why = errorText(asText(status["message"]) ?? "");
    const when = wait > 0 ? ` (again in ${wait} s)` : "";
    this.#tell(id, "retry", "Session retries", `${why}${when}`, 4, "hourglass_flowing_sand");
  }

  #idle(id: string): void {
    const session = this.#sessions.get(id);
    if (!session?.busy) return;
    session.busy = false;
    session.retryTold = false;
    const now = this.options.clock.now();
    const since = now - session.idleToldAt;
    if (since >= 0 && since < TWICE_MS) return;
    session.idleToldAt = now;
    this.#tell(id, "idle", "Session idle", "", 3, "white_check_mark");
  }

  #error(id: string, error: JsonObject): void {
    const session = this.#watched(id);
    // The idle event that follows says nothing more.
    session.busy = false;
    session.retryTold = false;
    // The person has stopped it, and knows.
    if (error["name"] === "MessageAbortedError") return;
    const message = asText(asObject(error["data"])?.["message"]) ?? asText(error["message"]) ??
      asText(error["name"]) ?? "";
    this.#tell(id, "error", "Session error", errorText(message), 5, "rotating_light");
  }

  #tell(
    id: string,
    topic: "idle" | "retry" | "error",
    what: string,
    details: string,
    priority: Notification["priority"],
    tag: string,
  ): void {
    const session = this.#watched(id);
    const make = (): Notification => ({
      topic,
      ...(session.info?.subagent ? { also: "subagents" } : {}),
      title: "OpenCode",
      body: `${what}: ${nameOf(id, session.info)}${details === "" ? "" : `\n${details}`}`,
      priority,
      tags: [tag],
      ...(id === "" ? {} : { session: id }),
    });
    const { info, asked } = session;
    this.options.tell(info || !asked ? make() : () => asked.then(make));
  }

  /** Asks for a title, but not for long: OpenCode may be about to end. */
  async #ask(id: string, session: Watched): Promise<void> {
    const { clock, describe } = this.options;
    let cancel = () => {};
    const patience = new Promise<undefined>((resolve) =>
      cancel = clock.after(DESCRIBE_MS, () => resolve(undefined), { background: true })
    );
    try {
      const info = await Promise.race([describe(id), patience]);
      session.info ??= info;
    } catch {
      // Its id has to do.
    } finally {
      cancel();
    }
  }

  #watched(id: string): Watched {
    let session = this.#sessions.get(id);
    if (session) return session;
    session = {
      info: undefined,
      asked: undefined,
      busy: false,
      retryTold: false,
      idleToldAt: Number.NEGATIVE_INFINITY,
    };
    this.#sessions.set(id, session);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MOST_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    return session;
  }
}

/** Reads a session as OpenCode describes it, in events and answers. */
export function readSessionInfo(value: unknown): SessionInfo | undefined {
  const info = asObject(value);
  if (!info) return undefined;
  const title = oneLine(asText(info["title"]) ?? "");
  return {
    // What OpenCode writes until a title is found.
    title: /^(New|Child) session - \d{4}-\d\d-\d\dT/.test(title) ? "" : title,
    subagent: (asText(info["parentID"]) ?? "") !== "",
    folder: oneLine(asText(info["directory"]) ?? ""),
  };
}

function infoId(properties: JsonObject): string {
  return asText(asObject(properties["info"])?.["id"]) ?? "";
}

/** What a person knows a session by: its title, else the project it works in, else its id. */
function nameOf(id: string, info: SessionInfo | undefined): string {
  if (info && info.title !== "") return info.title;
  const project = info?.folder.split(/[\\/]/).findLast((part) => part !== "");
  if (project !== undefined) return `untitled, in ${project}`;
  return id === "" ? "(unnamed)" : oneLine(id, 80);
}

/** An error's text may hold an answer of a server; no token may go out with it. */
function errorText(message: string): string {
  return oneLine(redact(message), ERROR_LIMIT);
}
