/**
 * The hand-over from account to account, seen in the real OpenCode: what the person gets is one
 * answer, and nothing of what went wrong on the way.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  faultFromFixture,
  type FixtureRow,
  type ReplySource,
  type RequestRecord,
  type SimulatedPlan,
} from "../simulator/simulator.ts";
import type { Outcome } from "./child.ts";
import { status } from "./cli.ts";
import { openCode } from "./opencode.ts";
import { install, makeScene, plansOf, type Scene, signIn, turns } from "./scene.ts";
import { leaks } from "./secrets.ts";

/** Two people, the first of whom gets the first session. */
async function twoPeople(): Promise<
  { scene: Scene; personal: SimulatedPlan; work: SimulatedPlan }
> {
  const scene = await makeScene();
  const personal = await signIn(scene, "personal");
  const work = await signIn(scene, "work");
  await install(scene);
  return { scene, personal, work };
}

/** Runs a prompt and sees that its answer is all that was said. */
async function answered(
  scene: Scene,
  answer: RegExp,
  env: Record<string, string> = {},
): Promise<Outcome> {
  // With a title given OpenCode does not ask for one beside the turn: whoever is asked first, is asked for the turn.
  const args = ["run", "Say something", "--title", "A title", "-m", "openai/gpt-5.5"];
  const outcome = await openCode(scene.sandbox, args, { env });
  scene.printed.push(outcome);
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stdout, answer);
  assert.doesNotMatch(outcome.stdout + outcome.stderr, /multi-auth|error|retry/i);
  assert.deepEqual(leaks(scene.sandbox, scene.printed), []);
  return outcome;
}

interface Item {
  readonly type?: string;
  readonly output?: unknown;
  readonly encrypted_content?: string;
}

function inputOf(record: RequestRecord): Item[] {
  return (JSON.parse(record.body) as { input: Item[] }).input;
}

/** Requests for an answer, oldest first. */
function asked(scene: Scene): RequestRecord[] {
  return scene.simulator.requests.filter((record) => record.path.endsWith("/codex/responses"));
}

function toolResults(record: RequestRecord): number {
  return inputOf(record).filter((item) => item.type === "function_call_output").length;
}

/** Workspaces that minted the reasoning which a request carries. */
function minters(record: RequestRecord): string[] {
  return inputOf(record).flatMap(({ encrypted_content }) =>
    encrypted_content === undefined
      ? []
      : JSON.parse(atob(encrypted_content.slice("gAAAA".length))).workspaceId
  );
}

/**
 * A model that uses a tool some times before it answers.
 *
 * @param before Is called before the answer to each turn, with the number of results it carries.
 */
function toolLoop(times: number, before: (results: number) => void): ReplySource {
  return (record) => {
    const results = toolResults(record);
    before(results);
    return results < times
      ? {
        name: "bash",
        arguments: { command: `echo a-$((40+${results}))-b`, description: "Prints a text" },
      }
      : `The tool ran ${results} times`;
  };
}

Deno.test("a limit in the middle of a tool loop: the next account finishes the turn", async () => {
  const { scene, personal } = await twoPeople();
  await using _ = scene;
  scene.simulator.reply = toolLoop(2, (results) => {
    // What is scripted while the first result is answered meets the request with the second.
    if (results !== 1) return;
    personal.fail({ kind: "usage-limit-in-stream", after: "created" });
  });

  await answered(scene, /The tool ran 2 times/);

  const loop = asked(scene);
  assert.deepEqual(loop.map((record) => [record.plan, toolResults(record)]), [
    ["personal", 0],
    ["personal", 1],
    ["personal", 2],
    ["work", 2],
  ]);
  assert.equal(minters(loop[2]!).length, 2, "OpenCode sends the reasoning of both steps");
  assert.deepEqual(minters(loop[3]!), [], "none of it goes to another account");
  assert.deepEqual(turns(scene, 400), []);
  const { accounts } = await status(scene.sandbox);
  assert.match(accounts[0]?.blockReason ?? "", /usage limit/);
  assert.equal(accounts[1]?.blockReason, null);
});

