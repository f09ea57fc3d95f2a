import assert from "node:assert/strict";
import { Failure } from "../../src/platform/failure.ts";
import { PACKAGE } from "../../src/platform/version.ts";
import { choosePluginSpec } from "../../src/opencode/install.ts";
import { SPEC } from "./install_machine.ts";
import { MemoryDisk } from "./memory_disk.ts";

Deno.test("the plugin entry follows from where the command line runs", () => {
  const manifest = JSON.stringify({ name: PACKAGE });
  const copy = (folder: string) => ({
    [`${folder}/${PACKAGE}/package.json`]: manifest,
    [`${folder}/${PACKAGE}/plugin.js`]: "",
    [`${folder}/${PACKAGE}/cli.js`]: "",
  });
  const disk = new MemoryDisk({
    "/pkg/package.json": manifest,
    "/pkg/plugin.js": "",
    "/pkg/cli.js": "",
    ...copy("/g/node_modules"),
    ...copy("/p/node_modules/.pnpm/opencode-multi-auth-codex@0.1.0/node_modules"),
    ...copy("/p/node_modules"),
    ...copy("/q/node_modules/.pnpm/opencode-multi-auth-codex@0.1.0/node_modules"),
    ...copy("/home/me/.npm/_npx/0f1e/node_modules"),
    ...copy("/tmp/bunx-1000-opencode-multi-auth-codex@latest/node_modules"),
    ...copy("/home/me/.cache/pnpm/dlx-123/node_modules"),
    ...copy("/home/me/.cache/opencode/packages/opencode-multi-auth-codex@latest/node_modules"),
    "/repo/deno.json": "{}",
    "/repo/npm/plugin.js": "",
    "/else/package.json": '{"name": "else"}',
    "/else/plugin.js": "",
  });
  const choose = (program?: string, asked?: string) =>
    choosePluginSpec({ program, asked, folder: "/repo", disk });
  assert.equal(choose("/pkg/cli.js"), "file:///pkg/plugin.js");
  assert.equal(choose("file:///pkg/cli.js"), "file:///pkg/plugin.js");
  const installed = (folder: string) => choose(`${folder}/${PACKAGE}/cli.js`);
  assert.equal(installed("/g/node_modules"), `file:///g/node_modules/${PACKAGE}/plugin.js`);
  // pnpm: the link stays where it is when the version behind it changes.
  const pnpm = `.pnpm/${PACKAGE}@0.1.0/node_modules`;
  assert.equal(
    installed(`/p/node_modules/${pnpm}`),
    `file:///p/node_modules/${PACKAGE}/plugin.js`,
  );
  assert.match(installed(`/q/node_modules/${pnpm}`), /^file:.*\.pnpm/);
  // What is thrown away one day is no place for a plugin.
  assert.equal(installed("/home/me/.npm/_npx/0f1e/node_modules"), SPEC);
  assert.equal(installed(`/tmp/bunx-1000-${PACKAGE}@latest/node_modules`), SPEC);
  assert.equal(installed("/home/me/.cache/pnpm/dlx-123/node_modules"), SPEC);
  assert.equal(
    installed(`/home/me/.cache/opencode/packages/${PACKAGE}@latest/node_modules`),
    SPEC,
  );
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
