import assert from "node:assert/strict";
import fc from "fast-check";
import { type JsonBody, textAt } from "../../src/codex/body.ts";
import { scanEnds } from "../../src/codex/body_ends.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
/** Both forms of a body; every test holds for both. */
const forms = (text: string): readonly JsonBody[] => [text, bytes(text)];

const KEYS = ["model", "stream", "store", "prompt_cache_key"];
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom('"', "\\", '\\"', '","store":true,"x":"', "}", "{[", "]}", "é", "日本", "💥"),
);
const value = fc.oneof(
  text,
  fc.jsonValue({ stringUnit: "grapheme" }),
  fc.constantFrom(true, false, null, -1.5e-7),
);
/** Pairs in any order, those that are asked for among them; no key twice. */
const pairs = fc.uniqueArray(
  fc.tuple(fc.oneof(text, fc.constantFrom(...KEYS)), value),
  { selector: ([key]) => key, maxLength: 9 },
);
const gap = fc.constantFrom("", "", " ", "\n", "\r\n\t");

/** JSON text with blanks everywhere they may be. */
function write(entries: readonly (readonly [string, unknown])[], blank: string): string {
  const pair = ([key, one]: readonly [string, unknown]) =>
    `${JSON.stringify(key)}${blank}:${blank}${JSON.stringify(one)}`;
  return `${blank}{${blank}${entries.map(pair).join(`${blank},${blank}`)}${blank}}${blank}`;
}

Deno.test("body ends: for any object, what is asked for is found wherever it stands, and nothing else", () => {
  fc.assert(
    fc.property(pairs, gap, fc.subarray(KEYS, { minLength: 1 }), (entries, blank, keys) => {
      for (const body of forms(write(entries, blank))) {
        const found = scanEnds(body, keys);
        assert.ok(found);
        const values = [...found].map(([key, span]) => [key, JSON.parse(textAt(body, span))]);
        const wanted = entries.filter(([key]) => keys.includes(key));
        assert.deepEqual(
          new Map(values as [string, unknown][]),
          new Map(wanted.map(([key, one]) => [key, JSON.parse(JSON.stringify(one))])),
        );
      }
    }),
    { numRuns: 1_500 },
  );
});

Deno.test("body ends: parts longer than what is looked at first are no hindrance", () => {
  const long = 'é"\\'.repeat(40_000);
  const model = ["model", "gpt-5.5"] as const;
  const flags = [["stream", true], ["store", false]] as const;
  const bodies = {
    "a long text first": [["instructions", long], model, ...flags],
    "a long list in the middle": [model, ["input", [long, { store: true }]], ...flags],
    "a long list last": [model, ...flags, ["input", [long]]],
    "a long list before the model": [["input", [long]], model, ...flags],
    "a long text last": [model, ["input", []], ...flags, ["user", long]],
  } as const;
  for (const [name, entries] of Object.entries(bodies)) {
    for (const body of forms(write(entries, " "))) {
      const found = scanEnds(body, ["model", "stream", "store"]);
      const texts = [...found ?? []].map(([key, span]) => [key, textAt(body, span)]).sort();
      assert.deepEqual(
        texts,
        [["model", '"gpt-5.5"'], ["store", "false"], ["stream", "true"]],
        `${name}, ${typeof body}`,
      );
    }
  }
});

Deno.test("body ends: a number that goes on behind what is looked at first is read whole", () => {
  for (let pad = 65_510; pad < 65_540; pad++) {
    const body = bytes(`{"a":"${"x".repeat(pad)}","n":1234567890}`);
    const span = scanEnds(body, ["n"])?.get("n");
    assert.equal(span && textAt(body, span), "1234567890", `padding ${pad}`);
  }
});

Deno.test("body ends: of a key that stands twice behind the middle the last counts, as for JSON.parse", () => {
  const source = '{"model":"a","input":[],"stream":false,"stream":true}';
  for (const body of forms(source)) {
    const span = scanEnds(body, ["stream"])?.get("stream");
    assert.equal(span && textAt(body, span), "true");
  }
});

Deno.test("body ends: what is no JSON object is refused as from the front, and nothing throws", () => {
  const broken = [
    "",
    " ",
    "[]",
    '"x"',
    "null",
    "{",
    "}",
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a" 1}',
    "{]",
  ];
  for (const source of broken) {
    for (const body of forms(source)) assert.equal(scanEnds(body, ["x"]), undefined, source);
  }
  fc.assert(
    fc.property(pairs, gap, fc.nat(), fc.nat(), text, (entries, blank, at, length, junk) => {
      const source = write(entries, blank);
      const start = at % (source.length + 1);
      const cut = source.slice(0, start) + junk + source.slice(start + length % 5);
      for (const body of forms(cut)) {
        const found = scanEnds(body, KEYS);
        for (const { start, end } of found?.values() ?? []) {
          assert.ok(start >= 0 && start < end && end <= body.length);
        }
      }
    }),
    { numRuns: 1_500 },
  );
});
