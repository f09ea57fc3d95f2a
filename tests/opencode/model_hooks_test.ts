import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readModels } from "../../src/codex/model_question.ts";
import { modelHooks } from "../../src/opencode/model_hooks.ts";
import { PLACEHOLDER_ENTRY } from "../../src/opencode/placeholder.ts";
import { type Log, silentLog } from "../../src/platform/log.ts";
import { resolvePaths } from "../../src/platform/paths.ts";
import { openLocalStore } from "../../src/store/local.ts";
import { saveModelList } from "../../src/store/models.ts";
import { testAccount } from "../memory_store.ts";

const PRESENT = { "gpt-5.5": { id: "gpt-5.5", api: { id: "gpt-5.5" } } };

async function inFolder(
  use: (env: Record<string, string>, folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "model-hooks-"));
  try {
    await use({ HOME: folder, OPENCODE_MULTI_AUTH_STORE_DIR: folder }, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Another process has learned of a model. */
async function learn(env: Record<string, string>): Promise<void> {
  const store = await openLocalStore({ paths: resolvePaths(env), env });
  await store.add(testAccount("a"));
  const models = readModels('{"models":[{"slug":"gpt-9-new"}]}');
  await saveModelList(store, "id-a", { at: 1, etag: "", models });
  await store.close();
}

async function listed(
  env: Record<string, string>,
  options: { log?: Log; auth?: { type: string }; config?: object } = {},
): Promise<string[]> {
  const { auth = PLACEHOLDER_ENTRY, log = silentLog, config } = options;
  const hooks = modelHooks(env, log);
  if (config) hooks.config(config);
  return Object.keys(await hooks.provider.models({ models: PRESENT }, { auth }));
}

Deno.test("what another process has learned is there at the next start, from the disk alone", () =>
  inFolder(async (env) => {
    await learn(env);
    assert.deepEqual(await listed(env), ["gpt-5.5", "gpt-9-new"]);
  }));

Deno.test("without anything known the target of older Codex models is there, and no file is made", () =>
  inFolder(async (env, folder) => {
    assert.deepEqual(await listed(env), ["gpt-5.5", "gpt-5.3-codex"]);
    assert.equal(existsSync(join(folder, "state.db")), false);
  }));

Deno.test("OPENCODE_MULTI_AUTH_INJECT_MODELS=0 adds nothing, nor does a key of the person's own", () =>
  inFolder(async (env) => {
    await learn(env);
    assert.deepEqual(await listed({ ...env, OPENCODE_MULTI_AUTH_INJECT_MODELS: "0" }), ["gpt-5.5"]);
    assert.deepEqual(await listed(env, { auth: { type: "api" } }), ["gpt-5.5"]);
  }));

Deno.test("an older Codex model that the configuration names can be used", () =>
  inFolder(async (env) => {
    const config = { agent: { build: { model: "openai/gpt-5.2-codex" } } };
    assert.deepEqual(await listed(env, { config }), ["gpt-5.5", "gpt-5.3-codex", "gpt-5.2-codex"]);
  }));

Deno.test("a sealed store adds its models without asking for the passphrase", () =>
  inFolder(async (env, folder) => {
    await learn(env);
    writeFileSync(join(folder, "accounts.json"), '{"encrypted":true,"version":2,"data":"AA=="}');
    const marker = join(folder, "asked");
    const sealed = { ...env, CODEX_SOFT_STORE_PASSPHRASE_COMMAND: `touch ${marker}` };
    assert.deepEqual(await listed(sealed), ["gpt-5.5", "gpt-9-new"]);
    assert.equal(existsSync(marker), false);
  }));

Deno.test("a state.db that cannot be used leaves OpenCode's own models, and is logged", () =>
  inFolder(async (env, folder) => {
    await learn(env);
    rmSync(join(folder, "state.db"));
    Deno.mkdirSync(join(folder, "state.db"));
    const said: string[] = [];
    const log = { ...silentLog, error: (line: string) => void said.push(line) };
    assert.deepEqual(await listed(env, { log }), ["gpt-5.5"]);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? "", /^models: /);
  }));
