import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Look } from "../../src/doctor/check.ts";
import { openCodeRunCheck } from "../../src/doctor/opencode_run.ts";
import type { Surroundings } from "../../src/doctor/surroundings.ts";
import { PACKAGE, VERSION } from "../../src/platform/version.ts";
import { configure, finding, lookAt, SPEC, withMachine } from "./machine.ts";

const run = (surroundings: Surroundings): Promise<Look> => lookAt(openCodeRunCheck(surroundings));

const states = ({ findings }: Look) => findings.map(({ state }) => state);

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
        "$HOME/.opencode/opencode.json" "$HOME/elsewhere.txt" > "${proof}"; [ "$1" = debug ] && (cd "$OPENCODE_MULTI_AUTH_STORE_DIR" && echo " store:" && ls) >> "${proof}"; echo 1.18.33`,
    );
    const OPENCODE_MULTI_AUTH_STORE_DIR = machine.surroundings.paths.folder;
    await run(machine.withEnv({ OPENCODE_MULTI_AUTH_STORE_DIR }));
    const seen = readFileSync(proof, "utf8");
    assert.equal(seen, '{"plugin":["./mine/plugin.js"]}mine{}there store:\n');
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

Deno.test("an opencode that writes much is read, one that writes without end is ended", () =>
  withMachine(async (machine) => {
    machine.program("opencode", 'for i in 1 2 3 4 5 6 7 8 9; do echo "1.18.33 $i"; done');
    assert.equal(finding(await run(machine.surroundings), "program").state, "ok");
    machine.program("opencode", `while :; do echo "${"x".repeat(100_000)}"; done`);
    assert.match(finding(await run(machine.surroundings), "program").text, /wrote without end/);
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
