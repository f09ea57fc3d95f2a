import assert from "node:assert/strict";
import { Failure } from "../../src/platform/failure.ts";
import { PACKAGE } from "../../src/platform/version.ts";
import { PLACEHOLDER_ENTRY } from "../../src/opencode/auth_file.ts";
import { applyInstall, formatPlan, planUninstall } from "../../src/opencode/install.ts";
import {
  actions,
  AUTH,
  clock,
  CONFIG,
  ENV,
  OURS,
  plan,
  pluginsIn,
  SPEC,
  STAMP,
} from "./install_machine.ts";
import { MemoryDisk } from "./memory_disk.ts";

Deno.test("a fresh home gets the plugin entry and the openai entry", async () => {
  const disk = new MemoryDisk();
  const planned = plan(disk);
  assert.deepEqual(actions(planned), ["add plugin", "write entry"]);
  assert.deepEqual(disk.writes, [], "a plan writes nothing");
  const { done, backups } = await applyInstall(planned, { clock, disk });
  assert.equal(done.length, 2);
  assert.deepEqual(backups, []);
  assert.deepEqual(pluginsIn(disk), [SPEC]);
  assert.deepEqual(JSON.parse(disk.text(AUTH) ?? ""), { openai: PLACEHOLDER_ENTRY });
  assert.equal(disk.read(AUTH)?.mode, 0o600);
});

Deno.test("a second install finds nothing to do", async () => {
  const disk = new MemoryDisk();
  await applyInstall(plan(disk), { clock, disk });
  disk.writes.length = 0;
  const again = plan(disk);
  assert.deepEqual(again.steps, []);
  await applyInstall(again, { clock, disk });
  assert.deepEqual(disk.writes, []);
});

Deno.test("an existing configuration is backed up, kept and extended", async () => {
  const text =
    '{\n  // mine\n  "plugin": ["a", ["b", {"c": 1}]],\n  "model": "openai/gpt-5.5"\n}\n';
  const disk = new MemoryDisk({ [CONFIG]: text, [AUTH]: OURS });
  const { backups } = await applyInstall(plan(disk), { clock, disk });
  assert.deepEqual(backups, [`${CONFIG}.bak-${STAMP}`]);
  assert.equal(disk.text(`${CONFIG}.bak-${STAMP}`), text);
  assert.equal(disk.read(`${CONFIG}.bak-${STAMP}`)?.mode, 0o600);
  assert.equal(disk.text(CONFIG), text.replace("1}]]", `1}], "${SPEC}"]`));
  assert.equal(disk.read(CONFIG)?.mode, 0o644);
});

Deno.test("a backup never replaces an earlier one", async () => {
  const disk = new MemoryDisk({ [CONFIG]: "{}", [`${CONFIG}.bak-${STAMP}`]: "first" });
  const { backups } = await applyInstall(plan(disk), { clock, disk });
  assert.deepEqual(backups, [`${CONFIG}.bak-${STAMP}-2`]);
  assert.equal(disk.text(`${CONFIG}.bak-${STAMP}`), "first");
});

const FILE = "file:///src/npm/plugin.js";

const UPDATES: readonly (readonly [name: string, {
  before: readonly unknown[];
  spec: string;
  exact?: boolean;
  after: readonly unknown[];
}])[] = [
  ["another version is replaced", { before: [`${PACKAGE}@0.0.1`], spec: SPEC, after: [SPEC] }],
  ["no version stays", { before: [PACKAGE], spec: SPEC, after: [PACKAGE] }],
  ["latest stays", { before: [`${PACKAGE}@latest`], spec: SPEC, after: [`${PACKAGE}@latest`] }],
  [
    "no version is replaced by what the person named",
    { before: [PACKAGE], spec: SPEC, exact: true, after: [SPEC] },
  ],
  ["no version is replaced by a file", { before: [PACKAGE], spec: FILE, after: [FILE] }],
  [
    "options stay",
    { before: ["a", [`${PACKAGE}@0.0.1`, { x: 1 }]], spec: SPEC, after: ["a", [SPEC, { x: 1 }]] },
  ],
  [
    "a second entry goes",
    { before: [`${PACKAGE}@0.0.1`, "a", SPEC], spec: SPEC, after: ["a", SPEC] },
  ],
];

for (const [name, { before, spec, exact = false, after }] of UPDATES) {
  Deno.test(`our own entry: ${name}`, async () => {
    const disk = new MemoryDisk({ [CONFIG]: JSON.stringify({ plugin: before }), [AUTH]: OURS });
    await applyInstall(plan(disk, { spec, exact }), { clock, disk });
    assert.deepEqual(pluginsIn(disk), after);
    assert.deepEqual(plan(disk, { spec, exact }).steps, []);
  });
}

