import assert from "node:assert/strict";
import { readConfigFile, readGlobalConfig } from "../../src/opencode/config_file.ts";
import { MemoryDisk } from "./memory_disk.ts";

const FOLDER = "/home/me/.config/opencode";
const PATH = `${FOLDER}/opencode.json`;
const ENV = { HOME: "/home/me" };

Deno.test("the last of the three global files with a plugin list is the one that counts", () => {
  const target = (files: Record<string, string>, env = {}) =>
    readGlobalConfig({ ...ENV, ...env }, new MemoryDisk(files)).target.path;
  assert.equal(target({}), `${FOLDER}/opencode.json`);
  assert.equal(target({ [`${FOLDER}/config.json`]: "{}" }), `${FOLDER}/config.json`);
  assert.equal(
    target({ [`${FOLDER}/opencode.json`]: "{}", [`${FOLDER}/opencode.jsonc`]: "{}" }),
    `${FOLDER}/opencode.jsonc`,
  );
  assert.equal(
    target({ [`${FOLDER}/opencode.json`]: '{"plugin":[]}', [`${FOLDER}/opencode.jsonc`]: "{}" }),
    `${FOLDER}/opencode.json`,
  );
  assert.equal(
    target({ "/x/opencode/opencode.jsonc": "{}" }, { XDG_CONFIG_HOME: "/x" }),
    "/x/opencode/opencode.jsonc",
  );
});

Deno.test("a list that a later file hides is named so", () => {
  const config = readGlobalConfig(
    ENV,
    new MemoryDisk({
      [`${FOLDER}/config.json`]: '{"plugin":["a"]}',
      [`${FOLDER}/opencode.jsonc`]: '{"plugin":["b"]}',
    }),
  );
  assert.deepEqual([...config.shadowed], [`${FOLDER}/config.json`]);
});

Deno.test("OPENCODE_CONFIG, OPENCODE_CONFIG_DIR and ~/.opencode are read too", () => {
  const env = { ...ENV, OPENCODE_CONFIG: "/my/own.json", OPENCODE_CONFIG_DIR: "/my/dir" };
  const files = {
    "/my/own.json": '{"plugin":["a"]}',
    "/my/dir/opencode.jsonc": '{"plugin":["b"]}',
    "/home/me/.opencode/opencode.json": '{"plugin":["c"]}',
  };
  const alone = readGlobalConfig(env, new MemoryDisk(files));
  assert.deepEqual(alone.files.map((file) => file.path).toSorted(), Object.keys(files).toSorted());
  assert.equal(alone.target.path, "/my/own.json");
  const both = readGlobalConfig(env, new MemoryDisk({ ...files, [PATH]: "{}" }));
  assert.equal(both.target.path, PATH);
});

Deno.test("entries that are neither a text nor a pair are passed over", () => {
  const file = readConfigFile(
    PATH,
    new MemoryDisk({ [PATH]: '{"plugin":[1,"a",["b",{}],[],null]}' }),
  );
  assert.deepEqual(file.plugins, [
    { index: 1, spec: "a", hasOptions: false },
    { index: 2, spec: "b", hasOptions: true },
  ]);
});

Deno.test("a substitution inside an entry is read as it is written", () => {
  const file = readConfigFile(
    PATH,
    new MemoryDisk({ [PATH]: '{"plugin":["{env:HOME}/\\u0061.js"]}' }),
  );
  assert.deepEqual(file.plugins?.map((entry) => entry.spec), ["{env:HOME}/a.js"]);
});
