import { type Account, isOlder } from "../account/account.ts";
import type { Clock } from "../platform/clock.ts";
import type { Settings } from "../platform/settings.ts";
import type { Block, BlockScope } from "../quota/block.ts";
import type { QuotaWindow } from "../quota/window.ts";
import { fullUntil, verdictOf } from "../quota/verdict.ts";
import { localDay } from "../platform/day.ts";
import type { Pin, Snapshot, Store, Tokens } from "../store/store.ts";
import { AffinityMap } from "./affinity.ts";
import { Figures } from "./figures.ts";
import { Explanations, PINNED } from "./explanations.ts";
import type { Absence, Choice, Demand } from "./demand.ts";
import { BlockIndex, type Hindrance, hindrance, isLimit } from "./eligibility.ts";
import { ModelLists } from "./model_lists.ts";
import type { PoolChange } from "./pool_change.ts";
import { type Field, strategies } from "./strategy.ts";

export type { Absence, Choice, Demand } from "./demand.ts";

/** All accounts of one process in memory, kept in step with the store. Choosing touches neither disk nor network. */
export class Pool {
  #accounts: readonly Account[] = [];
  #position = new Map<string, number>();
  readonly #figures = new Figures();
  #blocks = new BlockIndex();
  /** Which models each account is known to have. */
  readonly models: ModelLists = new ModelLists();
  #pin: Pin | null = null;
  #turnId: string | null = null;
  #activeId: string | null = null;
  #locked = false;
  #loading: Promise<void> | undefined;
  #seen: Snapshot | undefined;
  /** Which account each conversation is on. */
  readonly affinity: AffinityMap;
  readonly #explanations: Explanations;

  /**
   * Makes an empty pool; the first {@linkcode Pool.refresh} fills it.
   *
   * @param options.settings Asked at every choice, so that a change counts at once.
   * @param options.random Uniform in [0, 1).
   * @param options.onChange Hears what the pool learns itself; not what other processes have stored.
   */
  constructor(
    private readonly options: {
      store: Store;
      clock: Clock;
      random: () => number;
      settings: () => Settings;
      onChange?: (change: PoolChange) => void;
    },
  ) {
    this.affinity = new AffinityMap(options.store, options.clock);
    this.#explanations = new Explanations(options.store);
  }

