import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "jsonc-parser";
import { Failure } from "../../src/platform/failure.ts";
import {
  editPlugins,
  type PluginEdit,
  readConfigFile,
  readGlobalConfig,
} from "../../src/opencode/config_file.ts";
import { MemoryDisk } from "./memory_disk.ts";

const PATH = "/home/me/.config/opencode/opencode.json";
const NEW = "opencode-multi-auth-codex@0.1.0";
const ENV = { HOME: "/home/me" };

function add(text: string | undefined, spec = NEW): string {
  return editPlugins(PATH, text, [{ type: "add", spec }]);
}

function removeAt(text: string, ...indexes: number[]): string {
  return editPlugins(PATH, text, indexes.map((index): PluginEdit => ({ type: "remove", index })));
}

const ADDED: readonly (readonly [name: string, before: string | undefined, after: string])[] = [
  [
    "a missing file gets schema and list",
    undefined,
    '{\n  "$schema": "https://opencode.ai/config.json",\n  "plugin": [\n    "NEW"\n  ]\n}\n',
  ],
  [
    "an empty file is like a missing one",
    "",
    '{\n  "$schema": "https://opencode.ai/config.json",\n  "plugin": [\n    "NEW"\n  ]\n}\n',
  ],
  [
    "a file of comments keeps them",
    "// mine\n",
    '// mine\n{\n  "$schema": "https://opencode.ai/config.json",\n  "plugin": [\n    "NEW"\n  ]\n}\n',
  ],
  ["an empty object", "{}", '{\n  "plugin": [\n    "NEW"\n  ]\n}'],
  ["an empty object over two lines", "{\n}\n", '{\n  "plugin": [\n    "NEW"\n  ]\n}\n'],
  [
    "an object that holds a comment only",
    "{\n  // nothing yet\n}\n",
    '{\n  // nothing yet\n  "plugin": [\n    "NEW"\n  ]\n}\n',
  ],
  ["one line", '{"a": 1}', '{"a": 1, "plugin": ["NEW"]}'],
  ["one line with a list", '{"plugin":["a"] , "b":2}', '{"plugin":["a", "NEW"] , "b":2}'],
  ["an empty list", '{"plugin": []}', '{"plugin": ["NEW"]}'],
  [
    "an empty list that holds a comment",
    '{"plugin": [ // none\n]}',
    '{"plugin": ["NEW" // none\n]}',
  ],
  [
    "a list with a remark behind its last item",
    '{\n  "plugin": [\n    "a" // the first\n  ]\n}\n',
    '{\n  "plugin": [\n    "a", // the first\n    "NEW"\n  ]\n}\n',
  ],
  [
    "a trailing comma stays a habit",
    '{\n  "plugin": [\n    "a", /* x */ // y\n    // end\n  ],\n}\n',
    '{\n  "plugin": [\n    "a", /* x */ // y\n    "NEW",\n    // end\n  ],\n}\n',
  ],
  [
    "tabs",
    '{\n\t"a": 1\n}\n',
    '{\n\t"a": 1,\n\t"plugin": [\n\t\t"NEW"\n\t]\n}\n',
  ],
  [
    "CRLF",
    '{\r\n    "a": 1\r\n}\r\n',
    '{\r\n    "a": 1,\r\n    "plugin": [\r\n        "NEW"\r\n    ]\r\n}\r\n',
  ],
  [
    "CRLF, but for the line that OpenCode has added",
    '{\n  "$schema": "x",\r\n  "a": 1,\r\n  "plugin": [\r\n    "b"\r\n  ]\r\n}\r\n',
    '{\n  "$schema": "x",\r\n  "a": 1,\r\n  "plugin": [\r\n    "b",\r\n    "NEW"\r\n  ]\r\n}\r\n',
  ],
  ["a byte order mark", '\uFEFF{"plugin": ["a"]}', '\uFEFF{"plugin": ["a", "NEW"]}'],
  [
    "an entry with options",
    '{"plugin": [["a", {"b": [1]}]]}',
    '{"plugin": [["a", {"b": [1]}], "NEW"]}',
  ],
  [
    "a substitution where a value stands",
    '{"port": {env:PORT}, "plugin": []}',
    '{"port": {env:PORT}, "plugin": ["NEW"]}',
  ],
  [
    "the last of two keys counts",
    '{"plugin": ["a"], "plugin": ["b"]}',
    '{"plugin": ["a"], "plugin": ["b", "NEW"]}',
  ],
];

