import assert from "node:assert/strict";
import { isQuick } from "../../src/cli/quick_words.ts";
import { withSession } from "./session.ts";

const WORDS = ["status", "list", "ls", "path", "--version", "-v"];

Deno.test("the quick part says what the whole command line says, word for word", () =>
  withSession(async ({ run, quick, useFixture }) => {
    useFixture("v2.json");
    // The first one takes the older file over.
    await run("status");
    for (const word of WORDS) {
      const json = word.startsWith("-") ? [] : [[word, "--json"]];
      for (const words of [[word], ...json]) {
        assert.ok(isQuick(words), words.join(" "));
        const said = await quick(...words);
        assert.equal(said.code, 0, words.join(" "));
        assert.deepEqual(said, await run(...words), words.join(" "));
      }
    }
  }));

Deno.test("what goes wrong is said alike", () =>
  withSession(async ({ run, quick, useFixture }) => {
    useFixture("not-json.json");
    for (const word of ["status", "list"]) {
      const said = await quick(word);
      assert.equal(said.code, 1);
      assert.match(said.err, /^Error: [^\n]+\n$/);
      assert.deepEqual(said, await run(word));
    }
  }));

Deno.test("help, mistakes and every other word are for the whole command line", () => {
  const others = [
    [],
    ["--help"],
    ["help", "status"],
    ["add", "work"],
    ["status", "--help"],
    ["status", "--jsno"],
    ["status", "--json", "--json"],
    ["list", "work"],
    ["--version", "status"],
    ["--json"],
  ];
  for (const words of others) assert.equal(isQuick(words), false, words.join(" "));
});
