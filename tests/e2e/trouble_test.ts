import assert from "node:assert/strict";
import type { RequestRecord } from "../simulator/simulator.ts";
import { run, serve } from "./opencode.ts";
import { FIVE_HOURS, install, makeScene, plansOf, signIn, turns } from "./scene.ts";
import { leaks } from "./secrets.ts";

Deno.test("with every account at its limit opencode run says so at once and asks nobody twice", async () => {
  await using scene = await makeScene();
  for (const person of ["personal", "work"]) {
    (await signIn(scene, person)).setUsed(FIVE_HOURS, 100, 2 * 60 * 60_000);
  }
  await install(scene);

  const outcome = await run(scene.sandbox, "Say something");
  scene.printed.push(outcome);

  const said = outcome.stdout + outcome.stderr;
  assert.notEqual(outcome.code, 0);
  for (const alias of ["personal", "work"]) {
    assert.ok(said.includes(alias), `${alias} is not named in: ${said}`);
  }
  // The turn and the request for the title may both meet each account once.
  for (const plan of ["personal", "work"]) {
    const asked = turns(scene, 429).filter((record) => record.plan === plan).length;
    assert.ok(asked >= 1 && asked <= 2, `${plan} was asked ${asked} times`);
  }
  assert.deepEqual(turns(scene, 200), []);
  assert.deepEqual(leaks(scene.sandbox, scene.printed), []);
});

Deno.test("an access token that was invalidated is refreshed without a word, and the account stays", async () => {
  await using scene = await makeScene();
  const personal = await signIn(scene, "personal");
  await signIn(scene, "work");
  await install(scene);
  personal.invalidateAccessTokens();

  const outcome = await run(scene.sandbox, "Say something");
  scene.printed.push(outcome);

  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stdout, /served by personal/);
  assert.deepEqual(plansOf(turns(scene, 200)), ["personal"]);
  const refreshes = scene.simulator.tokenCalls.filter((call) => call.grant === "refresh_token");
  assert.deepEqual(refreshes.map((call) => [call.plan, call.ok]), [["personal", true]]);
  assert.deepEqual(leaks(scene.sandbox, scene.printed), []);
});

Deno.test("a stream that ends without its last event does not make OpenCode repeat the turn at once", async () => {
  await using scene = await makeScene();
  const personal = await signIn(scene, "personal");
  await install(scene);
  // The fifth event is text: from there on nobody but OpenCode may repeat the turn.
  personal.fail({ kind: "end-early", afterEvents: 5 }, Infinity);
  await using server = await serve(scene.sandbox);
  const answer = server.message(await server.session(), "Say something").catch(() => "none");

  const { waitFor } = scene.simulator;
  const first = await waitFor(isTurn, 30_000);
  await first.closed;
  const endedAt = scene.simulator.clock.now();
  const second = await waitFor((record) => isTurn(record) && record !== first, 30_000);

  // OpenCode repeats a failed turn after 2, 4, 8, … s, and one that ended cleanly at once, for ever.
  const pause = second.at - endedAt;
  assert.ok(pause >= 1500, `the turn was repeated after ${pause} ms`);
  await server.stop();
  assert.equal(await answer, "none");
});

/** A request for an answer; the one for the session's title has no tools. */
function isTurn(record: RequestRecord): boolean {
  if (!record.path.endsWith("/codex/responses")) return false;
  const { tools } = JSON.parse(record.body) as { tools?: unknown[] };
  return tools !== undefined && tools.length > 0;
}