Deno.test("older packages go after asking, rivals stay unless the person wants otherwise", async () => {
  const before = ["github:guard22/opencode-multi-auth-codex", "oc-codex-multi-auth", "a"];
  const text = JSON.stringify({ plugin: before });
  const apply = async (accept?: () => boolean) => {
    const disk = new MemoryDisk({ [CONFIG]: text, [AUTH]: OURS });
    const planned = plan(disk);
    const asked = planned.steps.filter((step) => step.question !== undefined);
    assert.deepEqual(asked.map((step) => step.question?.standard), [true, false]);
    const options = accept === undefined ? {} : { accept };
    const { skipped } = await applyInstall(planned, { clock, disk, ...options });
    return { plugins: pluginsIn(disk), skipped: skipped.length };
  };
  assert.deepEqual(await apply(), { plugins: ["oc-codex-multi-auth", "a", SPEC], skipped: 1 });
  assert.deepEqual(await apply(() => true), { plugins: ["a", SPEC], skipped: 0 });
  assert.deepEqual(await apply(() => false), { plugins: [...before, SPEC], skipped: 2 });
});

Deno.test("a list that OpenCode passes over does not count as installed", async () => {
  const jsonc = CONFIG.replace(/json$/, "jsonc");
  const disk = new MemoryDisk({
    [CONFIG]: JSON.stringify({ plugin: [SPEC] }),
    [jsonc]: '{"plugin": ["a"]}',
    [AUTH]: OURS,
  });
  await applyInstall(plan(disk), { clock, disk });
  assert.deepEqual(pluginsIn(disk, jsonc), ["a", SPEC]);
  assert.deepEqual(plan(disk).steps, []);
});

Deno.test("an entry in the file of OPENCODE_CONFIG counts", () => {
  const disk = new MemoryDisk({
    [CONFIG]: "{}",
    "/own.json": JSON.stringify({ plugin: [SPEC] }),
    [AUTH]: OURS,
  });
  assert.deepEqual(plan(disk, { env: { OPENCODE_CONFIG: "/own.json" } }).steps, []);
});

Deno.test("a broken file stops everything, and names line, column and fix", () => {
  for (const path of [CONFIG, AUTH]) {
    const disk = new MemoryDisk({ [path]: '{\n"a": 1,\n  b' });
    for (const make of [() => plan(disk), () => planUninstall({ env: ENV, disk })]) {
      assert.throws(make, (error) => {
        assert.ok(error instanceof Failure && error.exitCode === 1);
        assert.match(error.message, /at line 3, column 3\. Mend it/);
        assert.ok(error.message.startsWith(path));
        return true;
      });
    }
    assert.deepEqual(disk.writes, []);
  }
});

Deno.test("a plugin entry cannot steer the terminal", () => {
  const spec = "github:guard22/opencode-multi-auth-codex#\u001b[2J\u009b2J\u202e";
  const planned = plan(new MemoryDisk({ [CONFIG]: JSON.stringify({ plugin: [spec] }) }));
  const shown = formatPlan(planned) + planned.steps.map((step) => step.question?.text).join("");
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(shown, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

Deno.test("what stands against the plugin is said", () => {
  const settings = {
    provider: { openai: { options: { baseURL: "http://x", timeout: 1 } } },
    disabled_providers: ["openai"],
    enabled_providers: ["anthropic"],
  };
  const disk = new MemoryDisk({ [CONFIG]: JSON.stringify(settings) });
  const env = { OPENCODE_AUTH_CONTENT: '{"openai":{"key":"sk-hidden"}}', OPENCODE_PURE: "1" };
  const { notices } = plan(disk, { env });
  const words = ["OPENCODE_AUTH_CONTENT", "OPENCODE_PURE", "baseURL", "disabled_", "enabled_"];
  for (const word of words) assert.ok(notices.some((notice) => notice.includes(word)), word);
  assert.equal(notices.length, 5);
  assert.ok(!notices.join().includes("sk-hidden"));
  const harmless = { enabled_providers: ["openai"], disabled_providers: [], provider: {} };
  for (const text of ["{}", JSON.stringify(harmless)]) {
    assert.deepEqual(plan(new MemoryDisk({ [CONFIG]: text })).notices, []);
  }
});

Deno.test("uninstall takes back what install did and keeps everything else", async () => {
  const text = '{\n  "plugin": [\n    "a" // mine\n  ]\n}\n';
  const auth = '{"x": {"type": "api", "key": "k"}}';
  const disk = new MemoryDisk({ [CONFIG]: text, [AUTH]: auth });
  await applyInstall(plan(disk), { clock, disk });
  const planned = planUninstall({ env: ENV, disk });
  assert.deepEqual(actions(planned), ["remove plugin", "remove entry"]);
  assert.match(planned.notices.join(), /opencode auth login/);
  await applyInstall(planned, { clock, disk });
  assert.equal(disk.text(CONFIG), text);
  assert.equal(disk.text(AUTH), auth);
  assert.deepEqual(planUninstall({ env: ENV, disk }).steps, []);
});

Deno.test("an entry that the person named goes by its name, whatever it is called", async () => {
  const disk = new MemoryDisk({ [AUTH]: OURS });
  const spec = "oc-codex-multi-auth@file:/my/fork";
  await applyInstall(plan(disk, { spec, exact: true }), { clock, disk });
  assert.deepEqual(plan(disk, { spec, exact: true }).steps, []);
  await applyInstall(planUninstall({ env: ENV, disk, spec }), { clock, disk });
  assert.deepEqual(pluginsIn(disk), []);
});
