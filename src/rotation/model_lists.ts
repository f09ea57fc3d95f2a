import type { Account } from "../account/account.ts";

/**
 * Which models the accounts are known to have, by the backend's own lists. An
 * account without a list may have any.
 */
export class ModelLists {
  #slugs: ReadonlyMap<string, ReadonlySet<string>> = new Map();

  /** @param slugs By account id, as the backend names models; replaces everything. */
  set(slugs: ReadonlyMap<string, ReadonlySet<string>>): void {
    this.#slugs = slugs;
  }

  /** Whether this account's list is known and has the model; undefined when there is no list. */
  has(accountId: string, model: string): boolean | undefined {
    return this.#slugs.get(accountId)?.has(model);
  }

  /**
   * Whether only others of these accounts have the model. A model that nobody's
   * list has is held against nobody: lists may be old, and leave models out.
   */
  lacks(accountId: string, model: string | undefined, accounts: readonly Account[]): boolean {
    if (model === undefined || this.has(accountId, model) !== false) return false;
    return accounts.some(({ id, enabled, setAside }) =>
      enabled && !setAside && this.has(id, model) === true
    );
  }
}
