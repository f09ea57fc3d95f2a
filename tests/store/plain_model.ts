import type { Account } from "../../src/account/account.ts";
import type { Pin } from "../../src/store/store.ts";
import { testAccount, testCredentials } from "./store_folder.ts";

/** What a store must amount to, without files, processes or time: the contract in maps. */
export class PlainModel {
  accounts: Account[] = [];
  pin: Pin | null = null;
  /** A copy of `accounts.json` that a person has made, and what stood in it. */
  backup: { readonly text: string; readonly accounts: Account[] } | undefined;
  readonly #uses = new Map<string, number>();
  /** Highest generation that an account ever had, until it is removed. */
  readonly #highest = new Map<string, number>();
  /** Refreshes that were begun and have not ended. */
  readonly #notes = new Map<string, { generation: number; token: string | undefined }>();
  /** Refresh tokens that were replaced or refused. */
  readonly #spent = new Set<string>();

  account(id: string): Account | undefined {
    return this.accounts.find((account) => account.id === id);
  }

  uses(id: string): number {
    return this.#uses.get(id) ?? 0;
  }

  /** @returns Whether it may come in. */
  add(name: string): boolean {
    const account = testAccount(name);
    if (this.accounts.some(({ id, alias }) => id === account.id || alias === name)) return false;
    this.accounts = [...this.accounts, account];
    this.#highest.set(account.id, Math.max(1, this.#highest.get(account.id) ?? 0));
    return true;
  }

  remove(id: string): boolean {
    if (!this.account(id)) return false;
    this.accounts = this.accounts.filter((account) => account.id !== id);
    for (const map of [this.#uses, this.#highest, this.#notes]) map.delete(id);
    if (this.pin?.accountId === id) this.pin = null;
    return true;
  }

  edit(id: string, change: (account: Account) => Account): Account | undefined {
    const before = this.account(id);
    if (!before) return undefined;
    const after = change(before);
    this.accounts = this.accounts.with(this.accounts.indexOf(before), after);
    return after;
  }

  swap(id: string, generation: number): Account | undefined {
    const before = this.account(id);
    if (!before || before.generation > generation) return undefined;
    const next = Math.max(generation, this.#highest.get(id) ?? 0) + 1;
    this.#highest.set(id, next);
    const note = this.#notes.get(id);
    if (note && note.generation <= before.generation) this.#notes.delete(id);
    const credentials = testCredentials(id, next);
    this.#spent.add(before.credentials.refreshToken);
    return this.edit(
      id,
      ({ setAside: _, ...rest }) => ({ ...rest, credentials, generation: next }),
    );
  }

  begin(id: string, generation: number): void {
    const account = this.account(id);
    const token = account?.generation === generation ? account.credentials.refreshToken : undefined;
    this.#notes.set(id, { generation, token });
  }

  end(id: string): void {
    this.#notes.delete(id);
    const account = this.account(id);
    if (account) this.#spent.delete(account.credentials.refreshToken);
  }

  refuse(id: string): void {
    const account = this.account(id);
    if (!account) return;
    if ((this.#notes.get(id)?.generation ?? Infinity) <= account.generation) this.#notes.delete(id);
    this.#spent.add(account.credentials.refreshToken);
  }

  open(id: string): number | undefined {
    const account = this.account(id);
    const token = account?.credentials.refreshToken;
    const note = this.#notes.get(id);
    if (note && (note.token === undefined || !token || note.token === token)) {
      return note.generation;
    }
    return token && this.#spent.has(token) ? account?.generation : undefined;
  }

  /** Saves what one process has counted, of accounts that are there. */
  count(pending: ReadonlyMap<string, number>): void {
    for (const [id, uses] of pending) {
      if (this.account(id)) this.#uses.set(id, this.uses(id) + uses);
    }
  }
}
