/**
 * What completion has to do in every shell, asked of the shell itself. Each has a test file of its own,
 * named for it, so that the report says which could not run.
 *
 * @module
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Session, withSession } from "./session.ts";

type Shell = "bash" | "zsh" | "fish";

/** What each shell is told so that it prints what it would offer. */
const DRIVERS: Readonly<Record<Shell, (words: readonly string[], script: string) => string>> = {
  bash: (words, script) => `
    source ${script}
    COMP_WORDS=(${words.map(quoted).join(" ")}); COMP_CWORD=${words.length - 1}
    _opencode_multi_auth
    printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: (words, script) => `
    compdef() { :; }
    _describe() { local -a shown=("\${(@P)2}"); print -l -- \${shown%%:*} }
    compadd() { shift; print -l -- "$@" }
    _files() { print FILES }
    source ${script}
    words=(${words.map(quoted).join(" ")}); CURRENT=${words.length}
    _opencode_multi_auth`,
  fish: (words, script) => `
    source ${script}
    complete -C ${quoted(words.join(" "))} | string replace -r '\\t.*' ''`,
};

function quoted(text: string): string {
  return `'${text}'`;
}

/** What a shell offers for the last of these words. */
function offered(
  shell: Shell,
  session: Session,
  script: string,
  words: readonly string[],
): string[] {
  const bin = join(session.home, "bin");
  const ran = spawnSync(shell, ["-c", DRIVERS[shell](words, script)], {
    encoding: "utf8",
    cwd: session.home,
    env: { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`, HOME: session.home, TERM: "dumb" },
  });
  assert.equal(ran.stderr, "", `${shell}: ${ran.stderr}`);
  const begun = words.at(-1) ?? "";
  // zsh and fish sort out for themselves what begins as was typed.
  return [
    ...new Set(ran.stdout.split("\n").filter((line) => line !== "" && line.startsWith(begun))),
  ]
    .sort();
}

/** Our command, as far as the scripts call it. */
function putProgram(session: Session, aliases: readonly string[]): void {
  const bin = join(session.home, "bin");
  mkdirSync(bin);
  const file = join(bin, "opencode-multi-auth");
  const lines = aliases.map((alias) => `echo '${alias}'`).join("\n");
  writeFileSync(file, `#!/bin/sh\n[ "$*" = "completions --aliases" ] || exit 1\n${lines}\n`);
  chmodSync(file, 0o755);
}

/** Registers the tests of one shell. */
export function testShell(shell: Shell): void {
  Deno.test(`${shell} completes commands, actions, options, values and aliases`, () =>
    withSession(async (session) => {
      putProgram(session, ["personal", "work", "$(touch pwned)"]);
      writeFileSync(join(session.home, "accounts.sealed"), "");
      const script = join(session.home, "completion");
      writeFileSync(script, (await session.run("completions", shell)).out);
      const at = (...words: string[]) =>
        offered(shell, session, script, ["opencode-multi-auth", ...words]);

      assert.deepEqual(at("sta"), ["status"]);
      assert.deepEqual(at("config", "u"), ["unset"]);
      assert.deepEqual(at("service", "install", "--po"), ["--port"]);
      assert.deepEqual(at("service", "install", "--port", ""), []);
      assert.deepEqual(at("rm", "w"), ["work"]);
      assert.deepEqual(at("rm", "--yes", "w"), ["work"]);
      assert.deepEqual(at("config", "get", "strat"), ["strategy"]);
      assert.deepEqual(at("logs", "--level", "w"), ["warn"]);
      assert.deepEqual(at("completions", "f"), ["fish"]);
      assert.deepEqual(at("help", "rest"), ["restore"]);
      assert.deepEqual(at("status", "x"), []);
      if (shell !== "zsh") assert.deepEqual(at("import", "acc"), ["accounts.sealed"]);
      // Somebody's alias is text to every shell, never a command.
      at("remove", "");
      assert.deepEqual(Object.keys(session.files()).filter((path) => /pwned/.test(path)), []);
    }));

  Deno.test(`${shell} knows every command and option that the help shows`, () =>
    withSession(async (session) => {
      const folder = mkdtempSync(join(tmpdir(), "multi-auth-completion-"));
      try {
        putProgram(session, []);
        const script = join(folder, "completion");
        writeFileSync(script, (await session.run("completions", shell)).out);
        const { commands } = await session.json("help", "--json");
        const names = (commands as { name: string }[]).map(({ name }) => name);
        const all = offered(shell, session, script, ["opencode-multi-auth", ""]);
        assert.deepEqual(names.filter((name) => !all.includes(name)), []);
        for (const name of ["add", "install", "logs"]) {
          const { out } = await session.run("help", name);
          const options = [...out.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map((found) => found[1]);
          const known = offered(shell, session, script, ["opencode-multi-auth", name, "--"]);
          assert.deepEqual(options.filter((option) => !known.includes(option ?? "")), [], name);
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    }));
}
