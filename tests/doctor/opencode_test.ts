import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Look } from "../../src/doctor/check.ts";
import { openCodeFileChecks } from "../../src/doctor/opencode.ts";
import { openCodeRunCheck } from "../../src/doctor/opencode_run.ts";
import { PLACEHOLDER_ENTRY } from "../../src/opencode/placeholder.ts";
import { PACKAGE, VERSION } from "../../src/platform/version.ts";
import type { Surroundings } from "../../src/doctor/surroundings.ts";
import { finding, lookAt, type Machine, named, SPEC, withMachine } from "./machine.ts";

const CONFIG = ".config/opencode/opencode.json";
const AUTH = ".local/share/opencode/auth.json";

const files = (surroundings: Surroundings, name = "configuration", adopted: unknown[] = []) =>
  lookAt(named(
    openCodeFileChecks(surroundings, (login) => {
      adopted.push(login);
      return Promise.resolve();
    }),
    name,
  ));

const run = (surroundings: Surroundings): Promise<Look> => lookAt(openCodeRunCheck(surroundings));

function configure({ put }: Machine, plugin: readonly unknown[]): void {
  put(CONFIG, JSON.stringify({ plugin }));
  put(AUTH, JSON.stringify({ openai: PLACEHOLDER_ENTRY }));
}

/** Mends all that can be mended, and gives what is said afterwards. */
async function mended(
  look: () => Promise<Look>,
): Promise<{ after: Look; backups: readonly string[] }> {
  const before = await look();
  const chosen = before.findings.filter(({ mend }) => mend !== undefined);
  const { backups = [] } = await before.mend?.(chosen) ?? {};
  return { after: await look(), backups };
}

const states = ({ findings }: Look) => findings.map(({ state }) => state);

Deno.test("a configuration that names the plugin and an auth.json with its entry are ok", () =>
  withMachine(async (machine) => {
    configure(machine, [SPEC, "other-plugin"]);
    assert.deepEqual(states(await files(machine.surroundings)), ["ok", "ok"]);
  }));

Deno.test("no openai entry in OpenCode's auth.json: doctor sees it and mends it", () =>
  withMachine(async (machine) => {
    configure(machine, [SPEC]);
    machine.put(AUTH, '{"anthropic": {"type": "api", "key": "kept"}}');
    const missing = finding(await files(machine.surroundings), "auth.json entry");
    assert.equal(missing.state, "wrong");
    assert.match(missing.text, /has no "openai" entry, so OpenCode never asks the plugin/);
    const { after } = await mended(() => files(machine.surroundings));
    assert.deepEqual(states(after), ["ok", "ok"]);
    const auth = JSON.parse(readFileSync(join(machine.home, AUTH), "utf8"));
    assert.equal(auth.anthropic.key, "kept");
    assert.deepEqual(auth.openai, PLACEHOLDER_ENTRY);
  }));

Deno.test("a configuration without the plugin is wrong, and mended with a copy kept", () =>
  withMachine(async (machine) => {
    configure(machine, ["other-plugin"]);
    const before = readFileSync(join(machine.home, CONFIG), "utf8");
    assert.equal(finding(await files(machine.surroundings), "plugin entry").state, "wrong");
    const { after, backups } = await mended(() => files(machine.surroundings));
    assert.deepEqual(states(after), ["ok", "ok"]);
    assert.equal(readFileSync(backups[0] ?? "", "utf8"), before);
  }));

