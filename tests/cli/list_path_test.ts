import assert from "node:assert/strict";
import { join } from "node:path";
import { fixture, withSession } from "./session.ts";

Deno.test("list prints to the letter what the older program did", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    for (const command of ["list", "ls"]) {
      const { code, out, err } = await session.run(command);
      assert.deepEqual({ code, out, err }, { code: 0, out: fixture("older/list.txt"), err: "" });
    }
  }));

Deno.test("list of an empty store is that of the older program, and makes no file", () =>
  withSession(async (session) => {
    const { code, out } = await session.run("list");
    assert.equal(code, 0);
    assert.equal(out, fixture("older/list-empty.txt"));
    assert.deepEqual(session.files(), {});
  }));

Deno.test("list --json gives each account's alias, email, uses and marks", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const { accounts } = await session.json("list", "--json");
    const { plan: _plan, ...backup } = (accounts as Record<string, unknown>[])[2] ?? {};
    assert.deepEqual(backup, {
      alias: "backup",
      email: "you@backup.example",
      uses: 8,
      enabled: true,
      setAside: "needs login",
    });
  }));

Deno.test("path prints where the accounts are kept, and nothing else", () =>
  withSession(async (session) => {
    const { code, out } = await session.run("path");
    assert.equal(code, 0);
    assert.equal(out, `${join(session.folder, "accounts.json")}\n`);
    const moved = await session.runWith({
      env: { HOME: session.home, OPENCODE_MULTI_AUTH_STORE_DIR: "/elsewhere" },
    }, "path");
    assert.equal(moved.out, `${join("/elsewhere", "accounts.json")}\n`);
    assert.equal((await session.json("path", "--json"))["folder"], session.folder);
  }));
