import { messageOf } from "../platform/failure.ts";
import type { Log } from "../platform/log.ts";
import { builtin } from "../platform/runtime.ts";
import type { Store } from "../store/store.ts";
import type { JsonBody } from "./body.ts";
import type { PreparedBody } from "./prepared_body.ts";

/** Items whose minter is remembered in memory; the store remembers as many. The oldest go first. */
const MAX_ITEMS = 20_000;
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
 * The store keeps it by hash, so that other processes and the time after a
 * restart know it too. It is asked only for items that this process does not know.
 */
export class ForeignReasoning {
  /** hash of an item -> id of the account that minted it. */
  readonly #minters = new Map<string, string>();

  constructor(
    private readonly store: Pick<Store, "mints" | "setMint">,
    private readonly log: Log,
  ) {}

  /**
   * A body of a conversation that has moved, without what other accounts minted.
   *
   * @param home The account that has served the session so far; the same one when it does not move.
   */
  async readable(body: PreparedBody, accountId: string, home: string): Promise<JsonBody> {
    await this.#recall(body);
    return body.without((encrypted) => {
      const item = hash(encrypted);
      const known = this.#minters.get(item);
      if (known === undefined) this.#learn(item, home);
      return (known ?? home) === accountId;
    });
  }

  /**
   * A body that the account has refused for its reasoning. What it is known to have minted stays,
   * unless that was all that it was shown: then what was known is wrong.
   *
   * @param chosen Whether it had been shown what {@linkcode readable} leaves.
   */
  async mended(body: PreparedBody, accountId: string, chosen: boolean): Promise<JsonBody> {
    await this.#recall(body);
    const mended = body.without((encrypted) => {
      const item = hash(encrypted);
      const known = this.#minters.get(item);
      if (known === accountId && !chosen) return true;
      if (known === undefined || known === accountId) this.#learn(item, NOBODY);
      return false;
    });
    return mended === body.whole ? body.without(() => false) : mended;
  }

  /** Learns what the store knows about the items of a body. A store that cannot be read costs a refusal at most. */
  async #recall(body: PreparedBody): Promise<void> {
    const unknown: string[] = [];
    body.without((encrypted) => {
      const item = hash(encrypted);
      if (!this.#minters.has(item)) unknown.push(item);
      return true;
    });
    if (unknown.length === 0) return;
    try {
      for (const [item, minter] of await this.store.mints(unknown)) this.#remember(item, minter);
    } catch (error) {
      this.log.error(messageOf(error));
    }
  }

  #learn(item: string, accountId: string): void {
    this.#remember(item, accountId);
    this.store.setMint(item, accountId);
  }

  #remember(item: string, accountId: string): void {
    this.#minters.set(item, accountId);
    if (this.#minters.size <= MAX_ITEMS) return;
    const oldest = this.#minters.keys().next();
    if (!oldest.done) this.#minters.delete(oldest.value);
  }
}

function hash(encrypted: string): string {
  return builtin("node:crypto").createHash("sha256").update(encrypted).digest("base64url")
    .slice(0, 16);
}
