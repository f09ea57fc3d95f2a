import { builtin } from "../platform/runtime.ts";

/** Sessions that have moved and are remembered. */
const MAX_SESSIONS = 500;
/** Reasoning items remembered for one session. */
const MAX_ITEMS = 5_000;

/**
 * Encrypted reasoning belongs to the account that minted it; another account
 * refuses a request that carries it. A session that never moved needs nothing
 * of this. When one moves, what its request carries at that moment was minted
 * elsewhere: it is remembered by hash and left out from then on.
 */
export class ForeignReasoning {
  /** session -> hashes of what the session's present account cannot read. */
  readonly #foreign = new Map<string, Set<string>>();

  /** Whether requests of this session need a look at their reasoning at all. */
  concerns(session: string): boolean {
    return this.#foreign.has(session);
  }

  /**
   * The test that `dropReasoning` asks for each item.
   *
   * @param all True when everything in this request is foreign, because the session moves with it.
   */
  keep(session: string | undefined, all: boolean): (encrypted: string) => boolean {
    if (session === undefined) return () => !all;
    const items = this.#items(session);
    return (encrypted) => {
      const hash = builtin("node:crypto").createHash("sha256").update(encrypted).digest("base64url")
        .slice(0, 16);
      if (all && items.size < MAX_ITEMS) items.add(hash);
      return !all && !items.has(hash);
    };
  }

  #items(session: string): Set<string> {
    let items = this.#foreign.get(session);
    if (items) return items;
    this.#foreign.set(session, items = new Set());
    if (this.#foreign.size > MAX_SESSIONS) {
      const oldest = this.#foreign.keys().next();
      if (!oldest.done) this.#foreign.delete(oldest.value);
    }
    return items;
  }
}
