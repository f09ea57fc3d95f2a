import assert from "node:assert/strict";
import fc from "fast-check";
import { identifyPlugin, isForeignPlugin } from "../../src/opencode/older_packages.ts";

/** What lies on the disk in these tests: path -> package name. */
const DISK: Readonly<Record<string, string>> = {
  "/src/mine/npm/plugin.js": "opencode-multi-auth-codex",
  "/src/seed/dist/index.js": "@guard22/opencode-multi-auth-codex",
  "/src/seed": "@guard22/opencode-multi-auth-codex",
  "/src/n/index.ts": "oc-codex-multi-auth",
  "/src/opencode-multi-auth-codex/x.js": "something-else",
  "/src/with space/plugin.js": "opencode-multi-auth-codex",
  "/src/100%25/plugin.js": "opencode-multi-auth-codex",
  "C:/mine/plugin.js": "opencode-multi-auth-codex",
};

const ROWS: readonly (readonly [spec: string, kind: string])[] = [
  ["opencode-multi-auth-codex", "ours"],
  [" opencode-multi-auth-codex ", "ours"],
  ["opencode-multi-auth-codex@latest", "ours"],
  ["opencode-multi-auth-codex@0.1.0", "ours"],
  ["opencode-multi-auth-codex@^1 || 2", "ours"],
  ["mine@npm:opencode-multi-auth-codex@1", "ours"],
  ["opencode-multi-auth-codex@file:/tmp/opencode-multi-auth-codex-0.1.0.tgz", "ours"],
  ["opencode-multi-auth-codex@file:/tmp/x.tgz", "ours"],
  ["x@file:/tmp/opencode-multi-auth-codex-0.1.0.tgz", "ours"],
  ["file:///src/mine/npm/plugin.js", "ours"],
  ["/src/mine/npm/plugin.js", "ours"],
  ["file:///src/with%20space/plugin.js", "ours"],
  ["/src/100%25/plugin.js", "ours"],
  ["file:///src/100%2525/plugin.js", "ours"],
  ["file:///C:/mine/plugin.js", "ours"],
  ["file:///gone/opencode-multi-auth/npm/plugin.js", "ours"],
  ["C:\\code\\opencode-multi-auth-main\\npm\\plugin.js", "ours"],
  ["github:somebody/opencode-multi-auth#npm", "ours"],
  ["git+https://example.org/somebody/opencode-multi-auth.git#npm", "ours"],
  ["opencode-multi-auth-codex@git+file:///repo/opencode-multi-auth#npm", "ours"],

  ["@guard22/opencode-multi-auth-codex", "older"],
  ["@guard22/opencode-multi-auth-codex@1.4.3", "older"],
  ["@nguyenthdat/opencode-multi-auth-codex@latest", "older"],
  ["@axman/opencode-multi-auth-codex", "older"],
  ["opencode-multi-auth-codex@npm:@guard22/opencode-multi-auth-codex@1", "older"],
  ["github:guard22/opencode-multi-auth-codex", "older"],
  ["github:guard22/opencode-multi-auth-codex#npm", "older"],
  ["github:Guard22/OpenCode-Multi-Auth-Codex", "older"],
  ["guard22/opencode-multi-auth-codex", "older"],
  ["git+https://github.com/guard22/opencode-multi-auth-codex.git", "older"],
  ["git+ssh://git@github.com/guard22/opencode-multi-auth-codex.git#v1", "older"],
  ["git@github.com:guard22/opencode-multi-auth-codex.git", "older"],
  ["https://github.com/guard22/opencode-multi-auth-codex/archive/main.tar.gz", "older"],
  ["opencode-multi-auth-codex@github:guard22/opencode-multi-auth-codex", "older"],
  ["seed@github:guard22/opencode-multi-auth-codex", "older"],
  ["file:///src/seed/dist/index.js", "older"],
  ["file:///src/seed", "older"],
  ["file:///gone/opencode-multi-auth-codex/dist/index.js", "older"],
  ["x@file:/tmp/guard22-opencode-multi-auth-codex-1.4.3.tgz", "older"],

  ["oc-codex-multi-auth", "rival"],
  ["oc-codex-multi-auth@6.14.0", "rival"],
  ["oc-chatgpt-multi-auth", "rival"],
  ["opencode-codex-auth", "rival"],
  ["@iam-brain/opencode-codex-auth@latest", "rival"],
  ["@iam-brain/opencode-openai-multi", "rival"],
  ["opencode-openai-multi-auth", "rival"],
  ["opencode-openai-codex-auth", "rival"],
  ["opencode-openai-codex-auth-multi@4", "rival"],
  ["x@npm:oc-codex-multi-auth", "rival"],
  ["github:ndycode/oc-codex-multi-auth#npm", "rival"],
  ["github:ndycode/opencode-openai-codex-auth-multiaccount", "rival"],
  ["file:///src/n/index.ts", "rival"],
  ["./plugins/oc-codex-multi-auth/index.ts", "rival"],

  ["", "other"],
  ["@", "other"],
  ["oh-my-opencode", "other"],
  ["@tarquinen/opencode-dcp@latest", "other"],
  ["opencode-multi-auth", "other"],
  ["opencode-multi-auth-codex-theme", "other"],
  ["my-opencode-codex-auth-notes", "other"],
  ["opencode-copilot-auth", "other"],
  ["file:///src/opencode-multi-auth-codex/x.js", "other"],
  ["./mine.ts", "other"],
  ["file:///%zz", "other"],
  ["github:somebody/opencode-multi-auth", "other"],
  ["github:", "other"],
];

for (const [spec, kind] of ROWS) {
  Deno.test(`plugin entry ${JSON.stringify(spec)} is ${kind}`, () => {
    assert.equal(identifyPlugin(spec, (path) => DISK[path]).kind, kind);
  });
}

Deno.test("isForeignPlugin warns of older packages and rivals, never of ours", () => {
  assert.ok(isForeignPlugin("github:guard22/opencode-multi-auth-codex"));
  assert.ok(isForeignPlugin("oc-codex-multi-auth"));
  assert.ok(!isForeignPlugin("opencode-multi-auth-codex@1.2.3"));
  assert.ok(!isForeignPlugin("file:///home/me/opencode-multi-auth/npm/plugin.js"));
  assert.ok(!isForeignPlugin("oh-my-opencode"));
});

Deno.test("property: any text is recognised or let be, quickly", () => {
  const part = fc.constantFrom(
    ..."@:/#.\\ %",
    "npm:",
    "file://",
    "git+",
    "opencode-multi-auth-codex",
    "guard22",
    "x",
  );
  fc.assert(fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
    const { kind } = identifyPlugin(parts.join(""), () => undefined);
    assert.ok(["ours", "older", "rival", "other"].includes(kind));
  }));
});