Deno.test("a tool loop that goes to another account and back: each gets its own reasoning again", async () => {
  const { scene, personal, work } = await twoPeople();
  await using _ = scene;
  const trouble = { kind: "status", status: 503, body: { detail: "unavailable" } } as const;
  scene.simulator.reply = toolLoop(3, (results) => {
    if (results === 0) personal.fail(trouble);
    if (results === 1) work.fail(trouble);
  });

  await answered(scene, /The tool ran 3 times/);

  const loop = turns(scene, 200);
  const [own, other] = [personal.workspaceId, work.workspaceId];
  assert.deepEqual(loop.map((record) => [record.plan, minters(record)]), [
    ["personal", []],
    ["work", []],
    ["personal", [own]],
    ["personal", [own, own]],
  ]);
  assert.notEqual(own, other);
  assert.deepEqual(turns(scene, 400), []);
});

Deno.test("an account that falls silent: the next one answers", async () => {
  const { scene, personal } = await twoPeople();
  await using _ = scene;
  personal.fail({ kind: "stall", afterEvents: 2 });

  await answered(scene, /served by work/, { OPENCODE_MULTI_AUTH_STALL_MS: "1500" });

  const [silent, good, ...more] = asked(scene);
  assert.deepEqual([silent?.plan, good?.plan, more.length], ["personal", "work", 0]);
  const waited = (good?.at ?? 0) - (silent?.at ?? 0);
  // The standard would be 30 s; what a busy machine adds is not of interest.
  assert.ok(waited >= 1500 && waited < 20_000, `handed over after ${waited} ms`);
  await silent?.closed;
  assert.equal(silent?.aborted, true, "the silent answer is let go of");
});

Deno.test("a Cloudflare page: the same account is asked again after a while, and the page is not shown", async () => {
  const { scene, personal } = await twoPeople();
  await using _ = scene;
  const rows = JSON.parse(
    readFileSync(new URL("../fixtures/codex/errors.json", import.meta.url), "utf8"),
  ) as (FixtureRow & { name: string })[];
  const page = rows.find((row) => row.name === "403_cloudflare_page");
  assert.ok(page);
  personal.fail(faultFromFixture(page));

  const { stdout } = await answered(scene, /served by personal/);

  assert.doesNotMatch(stdout, /<|cloudflare/i);
  const [walled, good, ...more] = asked(scene);
  assert.deepEqual([walled?.plan, good?.plan, more.length], ["personal", "personal", 0]);
  const waited = (good?.at ?? 0) - (walled?.at ?? 0);
  assert.ok(waited >= 2000 && waited < 20_000, `asked again after ${waited} ms`);
  const { accounts } = await status(scene.sandbox);
  assert.deepEqual(accounts.map((account) => account.blockReason), [null, null]);
});

Deno.test("401 and a refresh token that is refused too: the next account answers, this one needs a login", async () => {
  const { scene, personal } = await twoPeople();
  await using _ = scene;
  personal.invalidateAccessTokens();
  personal.revokeRefreshTokens();

  await answered(scene, /served by work/);

  assert.deepEqual(plansOf(turns(scene, 200)), ["work"]);
  const refreshes = scene.simulator.tokenCalls.filter((call) => call.grant === "refresh_token");
  assert.deepEqual(refreshes.map((call) => [call.plan, call.ok]), [["personal", false]]);
  const { accounts } = await status(scene.sandbox);
  assert.deepEqual(accounts.map((account) => account.alias), ["personal", "work"]);
  assert.match(accounts[0]?.blockReason ?? "", /needs login/);
});

Deno.test("a stream that ends before anything useful: the next account answers at once", async () => {
  const { scene, personal } = await twoPeople();
  await using _ = scene;
  personal.fail({ kind: "end-early", afterEvents: 2 });

  await answered(scene, /served by work/);

  const [cut, good, ...more] = asked(scene);
  assert.deepEqual([cut?.plan, good?.plan, more.length], ["personal", "work", 0]);
  assert.ok((good?.at ?? 0) - (cut?.at ?? 0) < 1500, "OpenCode's own retry would take 2 s");
  const { accounts } = await status(scene.sandbox);
  assert.equal(accounts[0]?.blockReason, null);
});