for (const [name, before, after] of ADDED) {
  Deno.test(`adding a plugin: ${name}`, () => {
    assert.equal(add(before), after.replace("NEW", NEW));
  });
}

Deno.test("removing a plugin takes its line and its comma, and leaves remarks", () => {
  const text = '{\n  "plugin": [\n    "a",\n    // about b\n    "b",\n    "c" // last\n  ]\n}\n';
  assert.equal(
    removeAt(text, 1),
    '{\n  "plugin": [\n    "a",\n    // about b\n    "c" // last\n  ]\n}\n',
  );
  assert.equal(
    removeAt(text, 2),
    '{\n  "plugin": [\n    "a",\n    // about b\n    "b"\n     // last\n  ]\n}\n',
  );
  assert.equal(removeAt('{"plugin": ["a", "b", "c"]}', 1), '{"plugin": ["a", "c"]}');
  assert.equal(removeAt('{"plugin": ["a", "b", "c"]}', 2), '{"plugin": ["a", "b"]}');
  assert.equal(removeAt('{"plugin": ["a", "b", "c"]}', 0, 1, 2), '{"plugin": []}');
  assert.equal(removeAt('{"plugin": ["a", "b",]}', 1), '{"plugin": ["a", ]}');
});

Deno.test("replacing a plugin changes the spec alone and keeps its options", () => {
  assert.equal(
    editPlugins(PATH, '{"plugin": [["old", { "x": 1 }], "b"]} // end', [
      { type: "replace", index: 0, spec: NEW },
    ]),
    `{"plugin": [["${NEW}", { "x": 1 }], "b"]} // end`,
  );
});

Deno.test("edits of one file at once do not move each other", () => {
  const text = '{"plugin": ["older", "ours", "mine"]}';
  const edits: PluginEdit[] = [
    { type: "add", spec: "last" },
    { type: "remove", index: 0 },
    { type: "replace", index: 1, spec: NEW },
  ];
  assert.equal(editPlugins(PATH, text, edits), `{"plugin": ["${NEW}", "mine", "last"]}`);
});

const space = fc.constantFrom("", " ", "  ", "\t");
const gap = fc.array(
  fc.constantFrom("", " ", "\n", "\r\n", "\n  ", "\t", "/* , ] } */", '// ,]}"\n', "/* a\n b */"),
  { maxLength: 3 },
).map((parts) => parts.join(""));
const scalar = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom("true", "null", "{}", "[]", '["x", {"y": [1, 2,]}]', '{"plugin": ["inner"]}'),
  fc.string({ unit: "binary", maxLength: 8 }).map((text) => JSON.stringify(text)),
);
const entry = fc.oneof(
  fc.constantFrom('"a"', '"@b/c@1.2.3"', '"file:///x/y.js"', '"q\\"uote,]"'),
  fc.constantFrom('["a", {"b": 1}]', '[\n "c",\n {"d": [] /* x */}\n]'),
);

/** A list or an object in arbitrary layout, with comments and perhaps a trailing comma. */
function members(open: string, items: fc.Arbitrary<string>, close: string, least = 0) {
  return fc.tuple(
    fc.array(fc.tuple(gap, items, gap), { minLength: least, maxLength: 4 }),
    gap,
    fc.boolean(),
  )
    .map(([parts, end, trailing]) =>
      open + parts.map((part) => part.join("")).join(",") +
      (trailing && parts.length > 0 ? "," : "") + end + close
    );
}

