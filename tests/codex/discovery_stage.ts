import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "../../src/codex/client.ts";
import type { Environment } from "../../src/platform/paths.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { type LocalStore, openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import { type PlanOptions, type Simulator, startSimulator } from "../simulator/simulator.ts";
import { VirtualClock } from "../virtual_clock.ts";
import { RESPONSES, turn } from "./failover.ts";

/** A simulated backend that lists models, and a store with accounts of it. */
export interface Stage {
  readonly simulator: Simulator;
  readonly env: Environment;
  readonly clock: VirtualClock;
  /** A client, as one process has it. Closed at the end. */
  client(): ReturnType<typeof createClient>;
  /** The store, as another process would open it. */
  store(): Promise<LocalStore>;
  /** Plans that were asked for their models, in order, with what they answered. */
  asked(): string[];
  /** Lets time pass until so many questions are answered. */
  answered(count: number): Promise<void>;
}

/** Runs a test with an account for each plan. */
export async function onStage(
  plans: readonly PlanOptions[],
  use: (stage: Stage) => Promise<void>,
  more: Environment = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "discovery-"));
  const clock = new VirtualClock(Date.now());
  const simulator = await startSimulator({ clock, keepAlive: false });
  const env = {
    HOME: folder,
    OPENCODE_MULTI_AUTH_STORE_DIR: folder,
    OPENCODE_MULTI_AUTH_ISSUER_URL: simulator.issuerUrl,
    OPENCODE_MULTI_AUTH_BACKEND_URL: simulator.backendUrl,
    ...more,
  };
  const open: { close(): Promise<void> }[] = [];
  const kept = <T extends { close(): Promise<void> }>(one: T) => (open.push(one), one);
  const records = () => simulator.requests.filter((one) => one.path.endsWith("/codex/models"));
  const stage: Stage = {
    simulator,
    env,
    clock,
    client: async () => kept(await createClient({ env, clock, random: () => 0.5 })),
    store: async () => kept(await openLocalStore({ paths: resolvePaths(env), env, clock })),
    asked: () => records().map((one) => `${one.plan} ${one.status}`),
    async answered(count) {
      for (let step = 0; step < 600; step++) {
        if (records().filter((one) => one.status !== null).length >= count) break;
        await clock.advance(100);
        if (step % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      }
      // What was answered is also read and saved.
      for (let step = 0; step < 10; step++) {
        await clock.advance(10);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      assert.equal(records().length, count, stage.asked().join(", "));
    },
  };
  try {
    const store = await stage.store();
    for (const plan of plans) await storePlan(store, simulator.addPlan(plan));
    await use(stage);
  } finally {
    for (const one of open) await one.close();
    await simulator.close();
    rmSync(folder, { recursive: true });
  }
}

/** Who serves a turn, or the status of the refusal. */
export async function ask(
  client: Awaited<ReturnType<Stage["client"]>>,
  session: string,
  model = "gpt-5.5",
) {
  const answer = await client.fetch(RESPONSES, turn(session, { model }));
  const text = (await answer.text()).replaceAll('","delta":"', "");
  return /served by (\w+)/.exec(text)?.[1] ?? `${answer.status}`;
}