Deno.test("another plugin also claims openai, or an older package of this family is configured: doctor names it and removes it", () =>
  withMachine(async (machine) => {
    const older = "github:guard22/opencode-multi-auth-codex";
    configure(machine, [older, SPEC, "oc-codex-multi-auth@6.14.0"]);
    const found = await files(machine.surroundings);
    const old = finding(found, `entry "${older}"`);
    assert.equal(old.state, "wrong");
    assert.match(old.text, /older package.*BunInstallFailedError or DependencyLoop/);
    const rival = finding(found, 'entry "oc-codex-multi-auth@6.14.0"');
    assert.equal(rival.state, "wrong");
    assert.match(rival.text, /also claims "openai"/);
    const { after } = await mended(() => files(machine.surroundings));
    assert.deepEqual(states(after), ["ok", "ok"]);
    const { plugin } = JSON.parse(readFileSync(join(machine.home, CONFIG), "utf8"));
    assert.deepEqual(plugin, [SPEC]);
  }));

Deno.test("only what was chosen is mended", () =>
  withMachine(async (machine) => {
    configure(machine, ["github:guard22/opencode-multi-auth-codex", "oc-codex-multi-auth"]);
    const found = await files(machine.surroundings);
    await found.mend?.([finding(found, 'entry "oc-codex-multi-auth"')]);
    const { plugin } = JSON.parse(readFileSync(join(machine.home, CONFIG), "utf8"));
    assert.deepEqual(plugin, ["github:guard22/opencode-multi-auth-codex"]);
  }));

Deno.test("a plugin path that leads nowhere is wrong, and gets the entry that install would write", () =>
  withMachine(async (machine) => {
    const gone = `file://${machine.home}/opencode-multi-auth/npm/plugin.js`;
    configure(machine, [gone]);
    const entry = finding(await files(machine.surroundings), "plugin entry");
    assert.equal(entry.state, "wrong");
    assert.match(entry.text, /where nothing is\. OpenCode passes over it in silence/);
    const { after } = await mended(() => files(machine.surroundings));
    assert.deepEqual(states(after), ["ok", "ok"]);
  }));

Deno.test("a plugin path of the person's own stays, another version there is a warning", () =>
  withMachine(async (machine) => {
    const path = machine.put("plugin/plugin.js", "");
    const manifest = (version: string) =>
      machine.put("plugin/package.json", JSON.stringify({ name: PACKAGE, version }));
    manifest(VERSION);
    configure(machine, [`file://${path}`]);
    assert.deepEqual(states(await files(machine.surroundings)), ["ok", "ok"]);
    manifest("0.0.1");
    const entry = finding(await files(machine.surroundings), "plugin entry");
    assert.equal(entry.state, "warning");
    assert.match(entry.text, /version 0\.0\.1/);
  }));

Deno.test("an entry that names an older version of ours is a warning; latest is the person's wish", () =>
  withMachine(async (machine) => {
    configure(machine, [`${PACKAGE}@0.0.1`]);
    assert.equal(finding(await files(machine.surroundings), "plugin entry").state, "warning");
    configure(machine, [`${PACKAGE}@latest`]);
    assert.equal(finding(await files(machine.surroundings), "plugin entry").state, "ok");
  }));

Deno.test("OpenCode caches an npm plugin for ever under latest: doctor compares versions and clears the copy", () =>
  withMachine(async (machine) => {
    configure(machine, [`${PACKAGE}@latest`]);
    const folder = `.cache/opencode/packages/${PACKAGE}@latest`;
    const manifest = (version: string) =>
      machine.put(
        `${folder}/node_modules/${PACKAGE}/package.json`,
        JSON.stringify({ name: PACKAGE, version }),
      );
    manifest(VERSION);
    assert.equal(finding(await files(machine.surroundings), "plugin cache").state, "ok");
    manifest("0.0.1");
    const stale = finding(await files(machine.surroundings), "plugin cache");
    assert.equal(stale.state, "warning");
    assert.match(stale.text, /keeps version 0\.0\.1 .* never looks for a newer one/);
    await mended(() => files(machine.surroundings));
    assert.ok(!existsSync(join(machine.home, folder)));
  }));

