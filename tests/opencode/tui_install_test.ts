import assert from "node:assert/strict";
import {
  applyInstall,
  chooseTuiSpec,
  planInstall,
  planUninstall,
} from "../../src/opencode/install.ts";
import { PACKAGE, VERSION } from "../../src/platform/version.ts";
import { FIXTURE_NOW, VirtualClock } from "../virtual_clock.ts";
import { MemoryDisk } from "./memory_disk.ts";

const HOME = "/home/me";
const TUI = `${HOME}/.config/opencode/tui.json`;
const SPEC = `${PACKAGE}@${VERSION}`;
const FILE = "file:///src/npm/plugin.js";
const clock = new VirtualClock(FIXTURE_NOW);

function plan(disk: MemoryDisk, spec = SPEC, env: Record<string, string> = {}) {
  const tui = chooseTuiSpec(spec, disk);
  return planInstall({ env: { HOME, ...env }, disk, spec, exact: spec !== SPEC, tui });
}

const content = (disk: MemoryDisk, path = TUI) => JSON.parse(disk.text(path) ?? "null");

Deno.test("install adds the plugin to tui.json, and once", async () => {
  const disk = new MemoryDisk();
  await applyInstall(plan(disk), { clock, disk });
  assert.deepEqual(content(disk), { $schema: "https://opencode.ai/tui.json", plugin: [SPEC] });
  assert.deepEqual(plan(disk).steps, []);
});

Deno.test("what is in tui.json stays, an older version of ours is replaced, a copy is kept", async () => {
  const text = `{\n  // mine\n  "theme": "x",\n  "plugin": ["other", "${PACKAGE}@0.0.1"]\n}\n`;
  const disk = new MemoryDisk({ [TUI]: text });
  const { backups } = await applyInstall(plan(disk), { clock, disk });
  assert.equal(disk.text(TUI), text.replace("0.0.1", VERSION));
  assert.ok(backups.some((path) => path.startsWith(`${TUI}.bak-`)));
});

Deno.test("tui.jsonc is used where it is there, and OPENCODE_TUI_CONFIG is read", async () => {
  const disk = new MemoryDisk({ [`${TUI}c`]: "{}" });
  await applyInstall(plan(disk), { clock, disk });
  assert.deepEqual(content(disk, `${TUI}c`).plugin, [SPEC]);
  assert.equal(disk.text(TUI), undefined);
  const own = new MemoryDisk({ "/etc/mine.json": `{"plugin":["${SPEC}"]}` });
  const steps = plan(own, SPEC, { OPENCODE_TUI_CONFIG: "/etc/mine.json" }).steps;
  assert.deepEqual(steps.filter(({ path }) => path.includes("tui")), []);
});

Deno.test("uninstall takes ours out and leaves the rest", async () => {
  const disk = new MemoryDisk({
    [TUI]: `{"plugin":["other","${SPEC}","file:///src/npm/tui.js"],"theme":"x"}`,
    "/src/npm/package.json": `{"name":"${PACKAGE}"}`,
    "/src/npm/tui.js": "",
  });
  const undo = planUninstall({ env: { HOME }, disk });
  await applyInstall(undo, { clock, disk });
  assert.deepEqual(content(disk), { plugin: ["other"], theme: "x" });
  assert.deepEqual(planUninstall({ env: { HOME }, disk }).steps, []);
});

Deno.test("a broken tui.json stops everything before anything is written", () => {
  const disk = new MemoryDisk({ [TUI]: "{" });
  assert.throws(() => plan(disk), /tui\.json/);
  assert.deepEqual(disk.writes, []);
});

Deno.test("a plugin.js on the disk brings the tui.js beside it, where there is one", () => {
  const disk = new MemoryDisk({ "/src/npm/plugin.js": "", "/src/npm/tui.js": "" });
  assert.equal(chooseTuiSpec(FILE, disk), "file:///src/npm/tui.js");
  assert.equal(chooseTuiSpec(FILE, new MemoryDisk({ "/src/npm/plugin.js": "" })), undefined);
  assert.equal(chooseTuiSpec("file:///src/npm/mine.js", disk), undefined);
  assert.equal(chooseTuiSpec(PACKAGE, disk), PACKAGE);
  assert.equal(chooseTuiSpec(`${PACKAGE}@file:/x.tgz`, disk), `${PACKAGE}@file:/x.tgz`);
  assert.equal(chooseTuiSpec("somebody-else@1.0.0", disk), undefined);
});
