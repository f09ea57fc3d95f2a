import assert from "node:assert/strict";
import { join } from "node:path";
import { BRANCH, pushPackage } from "../../scripts/npm_branch.ts";
import { run } from "../../scripts/program.ts";
import { checkTag, gather, releaseFiles } from "../../scripts/release.ts";
import { exists, VERSION } from "../../scripts/repository.ts";

async function withFolder(test: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "release-" });
  try {
    await test(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("a release consists of six binaries, the single file and the package", () => {
  assert.equal(releaseFiles().filter((file) => file.endsWith(".exe")).length, 2);
  assert.equal(releaseFiles().length, 8);
  assert.ok(releaseFiles().includes(join("npm", `opencode-multi-auth-codex-${VERSION}.tgz`)));
});

Deno.test("a tag of another version is refused", () => {
  checkTag(`v${VERSION}`);
  for (const tag of [VERSION, "v9.9.9", ""]) assert.throws(() => checkTag(tag), /is not v/);
});

Deno.test("checksums are those that sha256sum finds, and what is missing is named", () =>
  withFolder(async (folder) => {
    const files = ["a", "b c"].map((name) => join(folder, name));
    assert.throws(() => gather(files, join(folder, "out")), /Not built: .*a, .*b c\./);
    for (const file of files) Deno.writeTextFileSync(file, file);
    gather(files, join(folder, "out"));
    const said = await run("sha256sum", ["--check", "--strict", "SHA256SUMS"], {
      cwd: join(folder, "out"),
    });
    assert.equal(said, "a: OK\nb c: OK\n");
    Deno.writeTextFileSync(join(folder, "out", "a"), "changed");
    await assert.rejects(run("sha256sum", ["--check", "SHA256SUMS"], { cwd: join(folder, "out") }));
  }));

function putPackage(folder: string, files: Record<string, string>, extra: object = {}): void {
  Deno.mkdirSync(folder, { recursive: true });
  const manifest = {
    name: "opencode-multi-auth-codex",
    version: "1.0.0",
    bin: { "opencode-multi-auth": "cli.js" },
    files: Object.keys(files),
    ...extra,
  };
  Deno.writeTextFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(join(folder, name), text);
  }
}

Deno.test("the branch holds the package alone, grows by one commit a release, and is not repeated", () =>
  withFolder(async (folder) => {
    const remote = join(folder, "remote.git");
    const built = join(folder, "npm");
    const git = (...args: string[]) => run("git", ["--git-dir", remote, ...args]);
    await run("git", ["init", "--quiet", "--bare", remote]);
    putPackage(built, { "cli.js": "1", "old.js": "1" });
    Deno.writeTextFileSync(join(built, "left-over.tgz"), "");

    const first = await pushPackage(built, remote);
    assert.match(first ?? "", /^[0-9a-f]{40}$/);
    assert.equal(await pushPackage(built, remote), undefined);
    Deno.removeSync(built, { recursive: true });
    putPackage(built, { "cli.js": "2" }, { version: "1.1.0" });
    const second = await pushPackage(built, remote);

    assert.equal((await git("rev-parse", BRANCH)).trim(), second);
    assert.equal(
      await git("ls-tree", "--format=%(objectmode) %(path)", BRANCH),
      [
        "100755 cli.js\n",
        "100644 package.json\n",
      ].join(""),
    );
    assert.equal(await git("log", "--format=%s", BRANCH), "Release 1.1.0\nRelease 1.0.0\n");
    assert.equal(await git("show", `${BRANCH}:cli.js`), "2");
  }));

Deno.test("what is not our package, or has scripts, does not get onto the branch", () =>
  withFolder(async (folder) => {
    const remote = join(folder, "remote.git");
    await run("git", ["init", "--quiet", "--bare", remote]);
    for (const extra of [{ name: "other" }, { scripts: { prepare: "x" } }]) {
      const built = join(folder, "npm");
      putPackage(built, { "cli.js": "1" }, extra);
      await assert.rejects(pushPackage(built, remote), /does not hold .* without scripts/);
    }
    assert.ok(!exists(join(remote, "refs", "heads", BRANCH)));
  }));
