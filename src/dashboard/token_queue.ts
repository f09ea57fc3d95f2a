import type { Account } from "../account/account.ts";
import type { Refresher } from "../oauth/refresh_transaction.ts";
import { Failure, messageOf } from "../platform/failure.ts";
import type { Store } from "../store/store.ts";
import type { QueueModel, TokenTask } from "./model.ts";

/**
 * Renews tokens of several accounts, one after the other: the refresher's lane over all processes sets
 * the pace. Lives in memory; what ends with the process is asked for again.
 */
export class TokenQueue {
  readonly #tasks = new Map<string, TokenTask>();
  #waiting: string[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;

  /** @param options.changed Is called after each step. */
  constructor(
    private readonly options: {
      readonly store: Store;
      readonly refresher: Refresher;
      readonly changed: () => void;
    },
  ) {}

  /** Adds accounts to the run that is under way, or begins one. */
  add(accountIds: readonly string[]): void {
    if (!this.#running) {
      this.#tasks.clear();
      this.#stopped = false;
    }
    for (const id of accountIds) {
      const state = this.#tasks.get(id)?.state;
      if (state === "queued" || state === "running") continue;
      this.#tasks.set(id, { state: "queued" });
      this.#waiting.push(id);
    }
    this.options.changed();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.options.changed();
    });
  }

  /** Lets the one that runs end (a refresh must not be cut off) and gives up those behind it. */
  stop(): void {
    if (!this.#running) return;
    this.#stopped = true;
    for (const id of this.#waiting.splice(0)) this.#tasks.set(id, { state: "stopped" });
    this.options.changed();
  }

  /** Resolves when nothing runs. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** The newest run. */
  state(): QueueModel & { readonly tasks: ReadonlyMap<string, TokenTask> } {
    const tasks = new Map(this.#tasks);
    const done = [...tasks.values()]
      .filter(({ state }) => state !== "queued" && state !== "running").length;
    return {
      running: this.#running !== undefined,
      done,
      total: tasks.size,
      stopped: this.#stopped,
      tasks,
    };
  }

  async #run(): Promise<void> {
    for (let id = this.#waiting.shift(); id !== undefined; id = this.#waiting.shift()) {
      this.#tasks.set(id, { state: "running" });
      this.options.changed();
      this.#tasks.set(id, await this.#renew(id));
      this.options.changed();
    }
  }

  async #renew(id: string): Promise<TokenTask> {
    try {
      const { accounts } = await this.options.store.load();
      const account = accounts.find((account) => account.id === id);
      if (!account) return { state: "error", error: "It was removed meanwhile." };
      return await renew(this.options.refresher, account);
    } catch (error) {
      return { state: "error", error: messageOf(error) };
    }
  }
}

async function renew(refresher: Refresher, account: Account): Promise<TokenTask> {
  if (account.setAside) {
    throw new Failure(`It ${account.setAside.reason}.`, "Sign in again.");
  }
  const outcome = await refresher.refresh(account, false);
  switch (outcome.kind) {
    case "fresh":
      return { state: "success" };
    case "kept":
      return {
        state: "error",
        error: outcome.why
          ? `${outcome.why} The present token still works.`
          : "The issuer gave no new token; the present one still works. Try again later.",
      };
    case "set aside":
      return { state: "error", error: `It ${outcome.account.setAside?.reason}. Sign in again.` };
    case "failed":
      return {
        state: "error",
        error: outcome.why ?? "The issuer could not be asked. Try again later.",
      };
    case "gone":
      return { state: "error", error: "It was removed meanwhile." };
  }
}
