/**
 * Models and tools in the real OpenCode: what it lists, what the simulated backend receives, and what
 * the (simulated) model does with the tools.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import type { RequestRecord } from "../simulator/simulator.ts";
import { cli } from "./cli.ts";
import { openCode } from "./opencode.ts";
import { install, makeScene, plansOf, type Scene, turns } from "./scene.ts";
import { leaks } from "./secrets.ts";

/** Two people, of whom only the second has the new model. */
async function twoPeople(): Promise<Scene> {
  const scene = await makeScene();
  const { env } = scene.sandbox;
  const store = await openLocalStore({ paths: resolvePaths(env), env });
  for (const [name, ...more] of [["personal"], ["work", "gpt-9-new"]] as const) {
    await storePlan(store, scene.simulator.addPlan({ name, models: ["gpt-5.5", ...more] }));
  }
  await store.close();
  await install(scene);
  return scene;
}

async function openCodeSays(
  scene: Scene,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const outcome = await openCode(scene.sandbox, args, { env, limitMs: 150_000 });
  scene.printed.push(outcome);
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome.stdout;
}

interface Sent {
  readonly model: string;
  readonly reasoning?: { readonly effort?: string };
  readonly tools?: readonly { readonly name: string }[];
  readonly input: readonly { readonly type?: string; readonly output?: unknown }[];
}

const sent = (record: RequestRecord) => JSON.parse(record.body) as Sent;

Deno.test("OpenCode lists a model that it lacked, and uses it on the account that has it", async () => {
  await using scene = await twoPeople();
  const listed = await cli(scene.sandbox, ["models"], { form: "node" });
  assert.match(listed.stdout, /gpt-9-new .* not every account/, listed.stderr);

  const models = (await openCodeSays(scene, ["models", "openai"])).split("\n");
  assert.ok(models.includes("openai/gpt-9-new"), models.join(" "));
  assert.equal(models.filter((line) => line === "openai/gpt-5.5").length, 1);
  const without = await openCodeSays(scene, ["models", "openai"], {
    OPENCODE_MULTI_AUTH_INJECT_MODELS: "0",
  });
  assert.doesNotMatch(without, /gpt-9-new/);

  const args = ["run", "Hi", "--title", "A title", "-m", "openai/gpt-9-new", "--variant", "high"];
  assert.match(await openCodeSays(scene, args), /served by work/);
  const [turn] = turns(scene, 200);
  assert.ok(turn);
  assert.deepEqual([sent(turn).model, sent(turn).reasoning?.effort], ["gpt-9-new", "high"]);
  assert.deepEqual(plansOf(turns(scene, 200)), ["work"]);
  assert.deepEqual(turns(scene, 400), []);
  assert.deepEqual(leaks(scene.sandbox, scene.printed), []);
});

Deno.test("an older Codex model in the configuration goes out as the latest one", async () => {
  await using scene = await twoPeople();
  const { openCodeConfig, store } = scene.sandbox;
  const config = JSON.parse(readFileSync(openCodeConfig, "utf8"));
  writeFileSync(openCodeConfig, JSON.stringify({ ...config, model: "openai/gpt-5.2-codex" }));
  const args = ["run", "Hi", "--title", "A title"];
  const said = await openCodeSays(scene, args, {
    OPENCODE_MULTI_AUTH_CODEX_LATEST_MODEL: "gpt-5.5",
    OPENCODE_MULTI_AUTH_DEBUG: "1",
  });
  assert.match(said, /served by/);
  assert.deepEqual(turns(scene, 200).map((record) => sent(record).model), ["gpt-5.5"]);
  const log = readFileSync(join(store, "logs", "codex-soft.log"), "utf8");
  assert.match(log, /\[debug\] model map: gpt-5\.2-codex -> gpt-5\.5$/m);
});

Deno.test("/pin and /accounts have the model call their tools", async () => {
  await using scene = await twoPeople();
  scene.simulator.reply = (record) => {
    const { tools = [], input } = sent(record);
    const result = input.findLast((item) => item.type === "function_call_output");
    if (result !== undefined) return `It said: ${result.output}`;
    const asked = /tool `(\w+)`(?: with these words of mine: (\w+))?/.exec(record.body);
    if (!asked?.[1] || !tools.some(({ name }) => name === asked[1])) return undefined;
    return { name: asked[1], arguments: asked[2] ? { account: asked[2], for: "2h" } : {} };
  };
  const run = (...args: string[]) =>
    openCodeSays(scene, ["run", "-m", "openai/gpt-5.5", "--title", "A title", ...args]);

  assert.match(
    await run("--command", "pin", "work"),
    /Pinned: work serves everything .* \(in 2h\)/,
  );
  // The answer to the tool's result is the next request: the pin counts at once.
  assert.deepEqual(turns(scene, 200).map((record) => record.plan), ["personal", "work"]);
  const said = await run("--command", "accounts");
  assert.match(said, /This session is served by: work\s+Pinned: work until/);
  assert.match(said, /- personal \(plus\): .*\s+- work \(plus\), serves this session/);
  assert.deepEqual(leaks(scene.sandbox, scene.printed), []);
});
