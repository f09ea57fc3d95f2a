/**
 * The stage of the end-to-end tests: a sandbox, a simulated backend, people who have signed in through
 * the real `add` command, and OpenCode set up through the real `install` command.
 *
 * @module
 */
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { inRepository } from "../../scripts/repository.ts";
import {
  type RequestRecord,
  type SimulatedPlan,
  type Simulator,
  startSimulator,
} from "../simulator/simulator.ts";
import type { Outcome } from "./child.ts";
import { add, cli, type Form } from "./cli.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";

/** Minutes of the shorter window of everybody on the stage. */
export const FIVE_HOURS = 300;

/** A sandbox, a simulator, and what has been printed in it so far. */
export interface Scene extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly simulator: Simulator;
  readonly printed: Outcome[];
}

/** Makes an empty stage. */
export async function makeScene(): Promise<Scene> {
  const simulator = await startSimulator();
  const sandbox = makeSandbox(simulator);
  return {
    sandbox,
    simulator,
    printed: [],
    [Symbol.asyncDispose]: async () => {
      await simulator.close();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

/** Signs a person in through the real `add` command. */
export async function signIn(
  scene: Scene,
  name: string,
  form: Form = "binary",
): Promise<SimulatedPlan> {
  const plan = scene.simulator.addPlan({
    name,
    windows: [{ minutes: FIVE_HOURS, usedPercent: 10, resetsInMs: 60 * 60_000 }, {
      minutes: 10_080,
      usedPercent: 20,
    }],
  });
  scene.simulator.approveNext(name);
  const outcome = await add(scene.sandbox, name, { form });
  scene.printed.push(outcome);
  assert.equal(outcome.code, 0, outcome.stderr);
  return plan;
}

/**
 * Sets OpenCode up through the real `install` command of the package that was built.
 *
 * @param spec The plugin entry to ask for; without one, the command names the plugin it lies beside.
 */
export async function install(scene: Scene, spec?: string): Promise<void> {
  const asked = spec === undefined ? [] : ["--plugin", spec];
  const outcome = await cli(scene.sandbox, ["install", "--yes", ...asked], { form: "node" });
  scene.printed.push(outcome);
  assert.equal(outcome.code, 0, outcome.stderr);
  const config = JSON.parse(Deno.readTextFileSync(scene.sandbox.openCodeConfig));
  assert.deepEqual(config.plugin, [spec ?? pathToFileURL(inRepository("npm", "plugin.js")).href]);
  const auth = JSON.parse(Deno.readTextFileSync(scene.sandbox.openCodeAuth));
  assert.equal(auth.openai.type, "oauth");
}

/** Model requests that were answered with this status. */
export function turns(scene: Scene, status: number): RequestRecord[] {
  return scene.simulator.requests.filter((record) =>
    record.path.endsWith("/codex/responses") && record.status === status
  );
}

/** Names of the plans that these requests came from, each once. */
export function plansOf(records: readonly RequestRecord[]): string[] {
  return [...new Set(records.map((record) => record.plan ?? "nobody"))].sort();
}
