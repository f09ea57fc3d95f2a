import { createLimitQueue } from "../../src/limits/queue.ts";
import type { LimitQueue } from "../../src/limits/limit_queue.ts";
import type { Question, QuestionEnd } from "../../src/limits/question.ts";
import { silentLog } from "../../src/platform/log.ts";
import type { LocalStore } from "../../src/store/local.ts";
import { StoreFolder, testAccount } from "../store/store_folder.ts";

/** A question that is under way. */
export interface Asked {
  readonly accountId: string;
  readonly source: string;
  readonly signal: AbortSignal;
  /** Who asks. */
  readonly by: string;
  end(end: QuestionEnd): void;
}

export const ANSWERED: QuestionEnd = { kind: "answered", source: "usage" };

/** Several processes on one store folder, whose questions end when the test says so. */
export class Stage {
  readonly folder = new StoreFolder();
  readonly clock = this.folder.clock;
  readonly asked: Asked[] = [];
  /** Names of the processes that were killed. */
  readonly dead = new Set<string>();
  /** What every write is refused with, if it is. */
  refusal: Error | undefined;
  /** Whether questions go on when they are stopped, as one does that renews a token. */
  deaf = false;
  /** What chance says. */
  chance = 0.5;
  settings = { limitsAtOnce: 1, limitsGap: 1_000 };

  /** Adds accounts to the store. */
  async accounts(...aliases: string[]): Promise<void> {
    const store = await this.folder.open();
    for (const alias of aliases) await store.add(testAccount(alias));
  }

  /** A queue as another process has it. */
  async process(name: string): Promise<LimitQueue & { kill(): void }> {
    const store = this.#mortal(name, await this.folder.open());
    const ask: Question = (accountId, source, signal) =>
      new Promise((resolve) => {
        const asked: Asked = {
          accountId,
          source,
          signal,
          by: name,
          end: (end) => {
            const at = this.asked.indexOf(asked);
            if (at >= 0) this.asked.splice(at, 1);
            // The dead hear nothing.
            if (!this.dead.has(name)) resolve(end);
          },
        };
        this.asked.push(asked);
        // As the Codex CLI does, it ends when it is stopped.
        signal.addEventListener("abort", () =>
          this.deaf || asked.end({ kind: "failed", error: "It was stopped.", careful: false }));
      });
    const queue = createLimitQueue({
      store,
      ask,
      clock: this.clock,
      random: () => this.chance,
      settings: () => this.settings,
      log: silentLog,
      holder: name,
      isGone: (holder) => this.dead.has(holder),
    });
    return Object.assign(queue, {
      kill: () => {
        this.dead.add(name);
        for (const asked of [...this.asked]) {
          if (asked.by === name) this.asked.splice(this.asked.indexOf(asked), 1);
        }
      },
    });
  }

  /** A store whose process does nothing any more once it is dead. */
  #mortal(name: string, store: LocalStore): LocalStore {
    const never = new Promise<never>(() => {});
    const files = new Proxy(store.files, {
      get: (target, key) => {
        const value = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (this.dead.has(name)) return never;
          if (key === "writeState" && this.refusal) return Promise.reject(this.refusal);
          return Reflect.apply(value, target, args);
        };
      },
    });
    return new Proxy(store, {
      get: (target, key) => {
        if (key === "files") return files;
        const value = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  remove(): Promise<void> {
    return this.folder.remove();
  }
}

/** Runs a test on a stage of its own. */
export async function onStage(work: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = new Stage();
  try {
    await work(stage);
  } finally {
    await stage.remove();
  }
}
