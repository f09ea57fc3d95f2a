import type { Account } from "../account/account.ts";

/**
 * Which models the accounts are known to have, by the backend's own lists. An
 * account without a list may have any.
 */
export class ModelLists {
  #slugs: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  /** Model -> whether any of `#among` that may serve has it: asked for each account, answered once. */
  readonly #offered = new Map<string, boolean>();
  #among: readonly Account[] = [];

  /**
   * Replaces everything that is known.
   *
   * @param slugs By account id, as the backend names models.
   */
  set(slugs: ReadonlyMap<string, ReadonlySet<string>>): void {
    this.#slugs = slugs;
    this.#offered.clear();
  }

  /** Whether this account's list is known and has the model; undefined when there is no list. */
  has(accountId: string, model: string): boolean | undefined {
    return this.#slugs.get(accountId)?.has(model);
  }

  /**
   * Whether only others of these accounts have the model. A model that nobody's
   * list has is held against nobody: lists may be old, and leave models out.
   *
   * @param accounts All of the pool; another array where any of them has changed.
   */
  lacks(accountId: string, model: string | undefined, accounts: readonly Account[]): boolean {
    if (model === undefined || this.has(accountId, model) !== false) return false;
    if (accounts !== this.#among) {
      this.#among = accounts;
      this.#offered.clear();
    }
    let offered = this.#offered.get(model);
    if (offered === undefined) {
      offered = accounts.some((one) =>
        one.enabled && !one.setAside && this.has(one.id, model) === true
      );
      this.#offered.set(model, offered);
    }
    return offered;
  }
}