Deno.test("OpenCode's own ChatGPT login is a warning, and becomes an account by the fix", () =>
  withMachine(async (machine) => {
    configure(machine, [SPEC]);
    const openai = { type: "oauth", refresh: "rt-own", access: "at-own", expires: 1 };
    machine.put(AUTH, JSON.stringify({ openai }));
    const found = await files(machine.surroundings);
    const login = finding(found, "auth.json entry");
    assert.equal(login.state, "warning");
    assert.ok(!/rt-own|at-own/.test(JSON.stringify(found.findings)));
    const adopted: unknown[] = [];
    await mended(() => files(machine.surroundings, "configuration", adopted));
    assert.equal(adopted.length, 1);
    assert.ok(!readFileSync(join(machine.home, AUTH), "utf8").includes("rt-own"));
  }));

Deno.test("settings of the provider that beat the plugin, and disabled providers, are wrong", () =>
  withMachine(async (machine) => {
    configure(machine, [SPEC]);
    const provider = { openai: { options: { apiKey: "sk-of-the-person" } } };
    machine.put(
      CONFIG,
      JSON.stringify({ plugin: [SPEC], provider, disabled_providers: ["openai"] }),
    );
    const { findings } = await files(machine.surroundings);
    const against = findings.filter(({ name }) => name === "provider settings");
    assert.deepEqual(against.map(({ state, fix }) => [state, fix]), [
      ["wrong", "Remove it."],
      ["wrong", "Take it out."],
    ]);
    assert.ok(!JSON.stringify(findings).includes("sk-of-the-person"));
  }));

Deno.test("OPENCODE_PURE and OPENCODE_AUTH_CONTENT without the entry are wrong", () =>
  withMachine(async (machine) => {
    configure(machine, [SPEC]);
    const env = machine.withEnv({ OPENCODE_PURE: "1", OPENCODE_AUTH_CONTENT: "{}" });
    assert.deepEqual(states(await files(env, "environment")), ["wrong", "wrong"]);
  }));

Deno.test("an auth.json of OpenCode that others may reach is a warning, and mended", () =>
  withMachine(async (machine) => {
    configure(machine, [SPEC]);
    const path = machine.put(AUTH, "{}", 0o644);
    const { after } = await mended(() => files(machine.surroundings, "environment"));
    assert.deepEqual(states(after), []);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  }));

/** An `opencode` that does what the real one does with a plugin. */
const LOADS = `
case "$1" in
  --version) echo 1.18.33 ;;
  debug)
    mkdir -p "$XDG_DATA_HOME/opencode" "$XDG_CONFIG_HOME/opencode" && touch "$XDG_CONFIG_HOME/opencode/.gitignore"
    echo "2026-11-25T03:00:00.000Z [info] ${PACKAGE} ${VERSION} loaded by OpenCode, pid 4711" > "$CODEX_SOFT_LOG_PATH" ;;
esac`;

Deno.test("a real run proves that OpenCode loads the plugin, and changes nothing", () =>
  withMachine(async (machine) => {
    configure(machine, [SPEC]);
    machine.program("opencode", LOADS);
    const before = machine.everything();
    const found = await run(machine.surroundings);
    assert.deepEqual(states(found), ["ok", "ok"]);
    assert.match(finding(found, "program").text, /^OpenCode 1\.18\.33, /);
    assert.match(finding(found, "plugin loads").text, /loads the plugin, version .*process 4711/);
    assert.deepEqual(machine.everything(), before);
  }));

Deno.test("the run sees the person's configuration, what lies beside it, and nothing of their store", () =>
  withMachine(async (machine) => {
    configure(machine, ["./mine/plugin.js"]);
    machine.put(".config/opencode/mine/plugin.js", "mine");
    machine.put(".opencode/opencode.json", "{}");
    machine.put("elsewhere.txt", "there");
    await machine.account("personal");
    const proof = join(machine.home, "..", "proof");
    machine.program(
      "opencode",
      `[ "$1" = debug ] && cat "$XDG_CONFIG_HOME/opencode/opencode.json" "$XDG_CONFIG_HOME/opencode/mine/plugin.js" \\
        "$HOME/.opencode/opencode.json" "$HOME/elsewhere.txt" > "${proof}"; ls "$OPENCODE_MULTI_AUTH_STORE_DIR" >> "${proof}"; echo 1.18.33`,
    );
    await run(machine.surroundings);
    assert.equal(readFileSync(proof, "utf8"), '{"plugin":["./mine/plugin.js"]}mine{}there');
  }));

