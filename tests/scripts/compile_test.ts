import assert from "node:assert/strict";
import { checkEmbedded, embeddedFiles } from "../../scripts/compile.ts";

const REPORT = `Warning deno compile --bundle is experimental and may change.
Compile .deno_compile_bundle_49b95835.mjs to file:///x/dist/opencode-multi-auth

Embedded Files

opencode-multi-auth
└── .deno_compile_bundle_49b95835.mjs (289.62KB)

Files: 292.67KB
Metadata: 2.94KB
Remote modules: 12B
`;

Deno.test("the files in a binary are read from what deno compile reports", () => {
  assert.deepEqual(embeddedFiles(REPORT), [".deno_compile_bundle_49b95835.mjs (289.62KB)"]);
  assert.deepEqual(
    embeddedFiles(REPORT.replace("└── ", "├─┬ src (2 KB)\n│ └── a.ts (1.5KB)\n└── ")),
    ["a.ts (1.5KB)", ".deno_compile_bundle_49b95835.mjs (289.62KB)"],
  );
  assert.throws(() => embeddedFiles("Compile x to y"), /did not say/);
});

Deno.test("a binary with more than the bundle is refused, and so is a bundle that has grown", () => {
  const bundle = ".deno_compile_bundle_49b95835.mjs (289.62KB)";
  checkEmbedded([bundle]);
  assert.throws(() => checkEmbedded([bundle, "cli.ts (1KB)"]), /not the bundle alone/);
  assert.throws(() => checkEmbedded(["cli.ts (1KB)"]), /not the bundle alone/);
  assert.throws(() => checkEmbedded([]), /holds nothing/);
  assert.throws(() => checkEmbedded([bundle.replace("289.62", "1025.1")]), /more than 1024/);
});
