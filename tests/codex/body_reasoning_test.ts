import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { dropReasoning } from "../../src/codex/body.ts";
import { forms, json, numbers, object, picker, text, textOf, untidy } from "./untidy_json.ts";

const TOOL_TURN = JSON.parse(
  readFileSync(new URL("../fixtures/opencode/request-tool-turn.json", import.meta.url), "utf8"),
) as { body: { input: { type?: string; encrypted_content?: string }[] } };

Deno.test("body: reasoning leaves OpenCode's real request, the rest stays", () => {
  const source = JSON.stringify(TOOL_TURN.body);
  for (const body of forms(source)) {
    const seen: string[] = [];
    const changed = dropReasoning(body, (encrypted) => {
      seen.push(encrypted);
      return false;
    });
    assert.deepEqual(seen, ["gAAAAfixture-reasoning-of-account-personal"]);
    assert.deepEqual(JSON.parse(textOf(changed)), {
      ...TOOL_TURN.body,
      input: TOOL_TURN.body.input.filter((item) => item.type !== "reasoning"),
    });
    assert.equal(dropReasoning(body, () => true), body);
  }
});

Deno.test("body: only the refused reasoning goes, everything else byte for byte", () => {
  const mine = '{"type":"reasoning","encrypted_content":"mine","summary":[]}';
  const other = '{ "summary":[], "encrypted_content" : "oth\\u0065r", "type":"reasoning" }';
  const bare = '{"type":"reasoning","encrypted_content":null}';
  const message = '{"role":"user","content":"a \\u00e9 {\\"type\\":\\"reasoning\\"} é"}';
  const source = `{"model":"m","input":[${mine},${other} , ${bare},\n${message},1.0],"x":1e2}`;
  for (const body of forms(source)) {
    assert.equal(
      textOf(dropReasoning(body, (encrypted) => encrypted !== "other")),
      `{"model":"m","input":[${mine},${bare},${message},1.0],"x":1e2}`,
    );
  }
  for (const body of forms(`{"input":[${mine}]}`)) {
    assert.equal(textOf(dropReasoning(body, () => false)), '{"input":[]}');
  }
});

Deno.test("body: dropping reasoning is the same as parsing and filtering", () => {
  const item = fc.oneof(
    fc.record({
      type: fc.constantFrom("reasoning", "message"),
      encrypted_content: fc.constantFrom("a", "b", 'q"uo\\te', null),
      summary: fc.array(text),
    }, { requiredKeys: [] }),
    json,
  );
  fc.assert(fc.property(fc.array(item), object, numbers, (input, rest, picks) => {
    const value = JSON.parse(JSON.stringify({ ...rest, input })) as { input: unknown[] };
    const staying = value.input.filter((one) => {
      const { type, encrypted_content: content } = (one ?? {}) as Record<string, unknown>;
      const isObject = typeof one === "object" && !Array.isArray(one);
      return !(isObject && type === "reasoning" && typeof content === "string" && content !== "a");
    });
    for (const body of forms(untidy(value, picker(picks)))) {
      const changed = dropReasoning(body, (encrypted) => encrypted === "a");
      assert.deepEqual(JSON.parse(textOf(changed)), { ...value, input: staying });
    }
  }));
});

Deno.test("body: an input that is no list stays", () => {
  for (const source of ['{"input":"hi"}', '{"input":null}', '{"input":[1,}', "{}"]) {
    for (const body of forms(source)) assert.equal(dropReasoning(body, () => false), body);
  }
});
