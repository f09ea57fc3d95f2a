import assert from "node:assert/strict";
import fc from "fast-check";
import { Failure } from "../../src/platform/failure.ts";
import { readEntry } from "../../src/opencode/auth_entry.ts";
import {
  entryAlone,
  isPlaceholder,
  PLACEHOLDER_ENTRY,
  readAuthFile,
  withEntry,
  withoutEntry,
} from "../../src/opencode/auth_file.ts";
import { MemoryDisk } from "./memory_disk.ts";
import fixture from "../fixtures/opencode/auth.json" with { type: "json" };

const ENV = { HOME: "/home/me" };
const PATH = "/home/me/.local/share/opencode/auth.json";

function readText(text: string) {
  return readAuthFile(ENV, new MemoryDisk({ [PATH]: text })).openai;
}

Deno.test("the placeholder is known again after OpenCode has rewritten it", () => {
  assert.ok(isPlaceholder(PLACEHOLDER_ENTRY));
  assert.ok(isPlaceholder(JSON.parse(JSON.stringify(PLACEHOLDER_ENTRY))));
  assert.ok(isPlaceholder({ ...PLACEHOLDER_ENTRY, accountId: "x" }));
  assert.ok(!isPlaceholder({ ...PLACEHOLDER_ENTRY, type: "api", key: "sk-1" }));
  assert.ok(!isPlaceholder({ ...PLACEHOLDER_ENTRY, refresh: "rt_real" }));
  for (const other of [undefined, null, "openai", [], {}, fixture.openai]) {
    assert.ok(!isPlaceholder(other));
  }
});

Deno.test("the placeholder holds no field that OpenCode drops, and outlives everybody", () => {
  assert.deepEqual(Object.keys(PLACEHOLDER_ENTRY), ["type", "refresh", "access", "expires"]);
  assert.equal(new Date(PLACEHOLDER_ENTRY.expires).toISOString(), "9999-12-31T00:00:00.000Z");
});

Deno.test("a ChatGPT login is a candidate with the identity of its claims", () => {
  const entry = readEntry(fixture.openai);
  assert.ok(entry.kind === "login");
  const { credentials, identity, email, plan } = entry.login;
  assert.equal(credentials.refreshToken, fixture.openai.refresh);
  assert.equal(credentials.accessToken, fixture.openai.access);
  // The token's own end, not what OpenCode noted.
  assert.equal(credentials.expiresAt, 4_102_444_800_000);
  assert.equal(identity?.workspaceId, fixture.openai.accountId);
  assert.match(identity?.memberId ?? "", /^user-FixturePersonal/);
  assert.equal(email, "you@personal.example");
  assert.equal(plan, "plus");
});

Deno.test("an opaque login keeps OpenCode's expiry and workspace", () => {
  const entry = readEntry({
    type: "oauth",
    refresh: "opaque-refresh",
    access: "opaque-access",
    expires: 1_796_148_000_000,
    accountId: "ws",
  });
  assert.ok(entry.kind === "login");
  assert.equal(entry.login.credentials.expiresAt, 1_796_148_000_000);
  assert.deepEqual(entry.login.identity, { workspaceId: "ws" });
});

const KINDS: readonly (readonly [entry: string, kind: string])[] = [
  ['{"type": "api", "key": "sk-abc"}', "api key"],
  ['{"type": "api"}', "api key"],
  ['{"type": "wellknown", "key": "a", "token": "b"}', "unknown"],
  ['{"type": "oauth", "refresh": "", "access": "", "expires": 0}', "unknown"],
  ['{"type": "oauth", "refresh": "dummy", "access": "dummy", "expires": 0}', "unknown"],
  ['{"type": "oauth", "refresh": "a", "access": "b"}', "unknown"],
  ['"text"', "unknown"],
  ["null", "unknown"],
  ["[]", "unknown"],
];

for (const [entry, kind] of KINDS) {
  Deno.test(`an openai entry ${entry} is ${kind}`, () => {
    assert.equal(readText(`{"openai": ${entry}}`).kind, kind);
  });
}

Deno.test("a missing and an empty file have no entry", () => {
  assert.equal(readAuthFile(ENV, new MemoryDisk()).openai.kind, "none");
  assert.equal(readText("").kind, "none");
  assert.equal(readText("{}").kind, "none");
  assert.equal(readText('{"anthropic": {"type": "api", "key": "k"}}').kind, "none");
});

