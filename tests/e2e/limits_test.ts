/**
 * `limits` with the real Codex CLI: as it is released, against the simulated backend.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { toolPaths } from "../../scripts/tools.ts";
import { fixture } from "../cli/session.ts";
import { runs } from "../codex_cli/fake_codex.ts";
import { cli, type CommandOptions, type Form, startCli, status } from "./cli.ts";
import { FIVE_HOURS, makeScene, type Scene, signIn } from "./scene.ts";
import { storedSecrets } from "./secrets.ts";

/** Leads the Codex CLI to the simulator: two spellings of one host, else it rewrites the model's address. */
function config({ simulator }: Scene): string {
  const { port } = new URL(simulator.origin);
  return `chatgpt_base_url = "http://127.0.0.1:${port}/backend-api"
openai_base_url = "http://localhost:${port}/backend-api/codex"
`;
}

/** The real Codex CLI, whose own login would be renewed and revoked at the simulator too. */
function withCodex({ simulator }: Scene, form?: Form): CommandOptions {
  return {
    limitMs: 60_000,
    ...(form === undefined ? {} : { form }),
    env: {
      CODEX_CLI_BIN: toolPaths().codex,
      CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${simulator.issuerUrl}/oauth/token`,
      CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${simulator.issuerUrl}/oauth/revoke`,
      OPENCODE_MULTI_AUTH_LIMITS_GAP_MS: "0",
    },
  };
}

/** Puts a login and settings of the person's into the device's own Codex folder. */
function useDevice(scene: Scene, text: string): { path: string; stat: () => string } {
  const folder = join(scene.sandbox.home, ".codex");
  Deno.mkdirSync(folder);
  Deno.writeTextFileSync(join(folder, "config.toml"), text);
  const path = join(folder, "auth.json");
  Deno.writeTextFileSync(path, fixture("auth-json/modern.json"), { mode: 0o600 });
  const stat = () => {
    const { ino, mtime, mode } = Deno.statSync(path);
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    return JSON.stringify([ino, mtime, mode, Deno.readTextFileSync(path), names]);
  };
  return { path, stat };
}

async function used(scene: Scene): Promise<(number | undefined)[]> {
  const { accounts } = await status(scene.sandbox);
  return accounts.map(({ quota }) =>
    quota.windows.find(({ minutes }) => minutes === FIVE_HOURS)?.usedPercent
  );
}

Deno.test("limits through the real Codex CLI, with the device's settings; its login stays byte for byte", async () => {
  await using scene = await makeScene();
  const plan = await signIn(scene, "personal");
  const device = useDevice(
    scene,
    // What must not get in the way: a keyring, and a server of the person's that would be started.
    `${config(scene)}cli_auth_credentials_store = "keyring"
[mcp_servers.mine]
command = "touch"
args = ["${join(scene.sandbox.home, "server-was-started")}"]
`,
  );
  const before = device.stat();
  let percent = 20;
  for (
    const [source, form] of [
      ["app-server", "binary"],
      ["exec", "binary"],
      ["exec", "node"],
      ["app-server", "deno"],
    ] as const
  ) {
    plan.setUsed(FIVE_HOURS, ++percent, 60 * 60_000);
    const args = ["limits", "personal", "--source", source];
    const outcome = await cli(scene.sandbox, args, withCodex(scene, form));
    scene.printed.push(outcome);
    assert.equal(outcome.code, 0, `${source} under ${form}: ${outcome.stderr}`);
    assert.match(outcome.stdout, new RegExp(`^  5h .* ${100 - percent}% `, "m"));
    assert.deepEqual(await used(scene), [percent]);
  }
  assert.equal(device.stat(), before);
  assert.throws(() => Deno.statSync(join(scene.sandbox.home, "server-was-started")));
  // Codex has neither renewed nor revoked anything: the one call is the login's.
  assert.equal(scene.simulator.tokenCalls.length, 1);
  const turns = scene.simulator.requests.filter(({ path, method }) =>
    method === "POST" && path.endsWith("/codex/responses")
  );
  assert.equal(turns.length, 2);
  const login = Deno.readTextFileSync(
    join(scene.sandbox.home, ".codex-multi", "personal", "auth.json"),
  );
  assert.equal(JSON.parse(login).tokens.refresh_token, "");
  const secrets = storedSecrets(scene.sandbox);
  for (const { stdout, stderr } of scene.printed) {
    assert.ok(!secrets.some((secret) => (stdout + stderr).includes(secret)));
  }
});

Deno.test("limits with a config.toml in the sandbox; a refusal has figures too; a failure is one line", async () => {
  await using scene = await makeScene();
  const plan = await signIn(scene, "me@work");
  const folder = join(scene.sandbox.home, ".codex-multi", "me_work");
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeTextFileSync(join(folder, "config.toml"), config(scene));
  const limits = (source: string) =>
    cli(scene.sandbox, ["limits", "me@work", "--source", source], withCodex(scene));

  plan.setUsed(FIVE_HOURS, 100, 60 * 60_000);
  const full = await limits("exec");
  assert.equal(full.code, 0, full.stderr);
  const [account] = (await status(scene.sandbox)).accounts;
  assert.equal(account?.blockReason, "usage limit");

  // The limit ends early, and Codex is the first to hear of it.
  plan.setUsed(FIVE_HOURS, 5, 5 * 3_600_000);
  const early = await limits("app-server");
  assert.equal(early.code, 0, early.stderr);
  assert.equal((await status(scene.sandbox)).accounts[0]?.blockReason, null);
  assert.deepEqual(await used(scene), [5]);

  plan.fail({ kind: "status", status: 403 }, 1, "wham/usage");
  const refused = await limits("app-server");
  assert.equal(refused.code, 1);
  assert.equal(refused.stdout, "");
  assert.match(refused.stderr, /^Error: me@work: codex app-server got no figures \(.*403.*\n$/);
  assert.equal(refused.stderr.trim().split("\n").length, 1);
  assert.equal(Deno.readTextFileSync(join(folder, "config.toml")), config(scene));

  // A token that the backend refuses is renewed by us, once, and Codex gets the new one.
  plan.invalidateAccessTokens();
  const renewed = await limits("app-server");
  assert.equal(renewed.code, 0, renewed.stderr);
  assert.equal(scene.simulator.tokenCalls.length, 2);
});

Deno.test("limits killed in the middle leaves neither a Codex CLI nor a task behind", async () => {
  await using scene = await makeScene();
  await signIn(scene, "personal");
  useDevice(scene, config(scene));
  const home = join(scene.sandbox.home, ".codex-multi", "personal");
  scene.simulator.fail({ kind: "stall" }, 1);
  const options = withCodex(scene);
  const limits = startCli(scene.sandbox, ["limits", "personal", "--source", "exec"], options);
  await scene.simulator.waitFor(({ path, method }) =>
    method === "POST" && path.endsWith("/codex/responses")
  );
  assert.ok(runs(home), "the Codex CLI runs");
  limits.kill();
  await limits.outcome.catch(() => {});
  for (let round = 0; runs(home); round++) {
    assert.ok(round < 100, "the Codex CLI goes on");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const after = await cli(
    scene.sandbox,
    ["limits", "personal", "--source", "app-server"],
    options,
  );
  assert.equal(after.code, 0, after.stderr);
});