const pluginKey = members("[", entry, "]").map((list) => `"plugin": ${list}`);
const otherKey = fc.tuple(fc.constantFrom("a", "model", "$schema", "pl"), space, scalar)
  .map(([name, blank, value]) => `${JSON.stringify(name)}${blank}:${blank}${value}`);
const property = fc.oneof({ arbitrary: otherKey, weight: 3 }, { arbitrary: pluginKey, weight: 2 });
const document = fc.tuple(gap, members("{", property, "}"), gap).map((parts) => parts.join(""));

function plugins(text: string): readonly unknown[] {
  const list = (parse(text, [], { allowTrailingComma: true }) as { plugin?: unknown }).plugin;
  return Array.isArray(list) ? list : [];
}

/** Text without blanks and commas: what must stay when an entry comes and goes. */
function bones(text: string): string {
  return text.replace(/[\s,]/g, "");
}

Deno.test("property: adding inserts, and every other byte stays", () => {
  fc.assert(
    fc.property(document, (text) => {
      const result = add(text);
      assert.deepEqual(plugins(result), [...plugins(text), NEW]);
      assert.doesNotThrow(() => readConfigFile(PATH, new MemoryDisk({ [PATH]: result })));
      // What was there is what is there without the insertions, in order.
      let at = 0;
      for (let place = 0; place < result.length; place++) if (result[place] === text[at]) at++;
      assert.equal(at, text.length);
      assert.ok(result.length <= text.length + NEW.length + 120);
      const others = (all: string) => ({
        ...parse(all, [], { allowTrailingComma: true }),
        plugin: 0,
      });
      assert.deepEqual(others(result), others(text));
    }),
    { numRuns: 600 },
  );
});

Deno.test("property: adding and removing again gives back all but blanks and the place of a comma", () => {
  fc.assert(
    fc.property(document, (text) => {
      const list = plugins(text);
      fc.pre(list.length > 0);
      assert.equal(bones(removeAt(add(text), list.length)), bones(text));
    }),
    { numRuns: 600 },
  );
});

Deno.test("property: removing some plugins keeps the others, all comments and all other keys", () => {
  fc.assert(
    fc.property(document, fc.array(fc.nat(3), { maxLength: 3 }), (text, chosen) => {
      const indexes = [...new Set(chosen)];
      const result = removeAt(text, ...indexes);
      const rest = plugins(text).filter((_, index) => !indexes.includes(index));
      assert.deepEqual(plugins(result), rest);
      assert.doesNotThrow(() => readConfigFile(PATH, new MemoryDisk({ [PATH]: result })));
      const comments = (all: string) =>
        all.match(/\/\/ ,\]\}"|\/\* , \] \} \*\/|\/\* a\n b \*\//g) ?? [];
      assert.deepEqual(comments(result), comments(text));
    }),
    { numRuns: 600 },
  );
});

const BROKEN: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  [
    "a missing comma",
    '{\n  "a": 1\n  "b": 2\n}',
    /^\/home.*opencode\.json is not valid JSON: comma expected at line 3, column 3\. Mend it/,
  ],
  ["a missing brace", '{"a": 1', /close brace expected at line 1, column 8/],
  ["two values", "{} {}", /end of file expected at line 1, column 4/],
  ["a list", '["a"]', /holds no object at line 1, column 1/],
  [
    "plugin is a text",
    '{\r\n  "plugin": "a"\r\n}',
    /"plugin" in .*opencode\.json is not a list at line 2, column 13/,
  ],
  ["plugin is null", '{"plugin": null}', /is not a list at line 1, column 12/],
];

for (const [name, text, message] of BROKEN) {
  Deno.test(`a broken configuration is one line with the place: ${name}`, () => {
    const disk = new MemoryDisk({ [PATH]: text });
    assert.throws(() => readGlobalConfig(ENV, disk), (error) => {
      assert.ok(error instanceof Failure);
      assert.match(error.message, message);
      assert.match(error.message, /nothing was changed\.$/);
      assert.ok(!error.message.includes("\n"));
      return true;
    });
    assert.deepEqual(disk.writes, []);
  });
}