Deno.test("XDG_DATA_HOME moves the file", () => {
  const file = readAuthFile({ ...ENV, XDG_DATA_HOME: "/data" }, new MemoryDisk());
  assert.equal(file.path, "/data/opencode/auth.json");
});

Deno.test("OPENCODE_AUTH_CONTENT overrides the file only when it is JSON, as in OpenCode", () => {
  const overridden = (content: string) =>
    readAuthFile({ ...ENV, OPENCODE_AUTH_CONTENT: content }, new MemoryDisk()).overridden;
  assert.equal(overridden("{}"), true);
  assert.equal(overridden("{"), false);
  assert.equal(overridden(""), false);
});

Deno.test("other providers stay byte for byte, with their order, layout and numbers", () => {
  const others = '{\n    "b":{"type":"api","key":"k\\u00e9"},\n\t"a" : {"n": 1.50e2}';
  const added = withEntry(PATH, `${others}\n}\n`);
  assert.ok(added.startsWith(others));
  assert.deepEqual(JSON.parse(added).openai, PLACEHOLDER_ENTRY);
  assert.equal(withoutEntry(PATH, added), `${others}\n}\n`);
});

Deno.test("an entry is replaced in its place", () => {
  const text = '{"x": {"type": "api", "key": "1"}, "openai": {"type": "api", "key": "2"}, "y": 3}';
  const result = withEntry(PATH, text);
  assert.deepEqual(Object.keys(JSON.parse(result)), ["x", "openai", "y"]);
  assert.ok(isPlaceholder(JSON.parse(result).openai));
  assert.ok(!result.includes('"2"'));
  assert.equal(withEntry(PATH, result), result);
});

Deno.test("a new file has the entry alone", () => {
  assert.deepEqual(JSON.parse(withEntry(PATH, undefined)), { openai: PLACEHOLDER_ENTRY });
  assert.deepEqual(JSON.parse(withEntry(PATH, "{}")), { openai: PLACEHOLDER_ENTRY });
});

Deno.test("the copy that is kept holds the openai entry and nobody else's", () => {
  const text = '{"x": {"key": "other"}, "openai": {"type": "api", "key": "sk-mine"}}';
  assert.deepEqual(JSON.parse(entryAlone(PATH, text)), {
    openai: { type: "api", key: "sk-mine" },
  });
});

Deno.test("property: the entry comes and goes without touching the others", () => {
  const value = fc.jsonValue({ maxDepth: 2 });
  const names = fc.string({ unit: "binary" }).filter((name) => name !== "openai");
  fc.assert(fc.property(
    fc.dictionary(names, value, { maxKeys: 4 }),
    fc.constantFrom(undefined, 2, 4, "\t"),
    (others, indent) => {
      const text = JSON.stringify(others, null, indent);
      const added = withEntry(PATH, text);
      const parsed = JSON.parse(added);
      assert.ok(isPlaceholder(parsed.openai));
      const removed = withoutEntry(PATH, added);
      assert.deepEqual(JSON.parse(removed), JSON.parse(text));
      if (Object.keys(others).length > 0) assert.equal(removed, text);
    },
  ));
});

const BROKEN: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  [
    "cut short",
    '{"openai": {"type": "oauth", "refresh": "rt_secret_token_1", "acc',
    /auth\.json is not valid JSON: unexpected end of string at line 1, column 62\./,
  ],
  [
    "a comment, which OpenCode cannot read",
    '{ // "x"\n}',
    /invalid comment token at line 1, column 3/,
  ],
  ["a trailing comma", '{"a": 1,}', /property name expected at line 1, column 9/],
  ["a list", "[]", /holds no object at line 1, column 1/],
];

for (const [name, text, message] of BROKEN) {
  Deno.test(`a broken auth.json is one line without its content: ${name}`, () => {
    assert.throws(() => readText(text), (error) => {
      assert.ok(error instanceof Failure);
      assert.match(error.message, message);
      assert.ok(!error.message.includes("\n"));
      assert.ok(!error.message.includes("secret"));
      return true;
    });
  });
}
