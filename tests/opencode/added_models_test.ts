import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readModels } from "../../src/codex/model_question.ts";
import { namedModels, withAddedModels } from "../../src/opencode/added_models.ts";
import type { HostModel } from "../../src/opencode/host.ts";
import type { ListedModel, ModelList } from "../../src/store/models.ts";

const FIXTURE = readFileSync(new URL("../fixtures/codex/models.json", import.meta.url), "utf8");
const OFF = { OPENCODE_MULTI_AUTH_PREFER_CODEX_LATEST: "0" };

function list(...models: ListedModel[]): ModelList {
  return { at: 0, etag: "", models };
}

const PRESENT: Record<string, HostModel> = {
  "gpt-5.5": {
    id: "gpt-5.5",
    api: { id: "gpt-5.5", npm: "@ai-sdk/openai", url: "https://api.openai.com/v1" },
    limit: { context: 1 },
  },
};

Deno.test("a listed model that OpenCode lacks is added with its limits, efforts and zero cost", () => {
  const models = withAddedModels(PRESENT, [list(...readModels(FIXTURE))], [], OFF);
  // What OpenCode has stays as it is; what the backend hides is not offered.
  assert.deepEqual(Object.keys(models), ["gpt-5.5", "gpt-6.1-sol"]);
  assert.equal(models["gpt-5.5"], PRESENT["gpt-5.5"]);
  const added = models["gpt-6.1-sol"] as Record<string, Record<string, unknown>>;
  assert.equal(added["name"], "GPT-6.1-Sol");
  assert.deepEqual(added["api"], {
    id: "gpt-6.1-sol",
    npm: "@ai-sdk/openai",
    url: "https://api.openai.com/v1",
  });
  assert.deepEqual(added["limit"], { context: 400_000, input: 272_000, output: 128_000 });
  assert.deepEqual(added["cost"], { input: 0, output: 0, cache: { read: 0, write: 0 } });
  assert.deepEqual(Object.keys(added["variants"] ?? {}), ["low", "medium", "high", "xhigh"]);
  assert.equal(added["capabilities"]?.["reasoning"], true);
  assert.equal(added["capabilities"]?.["attachment"], true);
});

Deno.test("several lists are one, and what every account takes is the limit", () => {
  const [sol] = readModels(FIXTURE);
  assert.ok(sol);
  const models = withAddedModels(
    {},
    [
      list({ ...sol, context: 500_000 }),
      list({ ...sol, slug: "gpt-9", name: "GPT-9", context: 0 }),
      list({ ...sol, context: 100_000 }),
    ],
    [],
    OFF,
  );
  assert.deepEqual(Object.keys(models), ["gpt-6.1-sol", "gpt-9"]);
  assert.deepEqual(models["gpt-6.1-sol"]?.["limit"], {
    context: 228_000,
    input: 100_000,
    output: 128_000,
  });
  assert.deepEqual(models["gpt-9"]?.["limit"], {
    context: 400_000,
    input: 272_000,
    output: 128_000,
  });
});

Deno.test("a model that OpenCode has under another name is not added twice", () => {
  const [sol] = readModels(FIXTURE);
  const present = { mine: { api: { id: sol?.slug ?? "" } } };
  assert.deepEqual(withAddedModels(present, [list(sol!)], [], OFF), present);
});

Deno.test("the model that older Codex models go out as is there, and those the configuration names", () => {
  const models = withAddedModels(PRESENT, [], ["gpt-5.2-codex", "gpt-4"], {});
  assert.deepEqual(Object.keys(models), ["gpt-5.5", "gpt-5.3-codex", "gpt-5.2-codex"]);
  assert.equal(models["gpt-5.3-codex"]?.["name"], "GPT-5.3 Codex");
  assert.deepEqual(Object.keys(withAddedModels(PRESENT, [], ["gpt-5.2-codex"], OFF)), ["gpt-5.5"]);
  // Gone by every list: the backend's favourite stands in.
  const known = withAddedModels(PRESENT, [list(...readModels(FIXTURE))], ["gpt-5-codex"], {});
  assert.deepEqual(Object.keys(known), ["gpt-5.5", "gpt-6.1-sol", "gpt-5-codex"]);
});

Deno.test("names are found where a configuration may name a model", () => {
  assert.deepEqual(
    namedModels({
      model: "openai/gpt-5.2-codex",
      small_model: "anthropic/x",
      agent: { a: { model: "openai/b" }, broken: 7, none: null },
      command: { c: { model: "openai/d" }, e: { model: 5 } },
      mode: "x",
    }),
    ["gpt-5.2-codex", "b", "d"],
  );
  assert.deepEqual(namedModels({}), []);
});
