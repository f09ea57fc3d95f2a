import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withSession } from "./session.ts";

Deno.test("an error that nobody expected is one line without a stack or a token, and the log has the rest", () =>
  withSession(async (session) => {
    const token = "rt_secret_0123456789";
    const ran = await session.runWith({
      write: () => {
        throw new TypeError(`cannot read\nproperty of ${token} \u001b[31mred\u001b[0m`);
      },
    }, "path");
    const log = join(session.folder, "logs", "codex-soft.log");
    assert.equal(ran.code, 1);
    assert.equal(ran.err, `Error: cannot read property of [token] red Details: ${log}\n`);
    const logged = readFileSync(log, "utf8");
    assert.match(logged, /^\S+ \[error\] opencode-multi-auth path: TypeError: .* at /);
    assert.ok(!logged.includes(token));
  }));

Deno.test("what was typed cannot steer the terminal through an error", () =>
  withSession(async (session) => {
    for (const argv of [["\u001b]0;owned\u0007"], ["status", "--\u001b[2J"], ["help", "a\nb"]]) {
      const ran = await session.run(...argv);
      assert.equal(ran.code, 2);
      assert.match(ran.err, /^[^\p{Cc}]+\n$/u);
    }
  }));

const USAGE: readonly (readonly [typed: readonly string[], code: number, help: string])[] = [
  [["statsu"], 2, "help"],
  [["status", "--bad"], 2, "help status"],
  [["login"], 1, "help add"],
  [["config", "set", "strategy"], 2, "help config set"],
  [["list", "add"], 2, "help list"],
];

for (const [typed, code, help] of USAGE) {
  Deno.test(`wrong usage names the help that explains it: ${typed.join(" ")}`, () =>
    withSession(async (session) => {
      const ran = await session.run(...typed);
      assert.equal(ran.code, code);
      assert.ok(ran.err.endsWith(` See: opencode-multi-auth ${help}\n`), ran.err);
    }));
}
