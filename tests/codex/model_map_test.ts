import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import fc from "fast-check";
import type { JsonBody } from "../../src/codex/body.ts";
import {
  addsModels,
  createModelMap,
  isOlderCodex,
  LATEST_CODEX,
  latestModel,
} from "../../src/codex/model_map.ts";
import { prepareBody } from "../../src/codex/prepared_body.ts";
import { silentLog } from "../../src/platform/log.ts";
import type { Environment } from "../../src/platform/paths.ts";
import type { ListedModel, ModelList } from "../../src/store/models.ts";
import { createCodexFetch } from "../../src/codex/fetch.ts";
import { Failover, RESPONSES, turn } from "./failover.ts";

const PREFER = "OPENCODE_MULTI_AUTH_PREFER_CODEX_LATEST";
const TARGET = "OPENCODE_MULTI_AUTH_CODEX_LATEST_MODEL";

function listed(slug: string, more: Partial<ListedModel> = {}): ListedModel {
  const plain = { name: slug, hidden: false, priority: 1, context: 0, efforts: [], inputs: [] };
  return { slug, ...plain, ...more };
}

function list(...models: ListedModel[]): ModelList {
  return { at: 0, etag: "", models };
}

function map(env: Environment = {}, lists: ModelList[] = []) {
  return createModelMap(env, () => latestModel(env, lists));
}

const EFFORTS = ["", "-none", "-minimal", "-low", "-medium", "-high", "-xhigh"];
const PREFIXES = ["", "openai/", "openrouter/openai/"];

for (const older of ["gpt-5-codex", "gpt-5.2-codex"]) {
  Deno.test(`${older} goes out as the latest Codex model, whatever stands around its name`, () => {
    for (const prefix of PREFIXES) {
      for (const effort of EFFORTS) {
        assert.equal(map()(`${prefix}${older}${effort}`), "gpt-5.3-codex", prefix + effort);
      }
    }
  });
}

Deno.test("every other model keeps its name", () => {
  for (
    const model of [
      "gpt-5.5",
      "openai/gpt-5.5",
      "gpt-5.3-codex",
      "gpt-5.3-codex-high",
      "gpt-5.3-codex-spark",
      "gpt-5.1-codex",
      "gpt-5-codex-mini",
      "gpt-5.2-codex-turbo",
      "gpt-5.2-codex-",
      "gpt-5.2-codexx",
      "my-gpt-5-codex",
      "GPT-5-CODEX",
      "gpt-5x2-codex",
      "",
      " gpt-5-codex",
    ]
  ) assert.equal(map()(model), undefined, model);
});

Deno.test("0 and false turn the mapping off, everything else leaves it on", () => {
  for (const value of ["0", "false", "FALSE", " 0 "]) {
    assert.equal(map({ [PREFER]: value })("gpt-5-codex"), undefined, value);
  }
  for (const value of ["1", "true", "", undefined]) {
    assert.equal(map({ [PREFER]: value })("gpt-5-codex"), LATEST_CODEX, `${value}`);
  }
  assert.deepEqual(
    [undefined, "1", "0", "false"].map((value) =>
      addsModels({ OPENCODE_MULTI_AUTH_INJECT_MODELS: value })
    ),
    [true, true, false, false],
  );
});

Deno.test("the person's own target wins, over what is known too", () => {
  const env = { [TARGET]: " gpt-9-codex " };
  assert.equal(map(env)("openai/gpt-5-codex-low"), "gpt-9-codex");
  assert.equal(map(env, [list(listed("gpt-7"))])("gpt-5-codex"), "gpt-9-codex");
  assert.equal(map({ [TARGET]: "openai/gpt-9" })("gpt-5-codex"), "gpt-9");
  // Mapped onto itself a name stays.
  assert.equal(map({ [TARGET]: "gpt-5.2-codex" })("gpt-5.2-codex"), undefined);
  assert.equal(map({ [TARGET]: "gpt-5.2-codex" })("gpt-5-codex"), "gpt-5.2-codex");
  assert.equal(map({ [TARGET]: "  " })("gpt-5-codex"), LATEST_CODEX);
});

Deno.test("a standard target that no list has any more gives way to the backend's favourite", () => {
  const gone = list(
    listed("gpt-8-inner", { priority: 0, hidden: true }),
    listed("gpt-7", { priority: 9 }),
    listed("gpt-8", { priority: 2 }),
  );
  assert.equal(map({}, [gone])("gpt-5-codex"), "gpt-8");
  assert.equal(map({}, [gone, list(listed(LATEST_CODEX))])("gpt-5-codex"), LATEST_CODEX);
  assert.equal(map({}, [list(listed("x", { hidden: true }))])("gpt-5-codex"), LATEST_CODEX);
});

Deno.test("older names are known with whatever stands around them", () => {
  assert.equal(isOlderCodex("openai/gpt-5.2-codex-xhigh"), true);
  assert.equal(isOlderCodex("gpt-5.3-codex"), false);
});

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (body: unknown) =>
  typeof body === "string" ? body : new TextDecoder().decode(body as Uint8Array);

