import assert from "node:assert/strict";
import process from "node:process";
import fc from "fast-check";
import {
  dropReasoning,
  replaceSpan,
  scanTopLevel,
  setTopLevel,
  stringAt,
  textAt,
} from "../../src/codex/body.ts";
import { scanEnds } from "../../src/codex/body_ends.ts";
import { bytes, forms, json, key, numbers, object, picker, textOf, untidy } from "./untidy_json.ts";

Deno.test("body: for any object, the text at a span parses to the value, and absent keys are absent", () => {
  fc.assert(
    fc.property(object, numbers, key, (value, picks, other) => {
      const source = untidy(value, picker(picks));
      assert.deepEqual(JSON.parse(source), value, "the untidy writer is sound");
      const keys = [...new Set([...Object.keys(value), other])];
      for (const body of forms(source)) {
        const spans = scanTopLevel(body, keys);
        assert.ok(spans);
        for (const key of keys) {
          const span = spans.get(key);
          assert.equal(span !== undefined, Object.hasOwn(value, key), key);
          if (span) assert.deepEqual(JSON.parse(textAt(body, span)), value[key]);
          const expected = Object.hasOwn(value, key) ? value[key] : undefined;
          assert.equal(stringAt(body, span), typeof expected === "string" ? expected : undefined);
        }
      }
    }),
    { numRuns: 400 },
  );
});

Deno.test("body: replacing or setting a key and parsing is the same as parsing and setting", () => {
  fc.assert(
    fc.property(object, numbers, key, json, (value, picks, added, fresh) => {
      for (const one of [...Object.keys(value), added]) {
        for (const body of forms(untidy(value, picker(picks)))) {
          const changed = setTopLevel(body, one, JSON.stringify(fresh));
          assert.ok(changed !== undefined);
          assert.equal(typeof changed, typeof body);
          assert.deepEqual(JSON.parse(textOf(changed)), { ...value, [one]: fresh });
        }
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("body: everything beside the replaced value stays byte for byte", () => {
  const source = '{ "a" : "\\u00e9é" ,\n"model":"x", "b": 1.0e0 }';
  for (const body of forms(source)) {
    const span = scanTopLevel(body, ["model"])?.get("model");
    assert.ok(span);
    assert.equal(
      textOf(replaceSpan(body, span, '"日"')),
      '{ "a" : "\\u00e9é" ,\n"model":"日", "b": 1.0e0 }',
    );
  }
});

Deno.test("body: a view into a larger buffer is read at its place", () => {
  const whole = bytes('xxx{"model":"gpt"}yyy');
  const view = whole.subarray(3, 18);
  const spans = scanTopLevel(view, ["model"]);
  assert.equal(stringAt(view, spans?.get("model")), "gpt");
  const changed = setTopLevel(view, "model", '"new"');
  assert.equal(changed && textOf(changed), '{"model":"new"}');
});

Deno.test("body: keys that end in a backslash or are a quote are told apart", () => {
  const source = String.raw`{"\\":"backslash","\\\"":"both","\"":"quote"}`;
  for (const body of forms(source)) {
    const spans = scanTopLevel(body, ["\\", '"', '\\"']);
    assert.equal(stringAt(body, spans?.get("\\")), "backslash");
    assert.equal(stringAt(body, spans?.get('"')), "quote");
    assert.equal(stringAt(body, spans?.get('\\"')), "both");
  }
});

Deno.test("body: keys inside nested values and inside strings are not top-level keys", () => {
  const source = '{"input":[{"model":"inner"}],"text":"\\"model\\":\\"fake\\"","model":"outer"}';
  for (const body of forms(source)) {
    assert.equal(stringAt(body, scanTopLevel(body, ["model"])?.get("model")), "outer");
  }
});

Deno.test("body: it stops as soon as everything is found", () => {
  for (const body of forms('{"model":"x", then nonsense')) {
    assert.equal(stringAt(body, scanTopLevel(body, ["model"])?.get("model")), "x");
    assert.equal(scanTopLevel(body, ["model", "stream"]), undefined);
  }
});

Deno.test("body: what is not a JSON object gives undefined and never throws", () => {
  const broken = [
    "",
    " ",
    "null",
    "[]",
    "7",
    '"x"',
    "{",
    '{"',
    '{"a',
    '{"a"',
    '{"a":',
    '{"a":}',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    "{a:1}",
    "{'a':1}",
    '{"a" 1}',
    '{"a":[}',
    '{"a":[1}]',
    '{"a":{]}',
    '{"a":"x}',
    '{"a":"x\\"}',
    '{"a":nul}',
    '{"a":01}',
    '{"a":+1}',
    '{"a":1 "b":2}',
    "\\",
    "\ufeff{}",
  ];
  for (const source of broken) {
    for (const body of forms(source)) {
      assert.equal(scanTopLevel(body, ["zzz"]), undefined, source);
      assert.equal(setTopLevel(body, "zzz", "1"), undefined, source);
      assert.equal(dropReasoning(body, () => false), body);
    }
  }
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), fc.nat(), (source, at) => {
    const cut = source.slice(0, at % (source.length + 1));
    scanTopLevel(cut, ["a"]);
    dropReasoning(cut, () => false);
  }));
  fc.assert(fc.property(fc.uint8Array(), (random) => {
    scanTopLevel(new Uint8Array(random), ["a"]);
  }));
});

Deno.test("body: any object cut short is recognised", () => {
  fc.assert(fc.property(object, numbers, fc.nat(), (value, picks, at) => {
    const source = untidy(value, picker(picks)).trimEnd();
    const cut = source.slice(0, at % source.length);
    for (const body of forms(cut)) assert.equal(scanTopLevel(body, ["no such key"]), undefined);
  }));
});

Deno.test("body: hostile shapes take linear time", () => {
  const size = 1 << 20;
  const hostile = [
    `{"a":"${"\\\\".repeat(size / 2)}","b":1}`,
    `{"a":"${'\\"'.repeat(size / 2)}","b":1}`,
    `{"a":"${"\\\\".repeat(size / 2)}`,
    `{"a":${"[".repeat(size)}`,
    `{"a":${"[".repeat(size / 2)}${"]".repeat(size / 2)},"b":1}`,
    `{${'"":0,'.repeat(size / 5)}"b":1}`,
    `{${" ".repeat(size)}"b":1}`,
  ];
  const started = process.cpuUsage();
  for (const source of hostile) {
    for (const body of forms(source)) {
      scanTopLevel(body, ["b"]);
      scanEnds(body, ["b"]);
    }
  }
  // Linear takes some 100 ms of this process; quadratic would take hours, however busy the machine is.
  assert.ok(process.cpuUsage(started).user < 5_000_000);
});
