import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Look } from "../../src/doctor/check.ts";
import { openCodeFileChecks } from "../../src/doctor/opencode.ts";
import { PLACEHOLDER_ENTRY } from "../../src/opencode/placeholder.ts";
import { PACKAGE, VERSION } from "../../src/platform/version.ts";
import type { Surroundings } from "../../src/doctor/surroundings.ts";
import { configure, finding, lookAt, named, SPEC, withMachine } from "./machine.ts";

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

Deno.test("a competing plugin in the project's own configuration is a warning that names the file", () =>
  withMachine(async (machine) => {
    configure(machine, [SPEC]);
    const path = machine.put(
      "work/deep/.opencode/opencode.jsonc",
      '{"plugin": ["oc-codex-multi-auth"]}',
    );
    machine.put("work/opencode.json", '{"plugin": ["harmless", ["opencode-codex-auth", {}]]}');
    const folder = join(machine.home, "work", "deep");
    mkdirSync(join(folder, "er"));
    const { findings } = await files(machine.with({ folder: join(folder, "er") }), "project");
    assert.deepEqual(findings.map(({ state }) => state), ["warning", "warning"]);
    assert.ok(findings[0]?.text.includes(path), findings[0]?.text);
    // What counts everywhere is not the project's.
    machine.put(".opencode/opencode.json", '{"plugin": ["oc-codex-multi-auth"]}');
    assert.deepEqual((await files(machine.surroundings, "project")).findings, []);
  }));

Deno.test("a competing plugin that lies in one of OpenCode's plugin folders, which no list names, is found", () =>
  withMachine(async (machine) => {
    configure(machine, [SPEC]);
    const rival = `export const R = async () => ({ auth: { provider: "openai", methods: [] } });`;
    const folder = join(machine.home, "work", "deep");
    const everywhere = [".config/opencode/plugin/a.js", ".opencode/plugins/b.ts", "own/plugin/c.js"]
      .map((path) => machine.put(path, rival));
    const here = ["work/.opencode/plugin/d.js", "work/deep/.opencode/plugins/e.ts"]
      .map((path) => machine.put(path, rival));
    machine.put(".config/opencode/plugin/harmless.js", 'export const H = { event: "openai" };');
    const hidden = 'const P = "openai"; export const S = () => ({ auth: { provider: P } });';
    const perhaps = machine.put(".config/opencode/plugin/said.js", hidden);
    machine.put(".config/opencode/plugin/read.me", rival);
    // A folder is none, whatever it is called, and hides none.
    machine.put(".config/opencode/plugin/Deeper.js/x.js", rival);
    const env = machine.withEnv({ OPENCODE_CONFIG_DIR: join(machine.home, "own") });
    const { findings } = await files({ ...env, folder }, "plugin folders");
    const about = (path: string) => findings.find(({ text }) => text.includes(path));
    assert.deepEqual(everywhere.map((path) => about(path)?.state), ["wrong", "wrong", "wrong"]);
    assert.deepEqual(here.map((path) => about(path)?.state), ["warning", "warning"]);
    assert.equal(about(perhaps)?.state, "warning");
    assert.equal(findings.length, 6);
    for (const { fix } of findings) assert.match(fix ?? "", /^Move it out of that folder/);
    assert.deepEqual(
      (await files(machine.with({ folder: "/" }), "plugin folders")).findings.length,
      3,
    );
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
