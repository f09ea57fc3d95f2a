import type { QuotaWindow } from "../src/quota/window.ts";
import type { Account, Credentials } from "../src/account/account.ts";
import type { Block, BlockScope } from "../src/quota/block.ts";
import type {
  AccountEdit,
  Affinity,
  Explanation,
  Lease,
  Observation,
  Pin,
  Snapshot,
  Store,
} from "../src/store/store.ts";
import type { Clock } from "../src/platform/clock.ts";

/** A store without a disk, for tests of what stands above it. `writes` can be made to fail. */
export class MemoryStore implements Store {
  accounts: Account[];
  readonly observations: Observation[] = [];
  readonly explanations: Explanation[] = [];
  readonly blocks = new Map<string, Block>();
  readonly affinities = new Map<string, Affinity>();
  readonly minters = new Map<string, string>();
  /** How often it was asked who minted something. */
  mintQuestions = 0;
  readonly open = new Map<string, number>();
  readonly refused = new Set<string>();
  /** Every durable step in order, by name. */
  readonly journal: string[] = [];
  pin: Pin | null = null;
  turn: { activeId: string | null; turnId: string | null } = { activeId: null, turnId: null };
  isLocked = false;
  loads = 0;
  /** Thrown by the next credential writes, as a full disk does. */
  failing: Error | undefined;
  #changed = false;
  readonly #leases = new Map<string, { holder: symbol | undefined; until: number }>();

  constructor(private readonly clock: Clock, accounts: Account[] = []) {
    this.accounts = accounts;
  }

  /** Says that another process changed something. */
  touch(): void {
    this.#changed = true;
  }

  load(): Promise<Snapshot> {
    this.loads++;
    this.#changed = false;
    const figures = new Map<string, { uses: number; windows: QuotaWindow[] }>();
    for (const { accountId, uses = 0, windows = [] } of this.observations) {
      const before = figures.get(accountId) ?? { uses: 0, windows: [] };
      const old = before.windows.filter((one) =>
        !windows.some(({ bucket, minutes }) => one.bucket === bucket && one.minutes === minutes)
      );
      figures.set(accountId, { uses: before.uses + uses, windows: [...old, ...windows] });
    }
    return Promise.resolve({
      accounts: [...this.accounts],
      figures,
      blocks: [...this.blocks.values()].filter((block) => block.until > this.clock.now()),
      pin: this.pin,
      ...this.turn,
      locked: this.isLocked,
    });
  }

  changed(): boolean {
    return this.#changed;
  }

  add(account: Account): Promise<void> {
    this.accounts.push(account);
    return Promise.resolve();
  }

  remove(accountId: string): Promise<boolean> {
    const before = this.accounts.length;
    this.accounts = this.accounts.filter((account) => account.id !== accountId);
    this.touch();
    return Promise.resolve(this.accounts.length < before);
  }

