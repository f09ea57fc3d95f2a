import { builtin } from "../platform/runtime.ts";

/** Reasoning items whose minter is remembered; the oldest go first. */
const MAX_ITEMS = 20_000;
/** Sessions remembered to need a look; the oldest go first. */
const MAX_SESSIONS = 5_000;
/** In the place of an account: refused, so whoever minted it, nobody here is known to read it. */
const NOBODY = "";

/**
 * Who minted which encrypted reasoning. An account refuses a request that
 * carries another one's.
 *
 * Nothing is read from answers on their way: each request of a conversation
 * repeats its items, so it is early enough to look when the conversation moves.
 * What it carries then, and nobody is known to have minted, comes from the
 * account that it leaves. From there on its requests are looked at; a
 * conversation that never moves costs nothing.
 *
 * It lives in memory only. After a restart a conversation that had moved is
 * refused once, and goes on without the reasoning that it had until then; that
 * is cheaper than a write for each item.
 */
export class ForeignReasoning {
  /** hash of an item -> id of the account that minted it. */
  readonly #minters = new Map<string, string>();
  readonly #sessions = new Set<string>();

  /** Whether requests of this session need a look at their reasoning at all. */
  concerns(session: string): boolean {
    return this.#sessions.has(session);
  }

  /**
   * The test that `dropReasoning` asks for each item, for a request that goes to an account.
   *
   * @param home The account that has served the session so far; the same one when it does not move.
   */
  keep(session: string, accountId: string, home: string): (encrypted: string) => boolean {
    this.#remember(session);
    return (encrypted) => {
      const item = hash(encrypted);
      const known = this.#minters.get(item);
      if (known === undefined) this.#set(item, home);
      return (known ?? home) === accountId;
    };
  }

  /**
   * The same for a request that the account has refused for its reasoning. What it is known to have
   * minted stays, unless that was all that it was shown: then what was known is wrong.
   */
  keepRefused(session: string | undefined, accountId: string): (encrypted: string) => boolean {
    if (session === undefined) return () => false;
    const chosen = this.concerns(session);
    this.#remember(session);
    return (encrypted) => {
      const item = hash(encrypted);
      const known = this.#minters.get(item);
      if (known === accountId && !chosen) return true;
      if (known === undefined || known === accountId) this.#set(item, NOBODY);
      return false;
    };
  }

  #set(item: string, accountId: string): void {
    this.#minters.set(item, accountId);
    if (this.#minters.size > MAX_ITEMS) forgetOldest(this.#minters);
  }

  #remember(session: string): void {
    this.#sessions.add(session);
    if (this.#sessions.size > MAX_SESSIONS) forgetOldest(this.#sessions);
  }
}

function hash(encrypted: string): string {
  return builtin("node:crypto").createHash("sha256").update(encrypted).digest("base64url")
    .slice(0, 16);
}

function forgetOldest(kept: Map<string, unknown> | Set<string>): void {
  const oldest = kept.keys().next();
  if (!oldest.done) kept.delete(oldest.value);
}
