import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, clientOver, createClient } from "../../src/codex/client.ts";
import type { Account } from "../../src/account/account.ts";
import type { PoolEvent } from "../../src/codex/pool_event.ts";
import { type Environment, resolvePaths } from "../../src/platform/paths.ts";
import { type LocalStore, type LocalStoreOptions, openLocalStore } from "../../src/store/local.ts";
import { RESPONSES, turn } from "../codex/failover.ts";
import {
  type Fault,
  faultFromFixture,
  type FixtureRow,
  type PlanOptions,
  type Simulator,
  startSimulator,
} from "../simulator/simulator.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { testAccount } from "../memory_store.ts";
import { moment, OnTheWay } from "./on_the_way.ts";

export const SECOND = 1_000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** A row of `tests/fixtures/codex/errors.json`, as a fault of the simulated backend. */
export function recorded(name: string): Fault {
  const file = new URL("../fixtures/codex/errors.json", import.meta.url);
  const rows = JSON.parse(readFileSync(file, "utf8")) as (FixtureRow & { name: string })[];
  const row = rows.find((one) => one.name === name);
  if (!row) throw new Error(`no fixture ${name}`);
  return faultFromFixture(row);
}

/** How a test's accounts and settings differ from three healthy ones. */
export interface BedOptions {
  readonly plans?: readonly PlanOptions[];
  readonly env?: Environment;
  /** What stands between the client and the sockets. */
  readonly fetch?: typeof fetch;
  /** What the client's store stands on. */
  readonly disk?: Pick<LocalStoreOptions, "files" | "sqlite">;
}

/** A client with a store of its own in front of the simulated backend, on real sockets and a virtual clock. */
export class Bed {
  private constructor(
    readonly events: readonly PoolEvent[],
    readonly clock: VirtualClock,
    readonly simulator: Simulator,
    readonly client: Client,
    /** Where the client's store is, for another process's. */
    readonly env: Environment,
    private readonly folder: string,
    private readonly onTheWay: OnTheWay,
  ) {}

  static async open(options: BedOptions = {}): Promise<Bed> {
    const clock = new VirtualClock();
    // Deno's fetch repeats a request on a kept connection that broke; here each has its own.
    const simulator = await startSimulator({ clock, keepAlive: false });
    const folder = mkdtempSync(join(tmpdir(), "faults-"));
    const env: Environment = {
      HOME: folder,
      OPENCODE_MULTI_AUTH_STORE_DIR: join(folder, "store"),
      OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
      OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
      OPENCODE_MULTI_AUTH_REFRESH_GAP_MS: "0",
      ...options.env,
    };
    const store = await openLocalStore({ paths: resolvePaths(env), env, clock });
    for (const plan of options.plans ?? ["a", "b", "c"].map((name) => ({ name }))) {
      const simulated = simulator.addPlan(plan);
      const { workspaceId, userId, accountUserId } = simulated;
      await store.add(testAccount(plan.name, {
        credentials: simulated.issueTokens(),
        identity: { workspaceId, userId, memberId: accountUserId },
      }));
    }
    await store.close();
    const events: PoolEvent[] = [];
    const onTheWay = new OnTheWay();
    const network = options.fetch ?? fetch;
    const client = await clientOver(
      await openLocalStore({ paths: resolvePaths(env), env, clock, ...options.disk }),
      {
        env,
        clock,
        random: () => 0.5,
        onEvent: (event) => events.push(event),
        fetch: onTheWay.watch(network),
      },
    );
    return new Bed(events, clock, simulator, client, env, folder, onTheWay);
  }

  /** Sends a turn. No time passes for it; see {@linkcode patiently} where some must. */
  ask(session = "s", init: RequestInit = turn(session)): Promise<Response> {
    return this.client.fetch(RESPONSES, init);
  }

  /** Another process over the same store, to be closed by whoever has opened it. */
  another(): Promise<Client> {
    const { env, clock, onTheWay } = this;
    return createClient({ env, clock, random: () => 0.5, fetch: onTheWay.watch(fetch) });
  }

  /** Lets virtual time pass, with a real moment for the sockets at each step, until something is there. */
  async patiently<T>(work: Promise<T>, stepMs = 100): Promise<T> {
    let done = false;
    work.then(() => done = true, () => done = true);
    const end = performance.now() + 60_000;
    while (!done) {
      await this.clock.advance(stepMs);
      await this.onTheWay.arrive();
      if (performance.now() > end) throw new Error("what the test waits for has not come in 60 s");
    }
    return await work;
  }

  /** Waits for the sockets, not for the clock, until something holds. */
  async until(holds: () => boolean): Promise<void> {
    const end = Date.now() + 10_000;
    while (!holds() && Date.now() < end) await moment();
    if (!holds()) throw new Error("what the test waits for has not come in 10 s");
  }

  /** Turns that reached the backend. */
  get turns() {
    return this.simulator.requests.filter((one) => one.path.endsWith("/responses"));
  }

  /** Who was asked, in order. */
  get order(): string {
    return this.turns.map((one) => one.plan ?? "?").join(" ");
  }

  /** The store as another process opens it. Close it. */
  otherStore(): Promise<LocalStore> {
    return openLocalStore({ paths: resolvePaths(this.env), env: this.env, clock: this.clock });
  }

  async account(alias: string): Promise<Account | undefined> {
    return (await this.client.store.load()).accounts.find((one) => one.alias === alias);
  }

  /** The end of an account's block as the store has it, epoch milliseconds. */
  async blockedUntil(alias: string, model = ""): Promise<number | undefined> {
    const { blocks } = await this.client.store.load();
    return blocks.find((one) => one.subject === `account:id-${alias}` && one.model === model)
      ?.until;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.simulator.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** The model's words in a stream, or the status where there is none. */
export async function said(answer: Response): Promise<string> {
  const text = await answer.text();
  if (answer.status !== 200) return `${answer.status}`;
  const words = [...text.matchAll(/"type":"response\.output_text\.delta".*?"delta":"([^"]*)"/g)];
  return words.map((one) => one[1]).join("");
}

/** The error in a JSON answer. */
export async function errorIn(answer: Response): Promise<{ message: string; code?: string }> {
  return (await answer.json()).error;
}