  edit(accountId: string, change: AccountEdit): Promise<Account | undefined> {
    return Promise.resolve(this.#replace(accountId, change));
  }

  swapCredentials(
    accountId: string,
    generation: number,
    credentials: Credentials,
    change: AccountEdit = (account) => account,
  ): Promise<Account | undefined> {
    if (this.failing) return Promise.reject(this.failing);
    const before = this.accounts.find((account) => account.id === accountId);
    if (!before || before.generation > generation) return Promise.resolve(undefined);
    this.journal.push(`save ${accountId} ${generation + 1}`);
    return Promise.resolve(this.#replace(accountId, (account) => {
      const { setAside: _, ...rest } = change(account);
      return { ...rest, credentials, generation: generation + 1 };
    }));
  }

  keepCredentials(
    ...swap: Parameters<Store["swapCredentials"]>
  ): Promise<Account | undefined> {
    return new Promise((resolve) => {
      const attempt = () =>
        void this.clock.after(
          1_000,
          () => void this.swapCredentials(...swap).then(resolve, attempt),
          { background: true },
        );
      attempt();
    });
  }

  beginRefresh(accountId: string, generation: number): Promise<void> {
    this.journal.push(`begin ${accountId} ${generation}`);
    this.open.set(accountId, generation);
    return Promise.resolve();
  }

  endRefresh(accountId: string): Promise<void> {
    this.journal.push(`end ${accountId}`);
    this.open.delete(accountId);
    const account = this.accounts.find((one) => one.id === accountId);
    if (account) this.refused.delete(account.credentials.refreshToken);
    return Promise.resolve();
  }

  openRefresh(accountId: string): Promise<number | undefined> {
    const account = this.accounts.find((one) => one.id === accountId);
    const refused = this.refused.has(account?.credentials.refreshToken ?? "");
    return Promise.resolve(this.open.get(accountId) ?? (refused ? account?.generation : undefined));
  }

  refuseRefresh({ id, credentials }: Account): Promise<void> {
    this.journal.push(`refuse ${id}`);
    this.open.delete(id);
    this.refused.add(credentials.refreshToken);
    return Promise.resolve();
  }

  refreshRefused(accountId: string): Promise<boolean> {
    const account = this.accounts.find((one) => one.id === accountId);
    return Promise.resolve(this.refused.has(account?.credentials.refreshToken ?? ""));
  }

  observe(observation: Observation): void {
    this.observations.push(observation);
  }

  explain(explanation: Explanation): void {
    this.explanations.push(explanation);
  }

  block(block: Block): Promise<void> {
    this.blocks.set(`${block.subject} ${block.model}`, block);
    return Promise.resolve();
  }

  unblock(scope: BlockScope): Promise<void> {
    this.blocks.delete(`${scope.subject} ${scope.model}`);
    return Promise.resolve();
  }

  setPin(pin: Pin | null): Promise<void> {
    this.pin = pin;
    this.touch();
    return Promise.resolve();
  }

  setTurn(turn: { activeId?: string; turnId?: string }): void {
    this.turn = { ...this.turn, ...turn };
  }

  affinity(session: string): Promise<Affinity | undefined> {
    return Promise.resolve(this.affinities.get(session));
  }

  setAffinity(affinity: Affinity): void {
    const moved = affinity.moved || this.affinities.get(affinity.session)?.moved;
    this.affinities.set(affinity.session, moved ? { ...affinity, moved } : affinity);
  }

  mints(hashes: readonly string[]): Promise<ReadonlyMap<string, string>> {
    this.mintQuestions++;
    if (this.failing) return Promise.reject(this.failing);
    return Promise.resolve(new Map([...this.minters].filter(([hash]) => hashes.includes(hash))));
  }

  setMint(hash: string, accountId: string): void {
    this.minters.set(hash, accountId);
  }

  lease(name: string, ttlMs: number): Promise<Lease | undefined> {
    const now = this.clock.now();
    const held = this.#leases.get(name);
    if (held && held.until > now) return Promise.resolve(undefined);
    const holder = Symbol(name);
    this.#leases.set(name, { holder, until: now + ttlMs });
    return Promise.resolve({
      release: (pauseMs = 0) => {
        if (this.#leases.get(name)?.holder === holder) {
          this.#leases.set(name, { holder: undefined, until: this.clock.now() + pauseMs });
        }
        return Promise.resolve();
      },
    });
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #replace(accountId: string, change: AccountEdit): Account | undefined {
    const index = this.accounts.findIndex((account) => account.id === accountId);
    const before = this.accounts[index];
    if (!before) return undefined;
    const after = change(before);
    this.accounts = this.accounts.with(index, after);
    return after;
  }
}

/** An account for tests; tokens are readable words, never real ones. */
export function testAccount(alias: string, fields: Partial<Account> = {}): Account {
  return {
    id: `id-${alias}`,
    alias,
    credentials: {
      accessToken: `access-${alias}`,
      refreshToken: `refresh-${alias}`,
      expiresAt: Date.UTC(2100, 0),
    },
    generation: 1,
    identity: { workspaceId: `ws-${alias}`, userId: `user-${alias}` },
    email: `${alias}@example.test`,
    enabled: true,
    tags: [],
    notes: "",
    source: "login",
    ...fields,
  };
}
