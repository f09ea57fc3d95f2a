import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { inRepository } from "../../scripts/repository.ts";
import { toolPaths } from "../../scripts/tools.ts";
import { storePlan } from "../simulated_account.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import type { Outcome } from "./child.ts";
import { cli } from "./cli.ts";
import { filesUnder } from "./sandbox.ts";
import { run } from "./opencode.ts";
import { install, makeScene, type Scene } from "./scene.ts";
import { leaks } from "./secrets.ts";

const PLUGIN = pathToFileURL(inRepository("npm", "plugin.js")).href;

interface Report {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly group: string;
    readonly state: string;
    readonly text: string;
    readonly fixed?: boolean;
  }[];
}

/** Runs `doctor` as the npm package's command, with the real programs in PATH. */
async function doctor(scene: Scene, ...args: string[]): Promise<Outcome> {
  const { opencode, codex } = toolPaths();
  const path = [dirname(opencode), dirname(codex), scene.sandbox.env["PATH"]].join(":");
  const ran = await cli(scene.sandbox, ["doctor", ...args], {
    form: "node",
    env: { PATH: path },
    limitMs: 120_000,
  });
  scene.printed.push(ran);
  return ran;
}

const reportOf = ({ stdout }: Outcome): Report => JSON.parse(stdout) as Report;

function stateOf({ checks }: Report, name: string, group = "OpenCode"): string | undefined {
  return checks.find((check) => check.name === name && check.group === group)?.state;
}

/** A person with an account. */
async function account(scene: Scene): Promise<void> {
  const plan = scene.simulator.addPlan({ name: "personal", windows: [] });
  const { env } = scene.sandbox;
  const store = await openLocalStore({ paths: resolvePaths(env), env });
  await storePlan(store, plan);
  await store.close();
}

function configure(scene: Scene, plugin: readonly string[]): void {
  Deno.mkdirSync(dirname(scene.sandbox.openCodeConfig), { recursive: true });
  Deno.writeTextFileSync(scene.sandbox.openCodeConfig, JSON.stringify({ plugin }));
}

/** Every file of the home folder with its size and time of change. */
function files(scene: Scene): string[] {
  return filesUnder(scene.sandbox.home).sort().map((path) => {
    const { size, mtime } = Deno.statSync(path);
    return `${path} ${size} ${mtime?.getTime()}`;
  });
}

Deno.test("doctor on a machine that is set up: the real OpenCode is seen to load the plugin, and nothing changes", async () => {
  await using scene = await makeScene();
  await account(scene);
  await install(scene);
  const before = files(scene);

  const ran = await doctor(scene, "--json");

  const report = reportOf(ran);
  assert.deepEqual(report.checks.filter(({ state }) => state === "wrong"), []);
  assert.equal(ran.code, 0, ran.stderr);
  assert.ok(report.ok);
  for (const name of ["plugin entry", "auth.json entry", "program", "plugin loads"]) {
    assert.equal(stateOf(report, name), "ok", name);
  }
  assert.equal(stateOf(report, "program", "Codex CLI"), "ok");
  assert.equal(stateOf(report, "clock", "Machine"), "ok");
  assert.equal(stateOf(report, "backend", "Network"), "ok");
  assert.deepEqual(files(scene), before);
  // No question about limits, no turn, no refresh.
  assert.deepEqual(scene.simulator.requests, []);
  assert.deepEqual(scene.simulator.tokenCalls, []);
  assert.deepEqual(leaks(scene.sandbox, scene.printed), []);
});

Deno.test("doctor finds an entry that is missing, a plugin path that is gone, a competing plugin and an older package, and mends them all", async () => {
  await using scene = await makeScene();
  await account(scene);
  // Both have code that is really there, so that OpenCode does load them.
  const plugin = (name: string) => {
    const folder = join(scene.sandbox.folder, "plugins", name);
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(
      join(folder, "package.json"),
      JSON.stringify({ name, type: "module", main: "index.js" }),
    );
    const code =
      `export default async () => ({ auth: { provider: "openai", methods: [], loader: async () => ({}) } });`;
    Deno.writeTextFileSync(join(folder, "index.js"), code);
    return pathToFileURL(join(folder, "index.js")).href;
  };
  const gone = pathToFileURL(join(scene.sandbox.home, "opencode-multi-auth", "npm", "plugin.js"));
  const older = plugin("@guard22/opencode-multi-auth-codex");
  const rival = plugin("oc-codex-multi-auth");
  configure(scene, [gone.href, older, rival]);

  const fixed = await doctor(scene, "--fix", "--yes", "--json");

  const well = reportOf(fixed);
  assert.equal(fixed.code, 0, fixed.stderr);
  assert.equal(stateOf(well, "plugin loads"), "ok");
  const mended = well.checks.filter((check) => check.fixed).map(({ name }) => name).sort();
  assert.deepEqual(mended, [
    "auth.json entry",
    `entry "${older}"`,
    `entry "${rival}"`,
    "plugin entry",
    "plugin loads",
  ]);
  const config = JSON.parse(Deno.readTextFileSync(scene.sandbox.openCodeConfig));
  assert.deepEqual(config.plugin, [PLUGIN]);
  assert.deepEqual(leaks(scene.sandbox, scene.printed), []);
});

Deno.test("doctor finds the competing plugin in OpenCode's plugin folder by which the real OpenCode would answer", async () => {
  await using scene = await makeScene();
  await account(scene);
  await install(scene);
  const rival = join(dirname(scene.sandbox.openCodeConfig), "plugin", "rival.js");
  Deno.mkdirSync(dirname(rival));
  const fetch =
    'async () => Response.json({ error: { message: "the rival was asked" } }, { status: 400 })';
  const auth = `{ provider: "openai", methods: [], loader: async () => ({ fetch: ${fetch} }) }`;
  Deno.writeTextFileSync(rival, `export const Rival = async () => ({ auth: ${auth} });`);

  const asked = await run(scene.sandbox, "Say something");
  assert.match(asked.stdout + asked.stderr, /the rival was asked/);

  const ran = await doctor(scene, "--json");
  assert.equal(ran.code, 1);
  const found = reportOf(ran).checks.find(({ state }) => state === "wrong");
  assert.ok(found?.text.includes(rival), JSON.stringify(found));
});
