import assert from "node:assert/strict";
import { join } from "node:path";
import { LOCK_PROGRAMS, lockWithPrograms } from "../../src/codex_cli/auth_lock.ts";

const ENV = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" };

async function inTemp(work: (paths: string[]) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  const paths = [join(folder, "auth.lock"), join(folder, "auth.json.lock")];
  for (const path of paths) Deno.writeTextFileSync(path, "");
  try {
    await work(paths);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Whether nobody holds an flock on this file. */
async function isFree(path: string): Promise<boolean> {
  using file = Deno.openSync(path, { write: true });
  return await file.tryLock(true);
}

for (const program of LOCK_PROGRAMS) {
  const name = program[0] === "sh" ? "flock" : "perl";
  const lock = lockWithPrograms(ENV, [program]);

  Deno.test(`${name} holds an exclusive flock on both files, and lets go of both`, () =>
    inTemp(async (paths) => {
      const release = await lock(paths);
      assert.ok(release, `${name} is needed for this test`);
      for (const path of paths) assert.equal(await isFree(path), false, path);
      await release();
      for (const path of paths) assert.equal(await isFree(path), true, path);
    }));

  for (const which of [0, 1]) {
    Deno.test(`${name} waits for a flock of another program on file ${which + 1}`, () =>
      inTemp(async (paths) => {
        const file = Deno.openSync(paths[which] ?? "", { write: true });
        file.lockSync(true);
        let held = false;
        const locking = lock(paths).then((release) => {
          held = true;
          return release;
        });
        // Long enough for a program that would not wait.
        await new Promise((done) => setTimeout(done, 300));
        assert.equal(held, false);
        file.close();
        const release = await locking;
        assert.ok(release);
        await release();
      }));
  }

  Deno.test(`${name} lets go when its process dies`, () =>
    inTemp(async (paths) => {
      const script = `
        const { lockWithPrograms, LOCK_PROGRAMS } = await import(${
        JSON.stringify(new URL("../../src/codex_cli/auth_lock.ts", import.meta.url).href)
      });
        await lockWithPrograms(${JSON.stringify(ENV)}, [LOCK_PROGRAMS[${
        LOCK_PROGRAMS.indexOf(program)
      }]])(${JSON.stringify(paths)});
        console.log("held");
        setTimeout(() => {}, 60000);`;
      const child = new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-lock", script],
        cwd: new URL("../..", import.meta.url),
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      assert.equal(await isFree(paths[1] ?? ""), false);
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      for (const path of paths) {
        using file = Deno.openSync(path, { write: true });
        // Waits: the program ends as soon as it reads the end of its input.
        await file.lock(true);
      }
    }));
}

Deno.test("where neither program is there, nothing is locked", () =>
  inTemp(async (paths) => {
    const missing = [["no-such-program-here"], ["sh", "-c", "exit 3"]];
    assert.equal(await lockWithPrograms(ENV, missing)(paths), undefined);
    const empty = Deno.makeTempDirSync();
    try {
      assert.equal(await lockWithPrograms({ PATH: empty })(paths), undefined);
    } finally {
      Deno.removeSync(empty);
    }
  }));

Deno.test("a lock that is never free is a failure that names it", () =>
  inTemp(async (paths) => {
    await assert.rejects(
      lockWithPrograms(ENV, [["sh", "-c", "exit 5"]])(paths),
      /lock .*auth\.json\.lock is held by another program/,
    );
  }));
