import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Failure } from "../../src/platform/failure.ts";
import { PACKAGE, VERSION } from "../../src/platform/version.ts";
import type { Newcomer } from "../../src/store/admission.ts";
import { PLACEHOLDER_ENTRY } from "../../src/opencode/auth_file.ts";
import { systemDisk } from "../../src/opencode/disk.ts";
import {
  applyInstall,
  choosePluginSpec,
  formatPlan,
  type InstallPlan,
  planInstall,
  planUninstall,
} from "../../src/opencode/install.ts";
import { FIXTURE_NOW, VirtualClock } from "../virtual_clock.ts";
import fixture from "../fixtures/opencode/auth.json" with { type: "json" };
import { MemoryDisk, systemError } from "./memory_disk.ts";

const HOME = "/home/me";
const ENV = { HOME };
const CONFIG = `${HOME}/.config/opencode/opencode.json`;
const AUTH = `${HOME}/.local/share/opencode/auth.json`;
const CACHE = `${HOME}/.cache/opencode/packages`;
const SPEC = `${PACKAGE}@${VERSION}`;
const STAMP = "20261123T180000Z";
const clock = new VirtualClock(FIXTURE_NOW);
const OURS = JSON.stringify({ openai: PLACEHOLDER_ENTRY });

function plan(disk: MemoryDisk, options: { spec?: string; exact?: boolean; env?: object } = {}) {
  const { spec = SPEC, exact = false, env = {} } = options;
  return planInstall({ env: { ...ENV, ...env }, disk, spec, exact });
}

function actions(planned: InstallPlan): readonly string[] {
  return planned.steps.map((step) => step.action);
}

function pluginsIn(disk: MemoryDisk, path = CONFIG): unknown {
  return JSON.parse(disk.text(path) ?? "{}").plugin;
}

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

const LOGIN = JSON.stringify({ openai: fixture.openai, x: { type: "api", key: "k" } }, null, 2);

Deno.test("OpenCode's login is stored first, then the placeholder takes its place", async () => {
  const disk = new MemoryDisk({ [AUTH]: LOGIN });
  const stored: Newcomer[] = [];
  const planned = plan(disk);
  assert.deepEqual(actions(planned), ["add plugin", "adopt login"]);
  const { backups } = await applyInstall(planned, {
    clock,
    disk,
    storeLogin: (login) => {
      assert.equal(disk.text(AUTH), LOGIN, "still in OpenCode's file while it is being stored");
      stored.push(login);
      return Promise.resolve();
    },
  });
  assert.equal(stored[0]?.credentials.refreshToken, fixture.openai.refresh);
  assert.equal(stored[0]?.email, "you@personal.example");
  assert.deepEqual(JSON.parse(disk.text(AUTH) ?? ""), {
    openai: PLACEHOLDER_ENTRY,
    x: { type: "api", key: "k" },
  });
  assert.deepEqual(backups, []);
  for (const [path, { text }] of disk.files) {
    assert.ok(!text.includes(fixture.openai.refresh), `${path} still has the refresh token`);
  }
});

Deno.test("a login that cannot be stored, or is not wanted, stays where it is", async () => {
  const storeLogin = () => Promise.reject(new Failure("The account store is locked."));
  const disk = new MemoryDisk({ [AUTH]: LOGIN });
  await assert.rejects(applyInstall(plan(disk), { clock, disk, storeLogin }), /locked/);
  assert.equal(disk.text(AUTH), LOGIN);
  assert.equal(disk.text(CONFIG), undefined, "the configuration is put back too");

  for (const options of [{}, { storeLogin, accept: () => false }]) {
    const { skipped } = await applyInstall(plan(disk), { clock, disk, ...options });
    assert.deepEqual(skipped.map((step) => step.action), ["adopt login"]);
    assert.equal(disk.text(AUTH), LOGIN);
  }
});