Deno.test("the older name goes out only where that helps: not while nobody may serve at all", () => {
  const mapped = (...held: string[]) =>
    createModelMap({}, () => "gpt-5.3-codex", (model) => held.includes(model))("gpt-5-codex");
  assert.equal(mapped("gpt-5.3-codex"), undefined);
  assert.equal(mapped("gpt-5.3-codex", "gpt-5-codex"), "gpt-5.3-codex");
  assert.equal(mapped(), "gpt-5.3-codex");
});

Deno.test("only the model's name changes: everything around it is the same, byte for byte", () => {
  const name = fc.constantFrom(
    "gpt-5.2-codex",
    "openai/gpt-5.2-codex-high",
    "gpt-5-codex",
    "openai/gpt-5-codex-low",
  );
  const gap = fc.constantFrom("", " ", "\n  ", "\t");
  const value = fc.jsonValue({ stringUnit: "grapheme" }).map((json) => JSON.stringify(json));
  const key = fc.string({ unit: "grapheme" }).filter((text) =>
    !["model", "stream", "store", "prompt_cache_key"].includes(text)
  ).map((text) => JSON.stringify(text));
  const extras = fc.array(fc.tuple(key, value), { maxLength: 4 });
  fc.assert(fc.property(name, gap, extras, extras, fc.boolean(), (model, space, a, b, binary) => {
    const pairs = (list: [string, string][]) =>
      list.map(([key, json]) => `${key}${space}:${space}${json},${space}`).join("");
    const before = `{${space}${pairs(a)}"stream":true,${space}${pairs(b)}"store":false,` +
      `"reasoning":{"effort":"xhigh"},"input":[{"model":"gpt-5-codex"}],"model"${space}:${space}`;
    const after = `${space}}${space}`;
    const text = `${before}${JSON.stringify(model)}${after}`;
    const body: JsonBody = binary ? bytes(text) : text;
    const prepared = prepareBody(body, "/codex/responses", false, map());
    assert.ok(prepared);
    assert.equal(prepared.model, LATEST_CODEX);
    assert.equal(prepared.askedModel, model);
    assert.equal(typeof prepared.whole, binary ? "object" : "string");
    assert.equal(textOf(prepared.whole), `${before}"${LATEST_CODEX}"${after}`);
    assert.equal(textOf(body), text, "the caller's own body stays as it is");
  }));
});

Deno.test("a body whose model keeps its name is the very same object", () => {
  for (const model of ["gpt-5.5", "openai/gpt-5.3-codex"]) {
    const body = bytes(`{"model":"${model}","stream":true,"store":false}`);
    assert.equal(prepareBody(body, "/codex/responses", false, map())?.whole, body);
  }
});

Deno.test("the name changes also where other fields must be mended, and in a compaction", () => {
  const body = '{"store":true,"model":"gpt-5-codex","input":[]}';
  const turned = prepareBody(body, "/codex/responses", false, map());
  assert.equal(turned?.whole, '{"stream":true,"store":false,"model":"gpt-5.3-codex","input":[]}');
  const compact = prepareBody(body, "/codex/responses/compact", false, map());
  assert.equal(compact?.whole, '{"store":true,"model":"gpt-5.3-codex","input":[]}');
});

Deno.test("an effort in the name goes with it; the body's own effort stays", () => {
  const body = '{"model":"openai/gpt-5.2-codex-high","reasoning":{"effort":"low"},' +
    '"stream":true,"store":false}';
  assert.equal(
    prepareBody(body, "/codex/responses", false, map())?.whole,
    body.replace("openai/gpt-5.2-codex-high", "gpt-5.3-codex"),
  );
});

Deno.test("the backend receives the name that goes out, blocks go by it, and the log says so", async () => {
  const failover = new Failover(["a", "b"]);
  const said: string[] = [];
  const fetch = createCodexFetch({
    ...failover.journey,
    log: { ...silentLog, debug: (line) => said.push(line) },
    mapModel: map(),
  });
  failover.on(
    "a",
    new Response(
      '{"detail":"The \'gpt-5.3-codex\' model is not supported when ' +
        'using Codex with a ChatGPT account."}',
      { status: 400 },
    ),
  );
  const answer = fetch(RESPONSES, turn("s", { model: "openai/gpt-5.2-codex" }));
  assert.equal((await failover.clock.passUntil(answer)).status, 200);
  assert.deepEqual(failover.seen.map(({ alias, body }) => [alias, JSON.parse(body).model]), [
    ["a", "gpt-5.3-codex"],
    ["b", "gpt-5.3-codex"],
  ]);
  assert.ok(failover.blockedUntil("a", "gpt-5.3-codex"));
  assert.deepEqual(said, ["model map: openai/gpt-5.2-codex -> gpt-5.3-codex"]);
});

Deno.test("no model's name is written down in code, except for the mapping's own", () => {
  const root = new URL("../../", import.meta.url);
  const files = globSync("{src/**/*.{ts,tsx},*.ts}", { cwd: root });
  assert.ok(files.length > 200);
  const naming = files.filter((file) => {
    const code = readFileSync(new URL(file, root), "utf8")
      .replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*/gm, "");
    return /\bgpt-[\d(]/i.test(code);
  });
  assert.deepEqual(naming, ["src/codex/model_map.ts"]);
});
