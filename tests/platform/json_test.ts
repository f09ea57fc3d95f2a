import assert from "node:assert/strict";
import { asList, asNumber, asObject, asText, given } from "../../src/platform/json.ts";

Deno.test("what is not of the kind asked for is as good as absent", () => {
  const read = (json: string) => {
    const value: unknown = JSON.parse(json);
    return [asObject(value), asList(value), asText(value), asNumber(value)];
  };
  assert.deepEqual(read(`{"a":1}`), [{ a: 1 }, [], undefined, undefined]);
  assert.deepEqual(read(`[{}]`), [undefined, [{}], undefined, undefined]);
  assert.deepEqual(read(`""`), [undefined, [], "", undefined]);
  assert.deepEqual(read(`0`), [undefined, [], undefined, 0]);
  for (const json of ["null", "true", "1e999"]) {
    assert.deepEqual(read(json), [undefined, [], undefined, undefined], json);
  }
});

Deno.test("a property is there when its value is", () => {
  for (const nothing of [undefined, null, ""]) assert.deepEqual(given("a", nothing), {});
  assert.deepEqual({ ...given("a", 0), ...given("b", false) }, { a: 0, b: false });
});
