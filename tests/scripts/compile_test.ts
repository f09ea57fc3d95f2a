import assert from "node:assert/strict";
import { checkEmbedded, compileArguments, embeddedFiles, format } from "../../scripts/compile.ts";
import { PERMISSIONS } from "../../src/platform/permissions.ts";

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

Deno.test("a binary gets the permissions that the program says it has, and no other", () => {
  const words = compileArguments("x86_64-unknown-linux-gnu", "/x/opencode-multi-auth");
  assert.deepEqual(words, [
    "compile",
    ...PERMISSIONS,
    "--no-check",
    "--bundle",
    "--minify",
    "--target",
    "x86_64-unknown-linux-gnu",
    "--output",
    "/x/opencode-multi-auth",
    "cli.ts",
  ]);
  assert.ok(PERMISSIONS.length > 0);
  for (const word of PERMISSIONS) assert.match(word, /^--(?:allow-(?!all)|no-prompt$)/);
});

Deno.test("a runtime is told by its format and its processor", () => {
  const file = Deno.makeTempFileSync();
  const at = (size: number, parts: Readonly<Record<number, readonly number[]>>) => {
    const bytes = new Uint8Array(size);
    for (const [offset, part] of Object.entries(parts)) bytes.set(part, Number(offset));
    Deno.writeFileSync(file, bytes);
    return format(file);
  };
  const elf = [0x7f, 0x45, 0x4c, 0x46];
  const mach = [0xcf, 0xfa, 0xed, 0xfe];
  const pe = { 0: [0x4d, 0x5a], 0x3c: [0x80], 0x80: [0x50, 0x45] };
  try {
    assert.equal(at(64, { 0: elf, 18: [62] }), "x86_64 elf");
    assert.equal(at(64, { 0: elf, 18: [183] }), "aarch64 elf");
    assert.equal(at(64, { 0: elf, 18: [8] }), "unknown elf");
    assert.equal(at(64, { 0: mach, 4: [7, 0, 0, 1] }), "x86_64 mach-o");
    assert.equal(at(64, { 0: mach, 4: [12, 0, 0, 1] }), "aarch64 mach-o");
    assert.equal(at(256, { ...pe, 0x84: [0x64, 0x86] }), "x86_64 pe");
    assert.equal(at(256, { ...pe, 0x84: [0x64, 0xaa] }), "aarch64 pe");
    assert.equal(at(3, { 0: [0x23, 0x21] }), "unknown");
    assert.equal(format(Deno.execPath()).split(" ")[0], Deno.build.arch);
  } finally {
    Deno.removeSync(file);
  }
});
