/**
 * This device's Codex CLI, with the real one from npm: it finds the account that we switched to, goes
 * on with tokens that we renewed, and its locks and ours are the same.
 *
 * `codex login` in a browser always goes to the real issuer; a login with a code can be moved, so that
 * is the one that is run here.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createClient } from "../../src/codex/client.ts";
import { changeAuthFile } from "../../src/codex_cli/auth_change.ts";
import { lockWithPrograms } from "../../src/codex_cli/auth_lock.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemFiles } from "../../src/platform/files.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { storePlan } from "../simulated_account.ts";
import type { SimulatedPlan } from "../simulator/simulator.ts";
import type { Child, Outcome } from "./child.ts";
import { cli } from "./cli.ts";
import { codex, codexAuth, codexEnv, codexHome, EXEC, setUpCodex, startCodex } from "./codex.ts";
import { filesUnder } from "./sandbox.ts";
import { makeScene, plansOf, type Scene, turns } from "./scene.ts";

/** Stores plans as accounts. The first one's access token may be as good as dead. */
async function withPeople(
  names: readonly string[],
  use: (scene: Scene, plans: readonly SimulatedPlan[]) => Promise<void>,
  expiresInMs?: number,
): Promise<void> {
  await using scene = await makeScene();
  setUpCodex(scene);
  const { env } = scene.sandbox;
  const store = await openLocalStore({ paths: resolvePaths(env), env, clock: systemClock });
  const plans = names.map((name) => scene.simulator.addPlan({ name }));
  for (const plan of plans) {
    await storePlan(store, plan, plan === plans[0] ? expiresInMs : undefined);
  }
  await store.close();
  await use(scene, plans);
}

async function ours(scene: Scene, ...args: string[]): Promise<Outcome> {
  const outcome = await cli(scene.sandbox, args, { env: codexEnv(scene) });
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome;
}

interface AuthJson {
  readonly tokens: { readonly refresh_token: string; readonly access_token: string };
}

function auth(scene: Scene): AuthJson {
  return JSON.parse(Deno.readTextFileSync(codexAuth(scene)));
}

Deno.test("a switch is seen by the real codex login status, and codex exec is served by that account", () =>
  withPeople(["personal", "work"], async (scene) => {
    assert.equal((await codex(scene, ["login", "status"])).code, 1);
    for (const name of ["personal", "work"]) {
      const said = await ours(scene, "switch", name);
      assert.match(said.stdout, new RegExp(`uses "${name}" now`));
      const status = await codex(scene, ["login", "status"]);
      assert.equal(status.code, 0, status.stderr);
      assert.match(status.stdout + status.stderr, /Logged in using ChatGPT/);
      const device = JSON.parse((await ours(scene, "device", "--json")).stdout);
      assert.equal(device.alias, name);
    }
    const answer = await codex(scene, EXEC);
    assert.match(answer.stdout, /served by work/, answer.stderr);
    assert.deepEqual(plansOf(turns(scene, 200)), ["work"]);
    assert.match(
      (await ours(scene, "status")).stdout,
      /work\n(?:.*\n)*? {4}On device: Codex CLI\n/,
    );
  }));

Deno.test("an account that we refresh while it is active lets a real codex exec go on", () =>
  withPeople(["personal"], async (scene, [plan]) => {
    await ours(scene, "switch", "personal");
    const before = auth(scene);
    // A request of OpenCode finds the token at its end, and renews it.
    const client = await createClient({ env: { ...codexEnv(scene) } });
    const answer = await client.fetch("https://api.openai.com/v1/responses", {
      method: "POST",
      headers: { "content-type": "application/json", "session-id": "s1" },
      body: JSON.stringify({
        model: "gpt-5.5",
        instructions: "Be brief.",
        input: [{ role: "user", content: "Hello" }],
        stream: true,
        store: false,
      }),
    });
    await answer.text();
    assert.equal(answer.status, 200);
    await client.close();
    const after = auth(scene);
    assert.notEqual(after.tokens.refresh_token, before.tokens.refresh_token);

    const ran = await codex(scene, EXEC);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /served by personal/);
    // The other way round: Codex renews, and we go on with what it got.
    plan?.invalidateAccessTokens();
    assert.equal((await codex(scene, EXEC)).code, 0);
    assert.notEqual(auth(scene).tokens.refresh_token, after.tokens.refresh_token);
    assert.match((await ours(scene, "sync")).stdout, /newer tokens of "personal"/);
    const calls = scene.simulator.tokenCalls;
    assert.deepEqual(calls.map(({ ok }) => ok), [true, true], "no token is sent twice");
  }, 1_000));

