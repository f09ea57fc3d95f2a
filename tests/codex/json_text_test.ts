import assert from "node:assert/strict";
import fc from "fast-check";
import { valueEnd, valueStart } from "../../src/codex/json_text.ts";

const value = fc.oneof(
  fc.jsonValue({ stringUnit: "grapheme" }),
  fc.constantFrom('"', "\\", '\\"', '\\\\"', '":"', "}", "[{", -1.5e-7, 1e21, [[], {}], {
    a: [{}],
  }),
);

Deno.test("JSON text: a value ends where it ends, and begins where it begins, whatever stands around it", () => {
  fc.assert(
    fc.property(value, fc.constantFrom(":", ",", "[", ": ", '"x":'), (one, before) => {
      const json = JSON.stringify(one);
      const text = `${before}${json},"y":1}`;
      assert.equal(valueEnd(text, before.length), before.length + json.length);
      assert.equal(valueStart(text, before.length + json.length - 1), before.length);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("JSON text: what does not begin or end is told by -1", () => {
  for (const text of ['x"', "1]", "{1]", "]", '\\""', "tru", "+1", "1e"]) {
    assert.equal(valueStart(text, text.length - 1), -1, text);
  }
  for (const text of ['"x', "[1", "[1}", "", '"\\"', "tru", "+1"]) {
    assert.equal(valueEnd(text, 0), -1, text);
  }
});
