import assert from "node:assert/strict";
import { withSession } from "./session.ts";
import { testShell } from "./shell_completion.ts";

testShell("bash");

Deno.test("completions --aliases prints the names and no token, and asks for no passphrase", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    assert.deepEqual(await session.run("completions", "--aliases"), {
      code: 0,
      out: "personal\nwork\nbackup\n",
      err: "",
    });
    session.useFixture("v1-encrypted.json");
    const env = {
      HOME: session.home,
      CODEX_SOFT_STORE_PASSPHRASE_COMMAND: `touch ${session.home}/asked`,
    };
    const sealed = await session.runWith({ env }, "completions", "--aliases");
    assert.deepEqual(sealed, { code: 0, out: "", err: "" });
    assert.equal(session.files()["asked"], undefined);
    session.useFixture("not-json.json");
    assert.deepEqual(await session.run("completions", "--aliases"), { code: 0, out: "", err: "" });
  }));

Deno.test("completions takes the shell of SHELL, and names the known ones for another", () =>
  withSession(async (session) => {
    const env = { HOME: session.home, SHELL: "/usr/bin/fish" };
    assert.match((await session.runWith({ env }, "completions")).out, /^# fish completion/);
    const { code, err } = await session.run("completions", "tcsh");
    assert.equal(code, 2);
    assert.equal(
      err,
      'Error: "tcsh" is not a shell that is known. Name one of: bash, zsh, fish.\n',
    );
    assert.equal((await session.run("completions")).code, 2);
  }));