Deno.test("a login is not stored when OpenCode's file cannot be written", async () => {
  const disk = new MemoryDisk({ [AUTH]: LOGIN });
  const planned = plan(disk);
  disk.refuse = (path) => {
    if (path === AUTH) throw systemError("EACCES");
  };
  const storeLogin = () => assert.fail("must not be stored: its tokens would have two holders");
  await assert.rejects(
    applyInstall(planned, { clock, disk, storeLogin }),
    /auth\.json could not be written \(EACCES\)/,
  );
});

Deno.test("once a login is stored, a later failure leaves the plugin in place", async () => {
  const disk = new MemoryDisk({ [AUTH]: LOGIN });
  const storeLogin = () => {
    disk.refuse = (path) => {
      if (path === AUTH) throw systemError("ENOSPC");
    };
    return Promise.resolve();
  };
  await assert.rejects(applyInstall(plan(disk), { clock, disk, storeLogin }), /ENOSPC/);
  assert.deepEqual(pluginsIn(disk), [SPEC]);
});

Deno.test("an API key is asked about and kept beside the file", async () => {
  const text =
    '{"openai": {"type": "api", "key": "sk-mine"}, "x": {"type": "api", "key": "other"}}';
  const disk = new MemoryDisk({ [AUTH]: text });
  const planned = plan(disk);
  assert.match(planned.steps[1]?.question?.text ?? "", /API key/);
  const { backups } = await applyInstall(planned, { clock, disk });
  assert.deepEqual(backups, [`${AUTH}.bak-${STAMP}`]);
  const kept = disk.read(`${AUTH}.bak-${STAMP}`);
  assert.equal(kept?.mode, 0o600);
  assert.deepEqual(JSON.parse(kept?.text ?? ""), { openai: { type: "api", key: "sk-mine" } });
  assert.deepEqual(JSON.parse(disk.text(AUTH) ?? "").openai, PLACEHOLDER_ENTRY);

  const refused = new MemoryDisk({ [AUTH]: text });
  await applyInstall(plan(refused), { clock, disk: refused, accept: () => false });
  assert.equal(refused.text(AUTH), text);
});

Deno.test("no plan shows a token or a key", () => {
  const secret = "sk-very-secret-key";
  const texts = [LOGIN, JSON.stringify({ openai: { type: "api", key: secret } })];
  for (const text of texts) {
    const planned = plan(new MemoryDisk({ [AUTH]: text, [CONFIG]: `{"x": "${secret}"}` }));
    const shown = JSON.stringify(planned) + formatPlan(planned);
    for (const part of [secret, fixture.openai.refresh, fixture.openai.access.slice(0, 20)]) {
      assert.ok(!shown.includes(part));
    }
  }
});