  /** Reads the store if another process changed it. Resolves without any I/O otherwise. */
  refresh(): Promise<void> | undefined {
    if (this.#seen && !this.#loading && !this.options.store.changed(this.#seen)) return undefined;
    this.#loading ??= this.snapshot().then(() => {}).finally(() => this.#loading = undefined);
    return this.#loading;
  }

  /** Reads the store anew and gives what it says: whoever loads it past the pool takes its news away. */
  snapshot(): Promise<Snapshot> {
    return this.options.store.load().then((snapshot) => (this.#take(snapshot), snapshot));
  }

  /** Whether the store has been read at all. */
  get loaded(): boolean {
    return this.#seen !== undefined;
  }

  /** Accounts in the person's order. */
  get accounts(): readonly Account[] {
    return this.#accounts;
  }

  /** Whether the store is sealed and no passphrase opens it. */
  get locked(): boolean {
    return this.#locked;
  }

  /** The account as the pool knows it now. */
  account(id: string): Account | undefined {
    const position = this.#position.get(id);
    return position === undefined ? undefined : this.#accounts[position];
  }

  /**
   * Chooses an account. Call {@linkcode refresh} before.
   *
   * A pin comes first, then the account the session is on, then the strategy.
   *
   * @param tried Accounts that this request must not ask again, by id, and what came of them.
   * @returns undefined when nobody may serve; {@linkcode absences} tells why.
   */
  async choose(
    demand: Demand,
    tried: ReadonlyMap<string, string>,
  ): Promise<Choice | undefined> {
    const { session, parent } = demand;
    if (session !== undefined && this.affinity.get(session) === undefined) {
      await this.affinity.recall(session);
      if (parent !== undefined) await this.affinity.recall(parent);
    }
    // From here on nothing waits: two requests of one session cannot part ways.
    const now = this.options.clock.now();
    const eligible = (account: Account) =>
      !tried.has(account.id) && this.#hindrance(account, demand.model, now) === undefined;
    const homeId = session === undefined ? undefined : this.affinity.get(session);
    const choice = this.#pinned(eligible, now) ?? this.#stay(homeId, parent, eligible) ??
      this.#draw(eligible, now, parent, homeId !== undefined);
    if (!choice) return undefined;
    const id = choice.account.id;
    const movedFrom = homeId !== undefined && homeId !== id ? homeId : undefined;
    if (session !== undefined) this.affinity.set(session, id);
    if (id !== this.#activeId) {
      this.#activeId = id;
      this.options.store.setTurn({ activeId: id });
    }
    const explanation = { at: now, session, accountId: id, reason: choice.reason };
    this.#explanations.note(explanation, homeId, (home) => {
      const account = this.account(home);
      return {
        account,
        hindrance: account && this.#hindrance(account, demand.model, now),
        tried: tried.get(home),
      };
    });
    return movedFrom === undefined ? choice : { ...choice, movedFrom };
  }

  /** Every account with what keeps it from serving this model now. */
  absences(model: string | undefined): Absence[] {
    const now = this.options.clock.now();
    return this.#accounts.map((account) => ({
      account,
      hindrance: this.#hindrance(account, model, now),
    }));
  }

  #hindrance(account: Account, model: string | undefined, now: number): Hindrance | undefined {
    const lacks = () => this.models.lacks(account.id, model, this.#accounts);
    return hindrance(account, this.#blocks, model, now, lacks);
  }

  /** Notes an answered request. */
  answered(accountId: string): void {
    this.#figures.count(accountId);
    this.options.store.observe({ accountId, uses: 1, usedAt: this.options.clock.now() });
  }

  /** Enters into the usage ledger what an answer has cost, on the day it is here now. */
  spent(accountId: string, model: string, tokens: Tokens): void {
    const day = localDay(this.options.clock.now());
    this.options.store.observe({ accountId, tokens: { ...tokens, model, day } });
  }

  /** Takes quota figures in; what they mean for the account is told by `verdictOf`. */
  async observe(accountId: string, windows: readonly QuotaWindow[]): Promise<void> {
    const newer = this.#figures.learn(accountId, windows);
    if (newer.length === 0) return;
    this.options.store.observe({ accountId, windows: newer });
    this.options.onChange?.({ kind: "windows", accountId, windows: newer });
    const verdict = verdictOf(accountId, newer, this.fullUntil(accountId));
    if (verdict.block) await this.block(verdict.block);
    else if (verdict.freeAt !== undefined) await this.lift(verdict.scope, verdict.freeAt);
  }

  /** See {@linkcode fullUntil}. */
  fullUntil(accountId: string): number {
    return fullUntil(this.#figures.windows(accountId), this.options.clock.now());
  }

  /** Blocks at once, here and in the store, where {@linkcode BlockIndex.admits} it. */
  async block(block: Block): Promise<void> {
    if (!this.#blocks.admits(block, this.options.clock.now())) return;
    this.#blocks.set(block);
    this.options.onChange?.({ kind: "blocked", block });
    await this.options.store.block(block);
  }

  /** Ends a block by a spent quota early, unless its evidence is as new as this (epoch ms). */
  async lift(scope: BlockScope, evidenceAt: number): Promise<void> {
    const block = this.#blocks.get(scope);
    if (!block || !isLimit(block) || block.since >= evidenceAt) return;
    this.#blocks.delete(scope);
    this.options.onChange?.({ kind: "lifted", scope });
    await this.options.store.unblock(scope, evidenceAt);
  }

  /** Pins an account, or none, here and in the store. */
  async pin(pin: Pin | null): Promise<void> {
    await this.options.store.setPin(pin);
    this.#explanations.forgetPin();
    this.#pin = pin;
  }

  /** The blocks of an account by a spent quota, its own or its workspace's; none unless it takes part. */
  limits(account: Account): Block[] {
    if (!account.enabled || account.setAside) return [];
    return this.#blocks.limits(account, this.options.clock.now());
  }

  /** Whether any quota is spent now, of whomever. Quick where nothing is blocked. */
  get limited(): boolean {
    return this.#blocks.limited(this.options.clock.now());
  }

  /** Another number than before as soon as a limit, or an account in the store, may have changed. */
  get limitsVersion(): number {
    return this.#blocks.version;
  }

  /** Takes over an account that has changed: new credentials, set aside, and so on. */
  replace(account: Account): void {
    const position = this.#position.get(account.id);
    if (position === undefined) return;
    const before = this.#accounts[position];
    if (before && isOlder(account, before)) return;
    this.#accounts = this.#accounts.with(position, account);
  }

  #pinned(eligible: (account: Account) => boolean, now: number): Choice | undefined {
    const pin = this.#pin;
    if (!pin || (pin.until !== null && pin.until <= now)) return undefined;
    const account = this.account(pin.accountId);
    return account && eligible(account) ? { account, reason: PINNED } : undefined;
  }

  #stay(
    homeId: string | undefined,
    parent: string | undefined,
    eligible: (account: Account) => boolean,
  ): Choice | undefined {
    if (this.options.settings().rotate === "request") return undefined;
    const home = homeId === undefined ? undefined : this.account(homeId);
    if (home) return eligible(home) ? { account: home, reason: "session stays" } : undefined;
    // A sub-agent begins where its parent is, whose prompt it shares.
    const parentId = parent === undefined ? undefined : this.affinity.get(parent);
    const family = parentId === undefined ? undefined : this.account(parentId);
    if (family?.alias === this.options.settings().interactive) return undefined;
    return family && eligible(family) ? { account: family, reason: "with its parent" } : undefined;
  }

  #draw(
    eligible: (account: Account) => boolean,
    now: number,
    parent: string | undefined,
    moves: boolean,
  ): Choice | undefined {
    const settings = this.options.settings();
    const field: Field = {
      accounts: this.#accounts,
      eligible,
      turn: this.#turnId === null ? -1 : this.#position.get(this.#turnId) ?? -1,
      uses: (account) => this.#figures.uses(account.id),
      windows: (account) => this.#figures.windows(account.id),
      weight: (account) =>
        Object.hasOwn(settings.weights, account.alias) ? settings.weights[account.alias] ?? 1 : 1,
      softThreshold: settings.softThreshold,
      now,
      random: this.options.random,
    };
    const strategy = strategies[settings.strategy];
    // Sub-agents leave the person's own account alone, if another can serve.
    const spared = parent === undefined ? "" : settings.interactive;
    // A session that moves would soon move again from where another of its models is at its limit.
    const whole = moves && settings.rotate === "session";
    const others = (account: Account) =>
      account.alias !== spared && eligible(account) && !(whole && this.limits(account).length > 0);
    const pick = ((spared || whole) && strategy({ ...field, eligible: others })) || strategy(field);
    if (pick) {
      this.#turnId = pick.account.id;
      this.options.store.setTurn({ turnId: pick.account.id });
    }
    return pick;
  }

  #take(snapshot: Snapshot): void {
    this.#seen = snapshot;
    this.#locked = snapshot.locked;
    this.#accounts = snapshot.accounts.map((account) => {
      // Tokens that could not be saved yet live here only: an older generation never wins.
      const mine = this.account(account.id);
      return mine && isOlder(account, mine) ? mine : account;
    });
    this.#position = new Map(this.#accounts.map((account, index) => [account.id, index]));
    this.#blocks.reset(snapshot.blocks);
    if (this.#pin?.accountId !== snapshot.pin?.accountId) this.#explanations.forgetPin();
    this.#pin = snapshot.pin;
    this.#turnId = snapshot.turnId;
    this.#activeId = snapshot.activeId;
    this.#figures.merge(snapshot.figures);
  }
}
