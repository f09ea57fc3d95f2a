import assert from "node:assert/strict";
import { checkRuntime } from "../../src/cli/exit_status.ts";
import { VERSION } from "../../src/platform/version.ts";
import { fixture, withSession } from "./session.ts";

const COMMANDS = [
  "add",
  "remove",
  "list",
  "status",
  "limits",
  "usage",
  "explain",
  "models",
  "path",
  "web",
  "service",
  "install",
  "migrate",
  "uninstall",
  "doctor",
  "enable",
  "disable",
  "pin",
  "unpin",
  "restore",
  "device",
  "switch",
  "sync",
  "codex",
  "config",
  "notify",
  "seal",
  "unseal",
  "passphrase",
  "export",
  "import",
  "logs",
  "completions",
  "upgrade",
  "version",
  "help",
];

Deno.test("help has the layout of the older program, with our further commands", () =>
  withSession(async (session) => {
    const { code, out, err } = await session.run("help");
    assert.equal(code, 0);
    assert.equal(err, "");
    const older = fixture("older/help.txt").split("\n");
    const ours = out.split("\n");
    let position = -1;
    for (const line of older) {
      position = ours.indexOf(line, position + 1);
      assert.notEqual(position, -1, `missing, or not in its place: ${line}`);
    }
    assert.equal(ours[0], older[0]);
    assert.equal(ours.at(-2), older.at(-2));
    assert.deepEqual(ours.filter((line) => line.length > 80), []);
  }));

for (const argv of [[], ["-h"], ["--help"]]) {
  Deno.test(`the program called with "${argv.join(" ")}" prints the help and exits 0`, () =>
    withSession(async (session) => {
      const help = await session.run("help");
      assert.deepEqual(await session.run(...argv), help);
    }));
}

for (const command of COMMANDS) {
  Deno.test(`help ${command} equals ${command} --help, knows --json and fits into 80 columns`, () =>
    withSession(async (session) => {
      const { code, out } = await session.run("help", command);
      assert.equal(code, 0);
      assert.match(out, new RegExp(`^Usage: opencode-multi-auth ${command}`));
      assert.match(out, /--json/);
      assert.deepEqual(out.split("\n").filter((line) => line.length > 80), []);
      const own = await session.run(command, "--help");
      assert.deepEqual(own, { code: 0, out, err: "" });
    }));
}

/** Lines of running text that had room for the next one's first word: broken twice, in the source and here. */
function brokenEarly(text: string): string[] {
  const lines = text.split("\n");
  return lines.filter((line, index) => {
    const next = lines[index + 1] ?? "";
    const running = [line, next].every((one) => /^[a-zA-Z`-]/.test(one));
    return running && line.length + 1 + (next.split(" ")[0]?.length ?? 0) <= 80;
  });
}

Deno.test("every command and action has a description and examples that it takes, in 80 columns", () =>
  withSession(async (session) => {
    const { commands } = await session.json("help", "--json");
    const waiting = (commands as { name: string }[]).map(({ name }) => [name]);
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const name = path.join(" ");
      const { code, out } = await session.run("help", ...path);
      assert.equal(code, 0, name);
      assert.deepEqual(out.split("\n").filter((line) => line.length > 80), [], name);
      assert.match(out, /^Usage: .*\n\n[A-Z]\S+ \S+/, `${name} is not described`);
      assert.deepEqual(brokenEarly(out), [], name);
      const examples = out.split(/^Examples:\n/m)[1]?.split("\n").filter((line) => line !== "");
      assert.ok(
        examples?.some((line) => line.includes(`opencode-multi-auth ${path[0]}`)),
        `${name} has no example`,
      );
      const actions = out.split(/^Commands:\n/m)[1]?.split("\n\n")[0] ?? "";
      for (const found of actions.matchAll(/^ {2}([a-z]+)/gm)) {
        waiting.push([...path, found[1] ?? ""]);
      }
    }
  }));

Deno.test("help explains the actions of a command too", () =>
  withSession(async (session) => {
    const { out } = await session.run("help", "config", "set");
    assert.match(out, /^Usage: opencode-multi-auth config set /);
    assert.deepEqual(await session.run("config", "set", "--help"), { code: 0, out, err: "" });
  }));

Deno.test("help --json lists the commands", () =>
  withSession(async (session) => {
    const { commands } = await session.json("help", "--json");
    assert.deepEqual((commands as { name: string }[]).map(({ name }) => name), COMMANDS);
  }));

Deno.test("--version prints the version and nothing else", () =>
  withSession(async (session) => {
    assert.deepEqual(await session.run("--version"), { code: 0, out: `${VERSION}\n`, err: "" });
  }));

const WRONG: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ["an unknown command", ["stats"], 2, /Unknown command 'stats'\. Did you mean status\?/i],
  ["an unknown command unlike any other", ["xyzzy"], 2, /Unknown command 'xyzzy'\./i],
  ["an unknown option", ["status", "--jsn"], 2, /Unknown option '--jsn'\. Did you mean --json\?/i],
  [
    "an unknown option of the program",
    ["--verion"],
    2,
    /Unknown option .*Did you mean --version\?/i,
  ],
  ["an argument too many", ["status", "now"], 2, /too many arguments/i],
  ["an unknown config action", ["config", "gett"], 2, /no config action "gett"\. Actions: list/],
  ["help for an unknown command", ["help", "stats"], 2, /no command "stats"/],
  ["a missing alias of add", ["add"], 1, /missing required argument 'alias'/i],
  ["a missing alias of login", ["login"], 1, /missing required argument 'alias'/i],
  ["a missing alias of remove", ["remove"], 1, /missing required argument 'alias'/i],
  ["a missing alias of rm", ["rm"], 1, /missing required argument 'alias'/i],
  ["a missing alias of pin", ["pin"], 2, /missing required argument 'alias'/i],
  ["an option without its value", ["pin", "work", "--for"], 2, /argument missing/i],
  ["a span that is none", ["pin", "work", "--for", "soon"], 2, /"soon" is not a span/],
  [
    "an unknown setting",
    ["config", "get", "colour"],
    2,
    /no setting "colour"\. Settings: strategy/,
  ],
  ["two ways to sign in", ["add", "x", "--device", "--no-browser"], 2, /Choose one/],
];

for (const [name, argv, code, text] of WRONG) {
  Deno.test(`${name} gives one line, exits ${code} and changes nothing`, () =>
    withSession(async (session) => {
      session.useFixture("v1.json");
      const before = session.files();
      const ran = await session.run(...argv);
      assert.equal(ran.code, code);
      assert.equal(ran.out, "");
      assert.match(ran.err, text);
      assert.match(ran.err, /^Error: [^\n]+\n$/);
      assert.deepEqual(session.files(), before);
    }));
}

Deno.test("a Node without SQLite is refused in one sentence", () => {
  for (const version of ["18.20.0", "20.20.2", "22.12.9", undefined]) {
    assert.throws(() => checkRuntime(version), /needs Node 22\.13 or newer/);
  }
  for (const version of ["22.13.0", "22.20.1", "23.0.0", "24.3.0"]) checkRuntime(version);
});