Deno.test("a plugin entry cannot steer the terminal", () => {
  const spec = "github:guard22/opencode-multi-auth-codex#\u001b[2J\u009b2J\u202e";
  const planned = plan(new MemoryDisk({ [CONFIG]: JSON.stringify({ plugin: [spec] }) }));
  const shown = formatPlan(planned) + planned.steps.map((step) => step.question?.text).join("");
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(shown, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

Deno.test("a file that changed between plan and application is left alone", async () => {
  for (const path of [CONFIG, AUTH]) {
    const disk = new MemoryDisk({ [CONFIG]: "{}", [AUTH]: "{}" });
    const planned = plan(disk);
    disk.files.set(path, { text: '{"new": 1}', mode: 0o600 });
    const before = new Map(disk.files);
    await assert.rejects(applyInstall(planned, { clock, disk }), /changed by another program/);
    assert.deepEqual(disk.files, before);
  }
});

Deno.test("each write that fails leaves every file as it was", async () => {
  const files = {
    [CONFIG]: '{"plugin": ["oc-codex-multi-auth"]}',
    "/own.json": '{"plugin": ["@guard22/opencode-multi-auth-codex"]}',
    [AUTH]: '{"openai": {"type": "api", "key": "sk-mine"}}',
  };
  const env = { OPENCODE_CONFIG: "/own.json" };
  let failures = 0;
  for (let number = 0;; number++) {
    const disk = new MemoryDisk(files);
    const before = new Map(disk.files);
    const planned = plan(disk, { env });
    let left = number;
    disk.refuse = () => {
      if (left-- === 0) throw systemError("EROFS");
    };
    const applied = await applyInstall(planned, { clock, disk }).then(() => true, (error) => {
      assert.match(String(error), /could not be written \(EROFS\)/);
      return false;
    });
    if (applied) break;
    failures++;
    assert.deepEqual(disk.files, before);
  }
  assert.equal(failures, 6, "three backups and three files");
});

function cached(folder: string, name: string, version: string): Record<string, string> {
  return {
    [`${CACHE}/${folder}/node_modules/${PACKAGE}/package.json`]: JSON.stringify({ name, version }),
  };
}

Deno.test("stale copies of ours leave OpenCode's cache, and nobody else's", async () => {
  const disk = new MemoryDisk({
    [AUTH]: OURS,
    [CONFIG]: JSON.stringify({ plugin: [SPEC] }),
    ...cached(`${PACKAGE}@latest`, PACKAGE, VERSION),
    ...cached(`${PACKAGE}@0.0.1`, PACKAGE, "0.0.1"),
    ...cached(SPEC, PACKAGE, VERSION),
    ...cached(`${PACKAGE}@git+file:/a/b#npm`, PACKAGE, VERSION),
    ...cached(`${PACKAGE}@fork`, "@guard22/opencode-multi-auth-codex", "1.0.7"),
    [`${CACHE}/other@latest/node_modules/other/package.json`]: '{"name":"other"}',
    [`${CACHE}/${PACKAGE}@empty/package.json`]: "{}",
    // Somebody else's plugin that depends on ours: its folder is not ours to remove.
    ...cached("other@latest/node_modules/other", PACKAGE, "0.0.1"),
  });
  const before = disk.files.size;
  const { done } = await applyInstall(plan(disk), { clock, disk });
  assert.deepEqual(done.map((step) => step.path).toSorted(), [
    `${CACHE}/${PACKAGE}@0.0.1`,
    `${CACHE}/${PACKAGE}@git+file:/a/b#npm`,
    `${CACHE}/${PACKAGE}@latest`,
  ]);
  assert.equal(disk.files.size, before - 3);
  assert.ok(disk.exists(`${CACHE}/${SPEC}`), "the very version that is wanted stays");
});

Deno.test("a cached copy that cannot be removed is only mentioned", async () => {
  const disk = new MemoryDisk(cached(`${PACKAGE}@latest`, PACKAGE, "0.0.1"));
  const planned = plan(disk);
  disk.refuse = (path) => {
    if (path.startsWith(CACHE)) throw systemError("EACCES");
  };
  const { notices } = await applyInstall(planned, { clock, disk });
  assert.match(notices.join(), /could not be removed \(EACCES\)/);
  assert.deepEqual(pluginsIn(disk), [SPEC]);
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

Deno.test("uninstall leaves a real login and an API key alone", () => {
  for (const text of [LOGIN, '{"openai": {"type": "api", "key": "k"}}']) {
    assert.deepEqual(planUninstall({ env: ENV, disk: new MemoryDisk({ [AUTH]: text }) }).steps, []);
  }
});

Deno.test("the plugin entry follows from where the command line runs", () => {
  const manifest = JSON.stringify({ name: PACKAGE });
  const disk = new MemoryDisk({
    "/pkg/package.json": manifest,
    "/pkg/plugin.js": "",
    "/pkg/cli.js": "",
    "/g/node_modules/opencode-multi-auth-codex/package.json": manifest,
    "/g/node_modules/opencode-multi-auth-codex/plugin.js": "",
    "/repo/deno.json": "{}",
    "/repo/npm/plugin.js": "",
    "/else/package.json": '{"name": "else"}',
    "/else/plugin.js": "",
  });
  const choose = (program?: string, asked?: string) =>
    choosePluginSpec({ program, asked, folder: "/repo", disk });
  assert.equal(choose("/pkg/cli.js"), "file:///pkg/plugin.js");
  assert.equal(choose("file:///pkg/cli.js"), "file:///pkg/plugin.js");
  assert.equal(choose("/g/node_modules/opencode-multi-auth-codex/cli.js"), SPEC);
  assert.equal(choose("/repo/cli.ts"), "file:///repo/npm/plugin.js");
  assert.equal(choose("/repo/dist/cli.js"), "file:///repo/npm/plugin.js");
  assert.equal(choose("/else/cli.js"), SPEC);
  assert.equal(choose("/usr/local/bin/opencode-multi-auth"), SPEC);
  assert.equal(choose("https://example.org/cli.js"), SPEC);
  assert.equal(choose(undefined), SPEC);
  assert.equal(choose("/pkg/cli.js", "name@2"), "name@2");
  assert.equal(choose("/pkg/cli.js", "./npm/plugin.js"), "file:///repo/npm/plugin.js");
  assert.equal(choose("/pkg/cli.js", "file:///repo/npm/plugin.js"), "file:///repo/npm/plugin.js");
  for (const wrong of [" ", "./nothing.js", "file:///nothing.js", "/nothing"]) {
    assert.throws(
      () => choose("/pkg/cli.js", wrong),
      (error) => error instanceof Failure && error.exitCode === 2,
    );
  }
});

/** Runs with a real folder as home. */
async function withHome(run: (home: string) => Promise<void>): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "install-"));
  try {
    await run(home);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

Deno.test("on a real disk a linked configuration stays a link and keeps its mode", () =>
  withHome(async (home) => {
    const config = join(home, ".config/opencode/opencode.jsonc");
    const real = join(home, "dotfiles/opencode.jsonc");
    for (const path of [config, real]) mkdirSync(dirname(path), { recursive: true });
    writeFileSync(real, '{"plugin": []} // kept\n');
    chmodSync(real, 0o640);
    symlinkSync(real, config);
    const planned = planInstall({ env: { HOME: home }, spec: SPEC });
    await applyInstall(planned, { clock });
    assert.ok(lstatSync(config).isSymbolicLink());
    assert.equal(readFileSync(real, "utf8"), `{"plugin": ["${SPEC}"]} // kept\n`);
    assert.equal(statSync(real).mode & 0o777, 0o640);
    const auth = join(home, ".local/share/opencode/auth.json");
    assert.equal(statSync(auth).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dirname(auth)), ["auth.json"]);
  }));

Deno.test("on a real disk what cannot be read as a text file is one line", () =>
  withHome(async (home) => {
    const config = join(home, ".config/opencode/opencode.json");
    mkdirSync(config, { recursive: true });
    const failing = () => planInstall({ env: { HOME: home }, spec: SPEC });
    assert.throws(failing, /opencode\.json is a folder\. Move it away\./);
    rmSync(config, { recursive: true });
    writeFileSync(config, new Uint8Array([0xff, 0xfe, 0x7b, 0]));
    assert.throws(failing, /opencode\.json is not UTF-8 text\. Save it as UTF-8\./);
    await Promise.resolve();
  }));

Deno.test("on a real disk a folder that is read-only changes nothing", () =>
  withHome(async (home) => {
    const folder = join(home, ".config/opencode");
    const config = join(folder, "opencode.json");
    mkdirSync(folder, { recursive: true });
    writeFileSync(config, "{}");
    chmodSync(folder, 0o500);
    try {
      const disk = {
        ...systemDisk,
        // The administrator may write everywhere; the refusal is the same.
        write(path: string, text: string, mode: number) {
          if (path.startsWith(folder)) throw systemError("EACCES");
          systemDisk.write(path, text, mode);
        },
      };
      const planned = planInstall({ env: { HOME: home }, spec: SPEC, disk });
      await assert.rejects(
        applyInstall(planned, { clock, disk }),
        /could not be written \(EACCES\)/,
      );
      assert.deepEqual(readdirSync(home), [".config"]);
      assert.deepEqual(readdirSync(folder), ["opencode.json"]);
    } finally {
      chmodSync(folder, 0o700);
    }
  }));
