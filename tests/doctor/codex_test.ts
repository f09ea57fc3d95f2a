import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { codexChecks } from "../../src/doctor/codex.ts";
import type { Look } from "../../src/doctor/check.ts";
import type { Surroundings } from "../../src/doctor/surroundings.ts";
import { fixtureIdentity } from "../simulator/simulator.ts";
import { finding, lookAt, type Machine, named, withMachine } from "./machine.ts";

const look = (surroundings: Surroundings, name: string): Promise<Look> =>
  lookAt(named(codexChecks(surroundings), name));

const program = async (surroundings: Surroundings) =>
  finding(await look(surroundings, "program"), "program");

Deno.test("codex missing, too old, failing: each is said, none is wrong", () =>
  withMachine(async (machine) => {
    const { surroundings } = machine;
    assert.equal((await program(surroundings)).state, "ok");
    machine.program("codex", "echo codex-cli 0.169.0");
    assert.match((await program(surroundings)).text, /^Codex CLI 0\.169\.0, /);
    machine.program("codex", "echo codex-cli 0.20.0");
    const old = await program(surroundings);
    assert.equal(old.state, "warning");
    assert.match(old.fix ?? "", /^Update it: npm install -g @openai\/codex@latest$/);
    machine.program("codex", "exit 1");
    assert.match((await program(surroundings)).text, /--version fails \(code 1\)/);
    const named = machine.withEnv({ CODEX_CLI_BIN: "/nowhere/codex" });
    assert.match((await program(named)).text, /CODEX_CLI_BIN names \/nowhere\/codex/);
  }));

Deno.test("codex that hangs or waits for stdin is ended, and changes nothing", () =>
  withMachine(async (machine) => {
    const { surroundings, clock, home } = machine;
    machine.program("codex", "cat; echo codex-cli 0.169.0; touch $HOME/made $CODEX_HOME/made");
    assert.equal((await program(surroundings)).state, "ok");
    assert.ok(!existsSync(join(home, "made")) && !existsSync(join(home, ".codex")));
    const started = join(home, "..", "started");
    machine.program("codex", `touch "${started}"; sleep 1000`);
    const looking = program(surroundings);
    while (!existsSync(started)) await new Promise((resolve) => setTimeout(resolve, 10));
    await clock.advance(20_000);
    assert.match((await looking).text, /did not end within 20 s/);
  }));

function signedIn({ put }: Machine, mode?: number): string {
  const { accessToken, refreshToken } = fixtureIdentity("personal").tokens;
  const tokens = { access_token: accessToken, refresh_token: refreshToken };
  return put(".codex/auth.json", JSON.stringify({ auth_mode: "chatgpt", tokens }), mode);
}

Deno.test("a login of the Codex CLI that is not in the store is a warning with sync, without a token in it", () =>
  withMachine(async (machine) => {
    await machine.account("other");
    const path = signedIn(machine);
    const found = await look(machine.surroundings, "login");
    const login = finding(found, "login");
    assert.deepEqual([login.state, login.fix], [
      "warning",
      "Take it over: opencode-multi-auth sync",
    ]);
    assert.equal(finding(found, "credential store").state, "ok");
    for (const part of readFileSync(path, "utf8").match(/[\w-]{20,}/g) ?? []) {
      assert.ok(!JSON.stringify(found.findings).includes(part));
    }
  }));

Deno.test("keyring or auto credential store in config.toml is said plainly", () =>
  withMachine(async (machine) => {
    for (const kind of ["keyring", "auto", "ephemeral"]) {
      machine.put(".codex/config.toml", `cli_auth_credentials_store = "${kind}"\n`);
      const store = finding(await look(machine.surroundings, "login"), "credential store");
      assert.equal(store.state, "warning");
      assert.match(store.fix ?? "", /cli_auth_credentials_store = "file"/);
    }
    machine.put(".codex/config.toml", "[[[");
    const broken = finding(await look(machine.surroundings, "login"), "login");
    assert.match(broken.text, /cannot be read: .*config\.toml is not TOML/);
    assert.match(broken.fix ?? "", /codex login$/);
  }));

Deno.test("an auth.json of the Codex CLI that others may reach is mended", () =>
  withMachine(async (machine) => {
    const path = signedIn(machine, 0o644);
    const found = await look(machine.surroundings, "login");
    await found.mend?.([finding(found, "auth.json mode")]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  }));

Deno.test("without a folder of the Codex CLI nothing is said about its login", () =>
  withMachine(async ({ surroundings }) => {
    assert.deepEqual((await look(surroundings, "login")).findings, []);
  }));

Deno.test("a store that cannot be read is not a fault of the Codex CLI's login", () =>
  withMachine(async (machine) => {
    signedIn(machine);
    machine.put(".config/opencode-multi-auth/accounts.json", "{");
    assert.deepEqual((await look(machine.surroundings, "login")).findings, []);
  }));
