/**
 * Puts the built npm package on a branch that holds nothing else, so that `github:<owner>/<name>#npm`
 * is a plugin entry that OpenCode can install without building anything.
 *
 * @module
 */
import { cpSync } from "node:fs";
import { basename, join } from "node:path";
import { PACKAGE } from "../src/platform/version.ts";
import { exists, inRepository, VERSION } from "./repository.ts";
import { run, script } from "./program.ts";

/** The branch; plugin entries that end in it are recognised as ours. */
export const BRANCH = "npm";

/** Who commits, where nobody is set up to. */
const COMMITTER = {
  GIT_AUTHOR_NAME: "opencode-multi-auth release",
  GIT_AUTHOR_EMAIL: "release@opencode-multi-auth.invalid",
  GIT_COMMITTER_NAME: "opencode-multi-auth release",
  GIT_COMMITTER_EMAIL: "release@opencode-multi-auth.invalid",
};

/** A package's own files; everything else in its folder stays away. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly files: readonly string[];
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts?: unknown;
}

/**
 * Commits a built package on top of the branch and pushes it.
 *
 * @param folder The package, as `deno task npm` builds it.
 * @param remote The repository that is pushed to.
 * @returns The new commit, or undefined where the branch holds this very package already.
 * @throws {Error} when the folder is no package of ours, or git refuses.
 */
export async function pushPackage(folder: string, remote: string): Promise<string | undefined> {
  const manifest = JSON.parse(Deno.readTextFileSync(join(folder, "package.json"))) as Manifest;
  if (manifest.name !== PACKAGE || manifest.scripts !== undefined) {
    throw new Error(
      `${folder} does not hold ${PACKAGE} without scripts. Build it with: deno task npm`,
    );
  }
  const work = Deno.makeTempDirSync({ prefix: "npm-branch-" });
  const git = (...args: string[]) => run("git", args, { cwd: work, env: COMMITTER });
  try {
    await git("init", "--quiet", "--initial-branch", BRANCH);
    await git("remote", "add", "origin", remote);
    const known = await git("ls-remote", "--heads", "origin", BRANCH);
    if (known.trim() !== "") {
      await git("fetch", "--quiet", "--depth", "1", "origin", BRANCH);
      await git("reset", "--quiet", "--soft", "FETCH_HEAD");
    }
    for (const name of ["package.json", ...manifest.files]) {
      cpSync(join(folder, name), join(work, basename(name)), { recursive: true });
    }
    // On its way through a release's files a program loses the right to be started.
    for (const name of Object.values(manifest.bin)) Deno.chmodSync(join(work, name), 0o755);
    await git("add", "--all");
    if ((await git("status", "--porcelain")).trim() === "") return undefined;
    await git("commit", "--quiet", "--message", `Release ${manifest.version}`);
    await git("push", "--quiet", "origin", `HEAD:refs/heads/${BRANCH}`);
    return (await git("rev-parse", "HEAD")).trim();
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
}

if (import.meta.main) {
  await script(async () => {
    const [remote] = Deno.args;
    if (remote === undefined) throw new Error("Name the repository to push to.");
    const folder = inRepository("npm");
    if (!exists(folder)) throw new Error("There is no npm/. Build it with: deno task npm");
    const commit = await pushPackage(folder, remote);
    console.log(
      commit === undefined
        ? `The branch ${BRANCH} holds ${VERSION} already.`
        : `The branch ${BRANCH} holds ${VERSION} now: ${commit}`,
    );
  });
}
