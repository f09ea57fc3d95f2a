import assert from "node:assert/strict";
import { join } from "node:path";
import { exists, inRepository, VERSION } from "../../scripts/repository.ts";
import { run } from "../../scripts/program.ts";
import { toolPaths } from "../../scripts/tools.ts";
import { cli, type Form } from "./cli.ts";
import { makeSandbox } from "./sandbox.ts";

const NOWHERE = { issuerUrl: "http://127.0.0.1:9", backendUrl: "http://127.0.0.1:9/backend-api" };
const FILES = [
  "package.json",
  "plugin.js",
  "client.js",
  "later.js",
  "notifications.js",
  "sign_in.js",
  "plugin.d.ts",
  "tui.js",
  "cli.js",
  "cli_quick.js",
  "cli_whole.js",
];
const DOCUMENTS = ["README.md", "LICENSE", "CHANGELOG.md", "THIRD_PARTY_LICENSES"];
/** What the README leads to. */
const PAGES = [
  "accounts",
  "architecture",
  "codex",
  "doctor",
  "performance",
  "protocol",
  "service",
  "settings",
].map((name) => `docs/${name}.md`);

function packageFile(name: string): string {
  const path = inRepository("npm", name);
  assert.ok(exists(path), `${path} is not there. Build it with: deno task npm`);
  return path;
}

Deno.test("the package has what OpenCode asks for, and neither scripts nor dependencies", () => {
  const manifest = JSON.parse(Deno.readTextFileSync(packageFile("package.json")));
  assert.equal(manifest.name, "opencode-multi-auth-codex");
  assert.equal(manifest.version, VERSION);
  assert.equal(manifest.type, "module");
  assert.equal(manifest.main, "./plugin.js");
  assert.equal(manifest.exports["."].default, "./plugin.js");
  assert.equal(manifest.exports["./server"].default, "./plugin.js");
  assert.deepEqual(manifest.bin, { "opencode-multi-auth": "cli.js" });
  assert.deepEqual(manifest.engines, { node: ">=22.13", opencode: ">=1.18" });
  const none = [
    "scripts",
    ...["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"],
    ...["bundleDependencies", "bundledDependencies"],
  ];
  for (const key of none) assert.equal(manifest[key], undefined, `package.json has ${key}`);
});

Deno.test("the packed package holds its files and nothing else", async () => {
  const tarball = packageFile(`opencode-multi-auth-codex-${VERSION}.tgz`);
  const listed = (await run("tar", ["-tzf", tarball])).trim().split("\n").sort();
  assert.deepEqual(
    listed,
    [...FILES, ...DOCUMENTS, ...PAGES].map((name) => `package/${name}`).sort(),
  );
});

Deno.test("the plugin's files are as small as they must be and reach nothing but each other and the runtime", () => {
  const limits = [["plugin.js", 16], ["client.js", 120]] as const;
  for (const [file, kilobytes] of limits) {
    const { size } = Deno.statSync(packageFile(file));
    assert.ok(size <= kilobytes * 1024, `${file} has ${size} bytes`);
  }
  const late = ["later.js", "notifications.js", "sign_in.js"];
  assert.deepEqual(reached("plugin.js"), ["client.js", ...late].map((file) => `./${file}`));
  assert.deepEqual(reached("client.js"), ["./later.js"]);
  for (const file of late) assert.deepEqual(reached(file), [], file);
});

Deno.test("the plugin imports no module of the runtime that makes OpenCode's start slow", () => {
  // Each of these is loaded with Bun itself; `node:process`, `node:crypto` and others cost milliseconds.
  const quick = ["node:buffer", "node:path"];
  for (const file of ["plugin.js", "client.js", "later.js", "notifications.js", "sign_in.js"]) {
    const slow = imported(file).filter((name) => name.startsWith("node:"))
      .filter((name) => !quick.includes(name));
    assert.deepEqual(slow, [], file);
  }
});

Deno.test("status, list and path start without what makes a runtime slow", () => {
  // `node:util`, `node:events` and standard output's stream take Bun 3, 1 and 7 ms.
  assert.deepEqual(imported("cli_quick.js"), ["node:fs", "node:path"]);
});

/** What a built file imports besides the runtime's own modules. */
function reached(name: string): string[] {
  return imported(name).filter((specifier) => !/^(node:|bun:sqlite$)/.test(specifier));
}

