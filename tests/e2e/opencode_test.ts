import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { inRepository, VERSION } from "../../scripts/repository.ts";
import type { SimulatedPlan } from "../simulator/simulator.ts";
import type { Outcome } from "./child.ts";
import { type Form, status } from "./cli.ts";
import { run, serve } from "./opencode.ts";
import { FIVE_HOURS, install, makeScene, plansOf, type Scene, signIn, turns } from "./scene.ts";
import { leaks } from "./secrets.ts";

const PEOPLE = ["personal", "work", "side"] as const;
const RESETS_IN_MS = 2 * 60 * 60_000;

const TARBALL = `opencode-multi-auth-codex@file:${
  inRepository("npm", `opencode-multi-auth-codex-${VERSION}.tgz`)
}`;

/** OpenCode's own words around an answer, and nothing of ours. */
function assertQuiet(outcome: Outcome, answer: RegExp): void {
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stdout, answer);
  assert.equal(outcome.stdout.trim().split("\n").length, 1, outcome.stdout);
  assert.equal(stripVTControlCharacters(outcome.stderr).trim(), "> build · gpt-5.5");
}

/** The block of the account at its limit, as `status --json` tells it. */
async function assertBlocked(scene: Scene, alias: string, endsAt: number): Promise<void> {
  const { accounts } = await status(scene.sandbox);
  assert.deepEqual(accounts.map((account) => account.alias), PEOPLE);
  for (const account of accounts) {
    if (account.alias !== alias) {
      assert.equal(account.blockedUntil, null, `${account.alias} is blocked`);
      continue;
    }
    assert.match(account.blockReason ?? "", /usage limit/);
    // The backend tells the end in whole seconds.
    const off = Math.abs((account.blockedUntil ?? 0) - endsAt);
    assert.ok(off <= 1500, `the block ends ${off} ms beside the window's reset`);
  }
}

const VARIANTS = [
  { name: "from its folder", spec: undefined, env: {} },
  {
    name: "from its folder, native requests",
    spec: undefined,
    env: { OPENCODE_EXPERIMENTAL_NATIVE_LLM: "1" },
  },
  { name: "from the packed package", spec: TARBALL, env: {} },
] as const;

for (const { name, spec, env } of VARIANTS) {
  Deno.test(`opencode run is served by the next account when the first is at its limit (${name})`, async () => {
    await using scene = await makeScene();
    // Each form of the command line signs one person in.
    const forms: Form[] = ["binary", "node", "deno"];
    const plans: SimulatedPlan[] = [];
    for (const [index, person] of PEOPLE.entries()) {
      plans.push(await signIn(scene, person, forms[index] ?? "binary"));
    }
    await install(scene, spec);
    const endsAt = Date.now() + RESETS_IN_MS;
    plans[0]?.setUsed(FIVE_HOURS, 100, RESETS_IN_MS);

    const outcome = await run(scene.sandbox, "Say something", { env });
    scene.printed.push(outcome);

    assertQuiet(outcome, /served by work/);
    assert.deepEqual(plansOf(turns(scene, 429)), ["personal"]);
    assert.deepEqual(plansOf(turns(scene, 200)), ["work"]);
    const sessions = new Set(turns(scene, 200).map((record) => record.session));
    assert.equal(sessions.size, 1);
    assert.match([...sessions][0] ?? "", /^ses_/);
    await assertBlocked(scene, "personal", endsAt);
    assert.deepEqual(leaks(scene.sandbox, scene.printed), []);
  });
}

for (const env of [{}, { OPENCODE_EXPERIMENTAL_NATIVE_LLM: "1" }]) {
  const native = "OPENCODE_EXPERIMENTAL_NATIVE_LLM" in env ? ", native requests" : "";
  Deno.test(`a turn with a tool call stays on one account${native}`, async () => {
    await using scene = await makeScene();
    const plans: SimulatedPlan[] = [];
    for (const person of PEOPLE) plans.push(await signIn(scene, person));
    await install(scene);
    plans[0]?.setUsed(FIVE_HOURS, 100, RESETS_IN_MS);
    scene.simulator.reply = (record) => {
      const { tools, input } = JSON.parse(record.body) as {
        tools?: unknown[];
        input: { type?: string; output?: unknown }[];
      };
      const result = input.find((item) => item.type === "function_call_output");
      if (result !== undefined) return `The tool said: ${JSON.stringify(result.output)}`;
      // The request for the session's title comes without tools.
      if (tools === undefined || tools.length === 0) return "A title";
      return {
        name: "bash",
        arguments: { command: "echo a-$((40+2))-b", description: "Prints a text" },
      };
    };

    const outcome = await run(scene.sandbox, "Use a tool", { env });
    scene.printed.push(outcome);

    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /The tool said: .*a-42-b/);
    assert.deepEqual(plansOf(turns(scene, 200)), ["work"]);
    const withResult = turns(scene, 200).filter((record) =>
      record.body.includes("function_call_output")
    );
    assert.equal(withResult.length, 1);
    assert.doesNotMatch(outcome.stderr, /multi-auth/);
    assert.deepEqual(leaks(scene.sandbox, scene.printed), []);
  });
}

Deno.test("an account added while opencode serve runs is used by the next new session", async () => {
  await using scene = await makeScene();
  await signIn(scene, "personal");
  await install(scene);
  await using server = await serve(scene.sandbox);

  const before = await server.session();
  assert.match(await server.message(before, "Say something"), /served by personal/);
  await signIn(scene, "work");
  const after = await server.session();
  assert.match(await server.message(after, "Say something"), /served by work/);
  assert.match(await server.message(before, "And again"), /served by personal/);

  // What has been answered is in the store soon, while the server goes on.
  const counted = async () => (await status(scene.sandbox)).accounts.map((account) => account.uses);
  const answered = () =>
    ["personal", "work"].map((plan) =>
      turns(scene, 200).filter((record) => record.plan === plan && !record.aborted).length
    );
  const deadline = Date.now() + 10_000;
  while (String(await counted()) !== String(answered()) && Date.now() < deadline);
  assert.deepEqual(await counted(), answered());

  const outcome = await server.stop();
  scene.printed.push(outcome);
  assert.doesNotMatch(outcome.stdout + outcome.stderr, /multi-auth|personal|work/);
  const bySession = (session: string) =>
    plansOf(turns(scene, 200).filter((record) => record.session === session));
  assert.deepEqual(bySession(before), ["personal"]);
  assert.deepEqual(bySession(after), ["work"]);
  assert.deepEqual(leaks(scene.sandbox, scene.printed), []);
});

Deno.test("a leaked token would be found in an output and in a file", async () => {
  await using scene = await makeScene();
  await signIn(scene, "personal");
  assert.deepEqual(leaks(scene.sandbox, scene.printed), []);
  const store = JSON.parse(Deno.readTextFileSync(`${scene.sandbox.store}/accounts.json`));
  const token: string = store.accounts.personal.accessToken;
  Deno.writeTextFileSync(`${scene.sandbox.project}/a.log`, `Bearer ${token}`);
  const outcome = { code: 0, stdout: "", stderr: `{${token.split(".")[1]}}` };
  assert.deepEqual(leaks(scene.sandbox, [outcome]), [
    "stderr of program 0",
    `${scene.sandbox.project}/a.log`,
  ]);
});
