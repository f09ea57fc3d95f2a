/**
 * The npm package as people get it: installed by npm and by Bun, and loaded by the real OpenCode in
 * every form that needs no registry.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { BRANCH, pushPackage } from "../../scripts/npm_branch.ts";
import { run } from "../../scripts/program.ts";
import { exists, inRepository, ROOT, VERSION } from "../../scripts/repository.ts";
import { installPackage, managerEnv, PACKAGE, TARBALL } from "./npm_install.ts";
import { openCode } from "./opencode.ts";
import { filesUnder, makeSandbox, type Sandbox } from "./sandbox.ts";

const NOWHERE = { issuerUrl: "http://127.0.0.1:9", backendUrl: "http://127.0.0.1:9/backend-api" };

for (const manager of ["npm", "bun"] as const) {
  Deno.test(`${manager} installs the tarball offline, its command runs and knows how it was installed`, async () => {
    await using sandbox = makeSandbox(NOWHERE);
    const options = { cwd: sandbox.project, env: managerEnv(sandbox) };
    const { bin, folder } = await installPackage(sandbox, manager);
    assert.equal(await run(bin, ["--version"], options), `${VERSION}\n`);
    const about = JSON.parse(await run(bin, ["version", "--json"], options));
    assert.equal(about.installation, "package");
    assert.equal(about.manager, manager);
    assert.equal(about.place, join(Deno.realPathSync(folder), "cli.js"));
    // Nothing came along that the package does not name.
    const names = [...Deno.readDirSync(join(folder, ".."))].map(({ name }) => name)
      .filter((name) => !name.startsWith("."));
    assert.deepEqual(names, [PACKAGE]);
    // OpenCode is told of the very copy that runs, and loads it without a registry.
    await run(bin, ["install", "--yes"], options);
    const config = JSON.parse(Deno.readTextFileSync(sandbox.openCodeConfig));
    const plugin = join(Deno.realPathSync(folder), "plugin.js");
    assert.deepEqual(config.plugin, [pathToFileURL(plugin).href]);
    await openCode(sandbox, ["debug", "config"], { limitMs: 120_000 });
    const log = join(sandbox.store, "logs", "codex-soft.log");
    assert.match(
      Deno.readTextFileSync(log),
      new RegExp(`${PACKAGE} ${VERSION} loaded by OpenCode`),
    );
  });
}

/** A repository as it is published: source that OpenCode must not try to build, and the built branch. */
async function branchOf(sandbox: Sandbox): Promise<string> {
  const remote = join(sandbox.folder, "opencode-multi-auth.git");
  const source = join(sandbox.folder, "source");
  await run("git", ["init", "--quiet", "--bare", "--initial-branch", "main", remote]);
  await run("git", ["clone", "--quiet", remote, source]);
  Deno.writeTextFileSync(
    join(source, "package.json"),
    JSON.stringify({ name: PACKAGE, version: "0.0.0", scripts: { prepare: "exit 1" } }),
  );
  const git = (...args: string[]) =>
    run("git", ["-c", "user.name=x", "-c", "user.email=x@x.invalid", ...args], { cwd: source });
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "Source");
  await git("push", "--quiet", "origin", "HEAD:main");
  await pushPackage(inRepository("npm"), remote);
  return remote;
}

/** Forms of a plugin entry that work without a registry and that no test of a whole turn uses. */
const FORMS: readonly (readonly [string, (sandbox: Sandbox) => string | Promise<string>])[] = [
  ["file:// of the package's folder", () => pathToFileURL(inRepository("npm")).href],
  [
    "git+file:// of the branch",
    async (sandbox) => `git+file://${await branchOf(sandbox)}#${BRANCH}`,
  ],
];

for (const [name, specOf] of FORMS) {
  Deno.test(`OpenCode loads the plugin by ${name}`, async () => {
    await using sandbox = makeSandbox(NOWHERE);
    const plugin = await specOf(sandbox);
    const { code, stderr } = await openCode(sandbox, ["debug", "config"], {
      env: { OPENCODE_CONFIG_CONTENT: JSON.stringify({ plugin: [plugin] }) },
      limitMs: 120_000,
    });
    assert.equal(code, 0, stderr);
    const log = join(sandbox.store, "logs", "codex-soft.log");
    assert.ok(exists(log), `the plugin was not loaded: ${stderr}`);
    const loaded = `${PACKAGE} ${VERSION} loaded by OpenCode`;
    const lines = Deno.readTextFileSync(log).split("\n").filter((line) => line.includes(loaded));
    assert.equal(lines.length, 1, "it was loaded more than once");
  });
}

Deno.test("nothing of the repository or of this machine is in the package", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    await run("tar", ["-xzf", TARBALL, "-C", folder]);
    const places = [ROOT, Deno.env.get("HOME") ?? "/root"];
    const foreign = [
      ...places,
      "sourceMappingURL",
      "tests/",
      "deno-compile",
    ];
    for (const file of filesUnder(folder)) {
      const text = Deno.readTextFileSync(file);
      assert.deepEqual(places.filter((place) => text.includes(place)), [], file);
      // Documents may speak of tests and of how this is built.
      if (/\.md$|LICENSES?$/.test(file)) continue;
      // The command knows what Deno calls the folder of a compiled program; nobody else needs to.
      const allowed = file.endsWith("cli_whole.js") ? ["deno-compile"] : [];
      const found = foreign.filter((word) => text.includes(word) && !allowed.includes(word));
      assert.deepEqual(found, [], file);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the installed package works where the repository cannot be read", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    await run("tar", ["-xzf", TARBALL, "-C", folder]);
    const deny = ["run", "--no-lock", "--no-config", "-A", `--deny-read=${ROOT}`];
    const said = await run(Deno.execPath(), [
      ...deny,
      join(folder, "package", "cli.js"),
      ...["status", "--json"],
    ], { cwd: folder, env: { HOME: folder, XDG_CONFIG_HOME: join(folder, "config") } });
    assert.deepEqual(JSON.parse(said).accounts, []);
    const plugin = JSON.stringify(pathToFileURL(join(folder, "package", "plugin.js")).href);
    const file = join(folder, "load.mjs");
    Deno.writeTextFileSync(
      file,
      `import plugin from ${plugin};
      const hooks = await plugin.server({ client: {}, directory: "." });
      console.log(Object.keys(hooks).sort().join(" "));
      await hooks.dispose?.();`,
    );
    const hooks = await run(Deno.execPath(), [...deny, file], {
      cwd: folder,
      env: { HOME: folder, XDG_CONFIG_HOME: join(folder, "config") },
    });
    assert.match(hooks, /\bauth\b.*\bconfig\b/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