Deno.test("an adopted token spares a refresh: what the real Codex renewed is taken in the transaction", () =>
  withPeople(["personal"], async (scene) => {
    await ours(scene, "switch", "personal");
    // Codex renews at its start; we know nothing of it yet.
    assert.equal((await codex(scene, EXEC)).code, 0);
    assert.equal(scene.simulator.tokenCalls.length, 1);
    const client = await createClient({ env: { ...codexEnv(scene) } });
    const answer = await client.fetch("https://api.openai.com/v1/responses", {
      method: "POST",
      headers: { "content-type": "application/json", "session-id": "s1" },
      body: JSON.stringify({ model: "gpt-5.5", input: [], stream: true, store: false }),
    });
    await answer.text();
    await client.close();
    assert.equal(answer.status, 200);
    assert.equal(scene.simulator.tokenCalls.length, 1, "ours was not sent");
  }, 1_000));

Deno.test("the real Codex waits for our lock before it writes", () =>
  withPeople(["personal"], async (scene) => {
    await ours(scene, "switch", "personal");
    const place = {
      path: codexAuth(scene),
      files: systemFiles,
      clock: systemClock,
      random: Math.random,
      lock: lockWithPrograms(scene.sandbox.env),
    };
    const before = Deno.readTextFileSync(codexAuth(scene));
    const started: Child[] = [];
    await changeAuthFile(place, async () => {
      started.push(startCodex(scene, EXEC));
      await scene.simulator.waitForTokenCall(({ ok }) => ok);
      // It has its new tokens now, and writes them in no time where nobody holds the lock.
      await new Promise((done) => setTimeout(done, 1_000));
      assert.equal(Deno.readTextFileSync(codexAuth(scene)), before);
      return undefined;
    });
    const ran = await started[0]?.outcome;
    assert.equal(ran?.code, 0, ran?.stderr);
    assert.notEqual(Deno.readTextFileSync(codexAuth(scene)), before);
    assert.match((await ours(scene, "sync")).stdout, /newer tokens of "personal"/);
  }, 1_000));

Deno.test("switch while the real Codex runs: the person is told to restart it", () =>
  withPeople(["personal", "work"], async (scene, plans) => {
    await ours(scene, "switch", "personal");
    plans[0]?.fail({ kind: "stall" });
    await using child = startCodex(scene, EXEC);
    await scene.simulator.waitFor(({ path }) => path.endsWith("/codex/responses"));
    const said = await ours(scene, "switch", "work");
    assert.match(said.stdout, /A Codex runs \(pid \d+\)\. Restart it/);
    assert.match((await ours(scene, "device")).stdout, /Running: yes \(pid \d+\)/);
    await child.stop();
    assert.match((await ours(scene, "device")).stdout, /Running: no/);
  }));

Deno.test("codex login in a home of its own revokes nothing, and the account is stored", () =>
  withPeople(["personal"], async (scene) => {
    await ours(scene, "switch", "personal");
    const before = Deno.readTextFileSync(codexAuth(scene));
    scene.simulator.addPlan({ name: "work" });
    scene.simulator.approveNext("work");
    const login = await ours(scene, "codex", "login", "work", "--", "--device-auth");
    assert.match(login.stdout, /Account "work" added successfully!\nEmail: work@plans\.example/);
    assert.equal(Deno.readTextFileSync(codexAuth(scene)), before);
    assert.deepEqual(
      scene.simulator.tokenCalls.filter(({ grant }) => grant === "revoke").length,
      0,
    );
    const left = filesUnder(scene.sandbox.store).filter((path) => path.includes("codex-login-"));
    assert.deepEqual(left, []);
    await ours(scene, "switch", "work");
    assert.match((await codex(scene, EXEC)).stdout, /served by work/);
  }));

Deno.test("a real codex login that ends without a login leaves everything as it was", () =>
  withPeople(["personal"], async (scene) => {
    scene.simulator.approveNext({ refuse: "access_denied" });
    const outcome = await cli(
      scene.sandbox,
      ["codex", "login", "work", "--", "--no-such-option"],
      { env: codexEnv(scene) },
    );
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /codex login ended with status 2; nothing was changed/);
    assert.deepEqual(
      [...Deno.readDirSync(scene.sandbox.store)].filter(({ name }) => name.startsWith("codex-")),
      [],
    );
    assert.ok(Deno.statSync(join(codexHome(scene), "config.toml")));
  }));
