import assert from "node:assert/strict";
import { chmodSync, copyFileSync, existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { atTerminal } from "./people.ts";
import { withSession } from "./session.ts";
import { accounts, actions, EXPORT, put, SECRET, TOKENS, withEnv } from "./transfer_scene.ts";

Deno.test("export asks twice, writes a sealed file of 0600, and import takes it on another machine", () =>
  withSession((home) =>
    withSession(async (laptop) => {
      home.useFixture("v2.json");
      const asked: string[] = [];
      const person = atTerminal({ secrets: [SECRET, SECRET], asked });
      const ran = await home.runWith(person, "export", "moved.sealed");
      assert.deepEqual([ran.code, ran.err], [0, ""]);
      assert.match(ran.out, /^Exported 5 accounts, sealed, to .*moved\.sealed\.\n/);
      assert.match(ran.out, /Use the accounts on one machine/);
      assert.equal(asked.length, 2);
      const path = join(home.home, "moved.sealed");
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const text = readFileSync(path, "utf8");
      assert.doesNotMatch(text, TOKENS);
      assert.doesNotMatch(text, /personal/);

      copyFileSync(path, join(laptop.home, "moved.sealed"));
      const imported = await laptop.runWith(
        atTerminal({ secrets: ["wrong", SECRET], confirms: [true] }),
        "import",
        "moved.sealed",
      );
      assert.equal(imported.code, 0, imported.err);
      assert.match(imported.out, /^ {2}personal {2}you@personal\.example {2}add$/m);
      assert.match(imported.out, /^5 added\.$/m);
      assert.doesNotMatch(imported.out + imported.err, TOKENS);
      const strip = (list: unknown) =>
        (list as Record<string, unknown>[]).map(({ uses: _uses, ...rest }) => rest);
      assert.deepEqual(strip(await accounts(laptop)), strip(await accounts(home)));
      const again = await laptop.runWith(
        withEnv(laptop, { [EXPORT]: SECRET }),
        "import",
        "moved.sealed",
        "--json",
      );
      assert.deepEqual(actions(again.out), [
        "personal: unchanged",
        "work: unchanged",
        "mate: unchanged",
        "side: unchanged",
        "backup: unchanged",
      ]);
    })
  ));

Deno.test("export to standard output is sealed, with the notes on standard error", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const ran = await session.runWith(withEnv(session, { [EXPORT]: SECRET }), "export");
    assert.equal(ran.code, 0);
    const { format, version, encrypted } = JSON.parse(ran.out);
    assert.deepEqual([format, version, encrypted], ["opencode-multi-auth export", 1, true]);
    assert.match(ran.err, /^Note: Use the accounts on one machine/);
    assert.doesNotMatch(ran.out, TOKENS);
    const typed = await session.runWith(atTerminal({ secrets: ["x", "x"] }, false), "export");
    assert.equal(JSON.parse(typed.out).encrypted, true);
  }));

const REFUSED: readonly (readonly [string, readonly string[], boolean, number, RegExp])[] = [
  ["to a terminal", ["export"], true, 2, /not for a terminal.*Name a file/],
  ["to a terminal, plain", ["export", "--plain", "--yes-plain-tokens"], true, 2, /terminal/],
  ["with --json and no file", ["export", "--json"], false, 2, /Name a file/],
  ["with --yes-plain-tokens alone", ["export", "x", "--yes-plain-tokens"], false, 2, /--plain/],
  ["without anybody to ask", ["export", "x"], false, 1, new RegExp(`Set ${EXPORT}`)],
  ["plain without anybody to ask", ["export", "x", "--plain"], false, 1, /--yes-plain-tokens/],
];

for (const [name, argv, terminal, code, said] of REFUSED) {
  Deno.test(`export is refused ${name}`, () =>
    withSession(async (session) => {
      session.useFixture("v1.json");
      const before = session.files();
      const ran = await session.runWith(terminal ? atTerminal({}) : {}, ...argv);
      assert.deepEqual([ran.code, ran.out], [code, ""]);
      assert.match(ran.err, said);
      assert.match(ran.err, /^Error: [^\n]+\n$/);
      assert.deepEqual(session.files(), before);
    }));
}

Deno.test("export --plain wants the words typed", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    for (const texts of [["yes"], [""], ["Plain Tokens"]]) {
      const no = await session.runWith(atTerminal({ texts }), "export", "--plain", "out.json");
      assert.equal(no.code, 1);
      assert.ok(!existsSync(join(session.home, "out.json")));
    }
    const asked: string[] = [];
    const person = atTerminal({ texts: ["plain tokens"], asked });
    const yes = await session.runWith(person, "export", "--plain", "out.json");
    assert.equal(yes.code, 0, yes.err);
    assert.match(asked.join(), /type: plain tokens/);
    assert.match(yes.out, /in plain text/);
    assert.equal(statSync(join(session.home, "out.json")).mode & 0o777, 0o600);
    assert.match(readFileSync(join(session.home, "out.json"), "utf8"), TOKENS);
    assert.doesNotMatch(yes.out + yes.err, TOKENS);
  }));

Deno.test("export --plain --yes-plain-tokens asks nothing, and import reads it", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const ran = await session.json("export", "out.json", "--plain", "--yes-plain-tokens", "--json");
    assert.deepEqual(
      [ran["ok"], ran["sealed"], ran["accounts"]],
      [true, false, ["personal", "work", "backup"]],
    );
    await session.run("remove", "work");
    const { out } = await session.run("import", "out.json", "--json");
    assert.deepEqual(actions(out), ["personal: unchanged", "work: add", "backup: unchanged"]);
  }));

Deno.test("export replaces a file with --force only, and the new one is of 0600", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const path = join(session.home, put(session, "mine", "taken"));
    chmodSync(path, 0o644);
    symlinkSync("nowhere", join(session.home, "link"));
    const env = withEnv(session, { [EXPORT]: SECRET });
    for (const name of ["taken", "link"]) {
      const no = await session.runWith(env, "export", name);
      assert.equal(no.code, 1);
      assert.match(no.err, /is there already; nothing was written\. .*--force/);
    }
    assert.equal(readFileSync(path, "utf8"), "mine");
    assert.ok(!existsSync(join(session.home, "nowhere")));
    assert.equal((await session.runWith(env, "export", "taken", "--force")).code, 0);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(JSON.parse(readFileSync(path, "utf8")).encrypted, true);
  }));

for (const name of ["accounts.json", "accounts.json.bak", "state.db", "state.db-wal"]) {
  Deno.test(`export never replaces the store's own ${name}`, () =>
    withSession(async (session) => {
      session.useFixture("v1.json");
      await session.run("disable", "work");
      const target = join(session.folder, name);
      const before = readFileSync(join(session.folder, "accounts.json"), "utf8");
      const env = withEnv(session, { [EXPORT]: SECRET });
      const ran = await session.runWith(env, "export", target, "--force");
      assert.equal(ran.code, 1);
      assert.match(ran.err, /is a file of the store/);
      assert.equal(readFileSync(join(session.folder, "accounts.json"), "utf8"), before);
    }));
}

Deno.test("export of an empty store, and of a locked one, says so", () =>
  withSession(async (session) => {
    const env = withEnv(session, { [EXPORT]: SECRET });
    assert.match((await session.runWith(env, "export", "x")).err, /There are no accounts/);
    session.useFixture("v1-encrypted.json");
    const ran = await session.runWith(env, "export", "x");
    assert.equal(ran.code, 1);
    assert.match(ran.err, /^Error: The store is locked[^\n]*\n$/);
    assert.ok(!existsSync(join(session.home, "x")));
  }));
