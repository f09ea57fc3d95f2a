/**
 * Who may see the dashboard: one-time links, and the sessions that they open. All of it lives in
 * memory and ends with the process; what is kept of a secret is its digest.
 *
 * @module
 */
import { builtin } from "../platform/runtime.ts";
import type { Clock } from "../platform/clock.ts";
import type { ImportModel } from "./model.ts";

/** How long a link may be opened, in milliseconds. */
export const LINK_MS = 15 * 60_000;
/** How long a session may be idle, in milliseconds. A page that is open is not idle. */
export const IDLE_MS = 12 * 3_600_000;
/** Sessions at once; the one that was idle longest goes. */
const MAX_SESSIONS = 64;

/** What an uploaded file would bring, kept until it is confirmed. */
export interface PendingImport {
  readonly model: ImportModel;
  /** Carries it out. */
  apply(): Promise<string>;
}

/** One browser that has opened a link. */
export interface Session {
  /** Goes with every write. Known to pages of this session only. */
  readonly csrf: string;
  /** When it was last used, epoch milliseconds. */
  seenAt: number;
  /** What its next page says once. */
  notice: { readonly kind: "done" | "failed"; readonly text: string } | null;
  importing: PendingImport | null;
  /** Ends its streams. */
  readonly ended: AbortController;
}

/** 32 random bytes, as text that may stand in an address. */
export function newSecret(): string {
  return builtin("node:crypto").randomBytes(32).toString("base64url");
}

/** Whether two secrets are the same, in a time that does not depend on what they hold. */
export function sameSecret(given: string, expected: string): boolean {
  return builtin("node:crypto").timingSafeEqual(digest(given), digest(expected));
}

/** All sessions of one process. */
export class Sessions {
  readonly #byDigest = new Map<string, Session>();

  constructor(private readonly clock: Pick<Clock, "now">) {}

  /** Opens one. Gives what the cookie holds. */
  open(): string {
    this.#tidy();
    const cookie = newSecret();
    this.#byDigest.set(digest(cookie).toString("hex"), {
      csrf: newSecret(),
      seenAt: this.clock.now(),
      notice: null,
      importing: null,
      ended: new AbortController(),
    });
    return cookie;
  }

  /** The session of a cookie, used now; undefined when there is none or it was idle too long. */
  find(cookie: string | undefined): Session | undefined {
    if (cookie === undefined || cookie === "") return undefined;
    // Looked up by digest: how long that takes says nothing about the cookie.
    const key = digest(cookie).toString("hex");
    const session = this.#byDigest.get(key);
    if (!session) return undefined;
    if (this.clock.now() - session.seenAt >= IDLE_MS) {
      this.#end(key, session);
      return undefined;
    }
    session.seenAt = this.clock.now();
    return session;
  }

  /** Says that a session is in use; false when it has ended. */
  touch(session: Session): boolean {
    if (session.ended.signal.aborted) return false;
    session.seenAt = this.clock.now();
    return true;
  }

  /** Ends one at once, its streams too. */
  end(session: Session): void {
    for (const [key, one] of this.#byDigest) if (one === session) this.#end(key, one);
  }

  /** Ends all. */
  endAll(): void {
    for (const [key, session] of this.#byDigest) this.#end(key, session);
  }

  #end(key: string, session: Session): void {
    this.#byDigest.delete(key);
    session.ended.abort();
  }

  #tidy(): void {
    const byAge = [...this.#byDigest].sort(([, a], [, b]) => b.seenAt - a.seenAt);
    for (const [index, [key, session]] of byAge.entries()) {
      const idle = this.clock.now() - session.seenAt >= IDLE_MS;
      if (idle || index >= MAX_SESSIONS - 1) this.#end(key, session);
    }
  }
}

/**
 * One-time links. A link is the moment of its end, a number nobody has used yet, and a signature
 * over both by a key that the running dashboard shares with its owner's other processes, so that
 * `web --url` can make one without asking the dashboard.
 */
export class Links {
  readonly #used = new Map<string, number>();

  constructor(private readonly key: string, private readonly clock: Pick<Clock, "now">) {}

  /** Whether this link is good; from now on it is not. */
  redeem(token: string): boolean {
    const now = this.clock.now();
    for (const [used, endsAt] of this.#used) if (endsAt <= now) this.#used.delete(used);
    const [, end = "", nonce = "", signature = ""] =
      /^([0-9a-z]{1,12})\.([\w-]{22})\.([\w-]{43})$/.exec(token) ?? [];
    if (!sameSecret(signature, sign(this.key, `link ${end}.${nonce}`))) return false;
    const endsAt = Number.parseInt(end, 36);
    if (!(endsAt > now) || this.#used.has(nonce)) return false;
    this.#used.set(nonce, endsAt);
    return true;
  }
}

/**
 * A new one-time link's token.
 *
 * @param now Epoch milliseconds; it ends {@linkcode LINK_MS} later.
 */
export function newLinkToken(key: string, now: number): string {
  const nonce = builtin("node:crypto").randomBytes(16).toString("base64url");
  const text = `${(now + LINK_MS).toString(36)}.${nonce}`;
  return `${text}.${sign(key, `link ${text}`)}`;
}

/** Answers a challenge, so that whoever has the key knows that the dashboard has it too. */
export function proofOf(key: string, challenge: string): string {
  return sign(key, `proof ${challenge}`);
}

function sign(key: string, text: string): string {
  return builtin("node:crypto").createHmac("sha256", key).update(text).digest("base64url");
}

function digest(text: string) {
  return builtin("node:crypto").createHash("sha256").update(text).digest();
}