Deno.test("the plugin fails to load: OpenCode says nothing, doctor does", () =>
  withMachine(async (machine) => {
    configure(machine, [SPEC.replace(PACKAGE, "./")]);
    machine.program("opencode", "echo 1.18.33");
    const silent = finding(await run(machine.surroundings), "plugin loads");
    assert.equal(silent.state, "wrong");
    assert.match(silent.text, /does not load the plugin; it says nothing about why/);
  }));

Deno.test("what OpenCode's own log says against the plugin is repeated, without a token in it", () =>
  withMachine(async (machine) => {
    const line = 'timestamp=x level=ERROR message=\\"failed to load plugin\\" ' +
      'error=\\"BunInstallFailedError: DependencyLoop eyJhbGciOiJub25lIn0.eyJzdWIiOiJzZWNyZXQifQ.c2lnbmF0dXJl\\"';
    machine.program(
      "opencode",
      `mkdir -p "$XDG_DATA_HOME/opencode/log"; echo "${line}" > "$XDG_DATA_HOME/opencode/log/a.log"; echo 1.18.33`,
    );
    const { text } = finding(await run(machine.surroundings), "plugin loads");
    assert.match(text, /BunInstallFailedError: DependencyLoop/);
    assert.ok(!text.includes("eyJ"), text);
  }));

Deno.test("a package that OpenCode has yet to fetch is a warning: the run has no network", () =>
  withMachine(async (machine) => {
    configure(machine, [SPEC]);
    machine.program("opencode", "echo 1.18.33");
    const found = finding(await run(machine.surroundings), "plugin loads");
    assert.equal(found.state, "warning");
    assert.match(found.text, /fetches the plugin from the network at its next start.*not loaded/);
    mkdirSync(join(machine.home, ".cache/opencode/packages", SPEC), { recursive: true });
    assert.equal(finding(await run(machine.surroundings), "plugin loads").state, "wrong");
  }));

Deno.test("opencode missing, failing or old is said", () =>
  withMachine(async (machine) => {
    assert.match(finding(await run(machine.surroundings), "program").text, /no opencode in PATH/);
    machine.program("opencode", "echo broken >&2; exit 3");
    assert.match(
      finding(await run(machine.surroundings), "program").text,
      /fails \(code 3: broken\)/,
    );
    assert.match(finding(await run(machine.surroundings), "plugin loads").text, /code 3: broken/);
    machine.program("opencode", "echo 1.2.3");
    const old = finding(await run(machine.surroundings), "program");
    assert.deepEqual([old.state, old.fix], ["warning", "Update it: opencode upgrade"]);
  }));

Deno.test("an opencode that hangs is ended with all it has started, and the temporary folder is empty", () =>
  withMachine(async (machine) => {
    const pids = join(machine.home, "..", "pids");
    machine.program("opencode", `sleep 1000 & echo $! >> "${pids}"; wait`);
    const looking = run(machine.surroundings);
    const started = () => existsSync(pids) ? readFileSync(pids, "utf8").trim().split("\n") : [];
    while (started().length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    await machine.clock.advance(90_000);
    const found = await looking;
    assert.match(finding(found, "program").text, /did not end within 20 s/);
    assert.match(finding(found, "plugin loads").text, /did not end within 60 s/);
    for (const pid of started()) await gone(Number(pid));
    assert.deepEqual([...Deno.readDirSync(machine.surroundings.temporary)], []);
  }));

/** Resolves when there is no such process, or nothing but its name is left. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return;
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
