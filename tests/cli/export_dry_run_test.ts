import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { withSession } from "./session.ts";

/** A person who must not be asked for anything. */
const terminal = {
  terminal: { input: true, output: true },
  prompts: () => Promise.reject(new Error("nobody is to be asked")),
};

for (
  const [name, options, said] of [
    ["", [], /sealed, to .*moved\.sealed\.\n/],
    [" --plain", ["--plain"], /in plain text, to .*moved\.sealed\.\n/],
  ] as const
) {
  Deno.test(`export${name} --dry-run shows who would be written, asks nothing and writes nothing`, () =>
    withSession(async (session) => {
      session.useFixture("v2.json");
      const before = session.files();
      const ran = await session.runWith(
        terminal,
        "export",
        "moved.sealed",
        "--dry-run",
        ...options,
      );
      assert.deepEqual([ran.code, ran.err], [0, ""]);
      assert.match(ran.out, /^ {2}personal {2}you@personal\.example$/m);
      assert.match(ran.out, /^Would export 5 accounts, /m);
      assert.match(ran.out, said);
      assert.match(ran.out, /Nothing was written \(--dry-run\)\.\n$/);
      assert.deepEqual(session.files(), before);
    }));
}

Deno.test("export --dry-run needs no file, on a terminal neither, and has --json", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    assert.match((await session.runWith(terminal, "export", "--dry-run")).out, /standard output/);
    const { ok, dryRun, file, sealed, accounts } = await session.json(
      "export",
      "--dry-run",
      "--json",
    );
    assert.deepEqual([ok, dryRun, file, sealed], [true, true, null, true]);
    assert.deepEqual(accounts, ["personal", "work", "backup"]);
  }));

Deno.test("export --dry-run refuses what the export itself would refuse", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    writeFileSync(join(session.home, "taken"), "mine");
    const ran = await session.run("export", "taken", "--dry-run");
    assert.deepEqual([ran.code, ran.out], [1, ""]);
    assert.match(ran.err, /is there already; nothing was written/);
  }));
