import type { AccountsFile } from "./accounts_file.ts";
import type { StateHolder } from "./state_holder.ts";

/** Notices that somebody else has changed the files of a store since this process read them. */
export class DiskWatch {
  /** What was on disk at the last load. */
  #seen: { readonly accounts: string; readonly state: string } | undefined;
  #accountsChanged = false;

  constructor(private readonly accounts: AccountsFile, private readonly state: StateHolder) {}

  /**
   * Notes what is there now, right before it is read: what changes meanwhile must count as new afterwards. A damaged
   * file is said once; whoever has loaded before goes on with what is in memory until the file changes again.
   *
   * @returns Whether there is a `state.db`.
   */
  look(): boolean {
    this.#accountsChanged = false;
    this.#seen = { accounts: this.#stamp(), state: this.state.stamp() };
    return this.#seen.state !== "";
  }

  /** Whether there is something new. Synchronous and cheap while `state.db` is open. */
  changed(): boolean {
    if (!this.#seen || this.#accountsChanged) return true;
    if (this.state.isOpen) return this.state.changed();
    return this.state.stamp() !== this.#seen.state || this.#stamp() !== this.#seen.accounts;
  }

  /** Our own save is no news to us, if we knew what it was made of: the file of that stamp. */
  saved(before: string): void {
    if (this.#seen?.accounts !== before) return;
    this.#seen = { ...this.#seen, accounts: this.accounts.last?.stamp ?? "" };
  }

  /** A person's edit of `accounts.json` tells nobody; this is where we look. */
  noticeOthers(): void {
    if (this.state.dropIfReplaced()) this.#accountsChanged = true;
    if (this.#seen && this.#stamp() !== this.#seen.accounts) this.#accountsChanged = true;
  }

  /** The stamp of `accounts.json`, also where the system does not let us look. */
  #stamp(): string {
    try {
      return this.accounts.stamp();
    } catch {
      return "unreadable";
    }
  }
}
