import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fixture, type Session, withSession } from "./session.ts";

function putLog(session: Session, text: string): string {
  const path = join(session.folder, "logs", "codex-soft.log");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

Deno.test("logs prints the end of the log file as it stands there", () =>
  withSession(async (session) => {
    putLog(session, fixture("older/codex-soft.log"));
    assert.deepEqual(await session.run("logs"), {
      code: 0,
      out: fixture("older/codex-soft.log"),
      err: "",
    });
    const lines = fixture("older/codex-soft.log").trimEnd().split("\n");
    assert.equal((await session.run("logs", "-n", "2")).out, `${lines.slice(-2).join("\n")}\n`);
  }));

Deno.test("logs --level leaves out what is less severe; --json gives the parts", () =>
  withSession(async (session) => {
    const path = putLog(session, fixture("older/codex-soft.log"));
    const { out } = await session.run("logs", "--level", "error");
    assert.equal(out.match(/\[error\]/g)?.length, 2);
    assert.doesNotMatch(out, /\[info\]/);
    const json = await session.json("logs", "-n", "1", "--json");
    assert.deepEqual(json, {
      path,
      entries: [{
        at: "2026-11-23T17:41:10.000Z",
        level: "error",
        message: "Login failed for backup: Error: answer held [jwt] and [token]",
      }],
    });
  }));

Deno.test("logs shows no token and steers no terminal, whoever wrote the file", () =>
  withSession(async (session) => {
    const token = "rt_0123456789abcdefghij";
    putLog(session, `2026-11-23T18:00:00.000Z [info] \u001b]0;owned\u0007sent ${token} \u202ex\n`);
    const { out } = await session.run("logs");
    assert.match(out, /sent \[token\]/);
    for (const foreign of ["owned", "\u001b", "\u202e"]) assert.ok(!out.includes(foreign));
  }));

Deno.test("logs of a store that has none says so, on standard error", () =>
  withSession(async (session) => {
    const path = join(session.folder, "logs", "codex-soft.log");
    assert.deepEqual(await session.run("logs"), {
      code: 0,
      out: "",
      err: `Nothing was recorded in ${path}.\n`,
    });
    assert.equal(
      (await session.run("logs", "--level", "warn")).err,
      `Nothing of level warn or above was recorded in ${path}.\n`,
    );
    const moved = await session.runWith(
      {
        env: { HOME: session.home, CODEX_SOFT_LOG_PATH: "/elsewhere/x.log" },
      },
      "logs",
      "--json",
    );
    assert.deepEqual(JSON.parse(moved.out), { path: "/elsewhere/x.log", entries: [] });
  }));

Deno.test("logs --follow goes on through a rotation until Ctrl-C, and ends well", () =>
  withSession(async (session) => {
    const path = putLog(session, "2026-11-23T18:00:00.000Z [info] old\n");
    const interrupt = new AbortController();
    let out = "";
    const write = (text: string) => void (out += text);
    const running = session.runWith(
      { write, signal: interrupt.signal },
      ...["logs", "--follow", "--level", "warn", "-n", "1"],
    );
    const add = (text: string) => appendFileSync(path, `2026-11-23T18:00:01.000Z ${text}\n`);
    await session.clock.advance(300);
    assert.equal(out, "");
    add("[warn] one");
    add("[info] not this");
    renameSync(path, `${path}.1`);
    add("[error] two");
    await session.clock.advance(300);
    assert.match(out, /^\S+ \[warn\] one\n\S+ \[error\] two\n$/);
    interrupt.abort();
    assert.equal((await running).code, 0);
  }));

for (
  const [name, argv, said] of [
    ["a number of lines that is none", ["-n", "many"], /"many" is not a number of lines/],
    ["an unknown level", ["--level", "loud"], /'loud' is invalid.*debug, info, warn, error/],
    ["one object without an end", ["-f", "--json"], /--follow has no end.* Choose one/],
  ] as const
) {
  Deno.test(`logs refuses ${name}`, () =>
    withSession(async (session) => {
      const { code, err } = await session.run("logs", ...argv);
      assert.equal(code, 2);
      assert.match(err, said);
      assert.match(err, /^Error: [^\n]+\n$/);
    }));
}
