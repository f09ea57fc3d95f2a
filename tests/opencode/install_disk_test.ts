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
import { PACKAGE, VERSION } from "../../src/platform/version.ts";
import { systemDisk } from "../../src/opencode/disk.ts";
import { applyInstall, planInstall } from "../../src/opencode/install.ts";
import { AUTH, CACHE, clock, CONFIG, OURS, plan, pluginsIn, SPEC } from "./install_machine.ts";
import { MemoryDisk, systemError } from "./memory_disk.ts";

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