/** All that a built file imports. */
function imported(name: string): string[] {
  const text = Deno.readTextFileSync(packageFile(name));
  // `import("…")`, `}from"…"`, ` from"…"` and `import"…"` of minified code.
  const imports = [...text.matchAll(/(?:[\s}]from|\bimport\(?)\s*["']([\w@./:-]+)["']/g)];
  return [...new Set(imports.map((found) => found[1] ?? ""))].sort();
}

for (const runtime of ["node", "bun", "deno"] as const) {
  Deno.test(`the plugin and its late parts load in ${runtime}, the plugin with its default export alone`, async () => {
    const program = `import * as plugin from ${
      JSON.stringify(`file://${packageFile("plugin.js")}`)
    };
      process.stdout.write(JSON.stringify([Object.keys(plugin), plugin.default.id, typeof plugin.default.server]));`;
    const command = runtime === "deno" ? Deno.execPath() : toolPaths()[runtime];
    const folder = Deno.makeTempDirSync();
    try {
      const file = join(folder, "load.mjs");
      Deno.writeTextFileSync(
        file,
        `import process from "node:process";
        import ${JSON.stringify(`file://${packageFile("client.js")}`)};
        import ${JSON.stringify(`file://${packageFile("later.js")}`)};
        import ${JSON.stringify(`file://${packageFile("notifications.js")}`)};
        import ${JSON.stringify(`file://${packageFile("sign_in.js")}`)};
        ${program}`,
      );
      const args = runtime === "deno" ? ["run", "-A", "--no-lock", "--no-config", file] : [file];
      assert.equal(
        await run(command, args, { cwd: folder }),
        JSON.stringify([["default"], "opencode-multi-auth", "function"]),
      );
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });
}

Deno.test("the plugin's declarations stand alone and give what OpenCode calls", async () => {
  const declarations = Deno.readTextFileSync(packageFile("plugin.d.ts"));
  assert.doesNotMatch(declarations, /\bimport\b/);
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(join(folder, "plugin.d.ts"), declarations);
    Deno.writeTextFileSync(join(folder, "plugin.js"), "export default {};");
    const file = join(folder, "fits.ts");
    // The part of OpenCode's `PluginModule` that counts; all of `Hooks` is optional.
    Deno.writeTextFileSync(
      file,
      `// @ts-types="./plugin.d.ts"
      import plugin from "./plugin.js";
      interface Hooks { dispose?: () => Promise<void>; event?: (input: { event: string }) => void }
      interface PluginModule { id?: string; server: (input: { url: URL }) => Promise<Hooks>; tui?: never }
      export const fits: PluginModule = plugin;`,
    );
    await run(Deno.execPath(), ["check", "--no-config", "--no-lock", file]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

for (const form of ["binary", "node", "bun", "deno"] satisfies Form[]) {
  Deno.test(`--version prints the version of deno.json and nothing else (${form})`, async () => {
    await using sandbox = makeSandbox(NOWHERE);
    assert.deepEqual(await cli(sandbox, ["--version"], { form }), {
      code: 0,
      stdout: `${VERSION}\n`,
      stderr: "",
    });
  });

  Deno.test(`an empty store is opened without a warning (${form})`, async () => {
    await using sandbox = makeSandbox(NOWHERE);
    const { code, stdout, stderr } = await cli(sandbox, ["status", "--json"], { form });
    assert.equal(stderr, "");
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout).accounts, []);
  });
}

Deno.test("dist/cli.js is the whole program in one file and can be started directly", async () => {
  const file = inRepository("dist", "cli.js");
  const text = Deno.readTextFileSync(file);
  assert.match(text, /^#!\/usr\/bin\/env node\n/);
  assert.equal((Deno.statSync(file).mode ?? 0) & 0o111, 0o111);
  const folder = Deno.makeTempDirSync();
  try {
    // Alone, as somebody who has downloaded it: no package.json beside it says that it is a module.
    const alone = join(folder, "cli.js");
    Deno.copyFileSync(file, alone);
    assert.equal(await run(toolPaths().node, [alone, "--version"]), `${VERSION}\n`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("compile takes the runtime of DENORT_BIN and says what came of it", async () => {
  const said = await run(Deno.execPath(), ["run", "-A", inRepository("scripts", "compile.ts")], {
    env: { DENORT_BIN: Deno.execPath() },
  });
  const file = inRepository("dist", "opencode-multi-auth");
  try {
    assert.match(said, /dry run/);
    assert.match(said, /is not our program, it says: deno/);
    // The bundle and nothing else of the repository: `checkEmbedded` refuses anything more.
    assert.match(said, /; holds \.deno_compile_bundle_\w+\.mjs \([\d.]+KB\)$/m);
    assert.ok(Deno.statSync(file).size > 0);
  } finally {
    // It is Deno under our name: nobody should find that here.
    Deno.removeSync(file);
  }
});

Deno.test("compile --all puts the runtime of DENORT_BIN into no binary of another system or processor", async () => {
  const script = inRepository("scripts", "compile.ts");
  const said = await run(Deno.execPath(), ["run", "-A", script, "--all"], {
    env: { DENORT_BIN: Deno.execPath() },
  });
  const lines = said.split("\n").filter((line) => /^(?:x86_64|aarch64)-/.test(line));
  const made = lines.filter((line) => !line.includes("not built: DENORT_BIN is "));
  const file = inRepository("dist", `opencode-multi-auth-${Deno.build.target}`);
  try {
    assert.equal(lines.length, 6);
    assert.equal(made.length, 1, said);
    assert.ok(made[0]?.startsWith(`${Deno.build.target} `), made[0]);
    assert.ok(Deno.statSync(file).size > 0);
  } finally {
    Deno.removeSync(file);
  }
});
