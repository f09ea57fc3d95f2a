import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fixtureIdentity } from "../simulator/simulator.ts";
import { terminal } from "./answering.ts";
import { type Session, withSession } from "./session.ts";

function put(session: Session, path: string, text: string): void {
  const file = join(session.home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const CONFIG = ".config/opencode/opencode.json";
const AUTH = ".local/share/opencode/auth.json";

function read(session: Session, path: string): string {
  return readFileSync(join(session.home, path), "utf8");
}

function putLogin(session: Session): string {
  const { accessToken, refreshToken } = fixtureIdentity("personal").tokens;
  const openai = {
    type: "oauth",
    access: accessToken,
    refresh: refreshToken,
    expires: 1796148000000,
  };
  put(session, AUTH, JSON.stringify({ openai }));
  return refreshToken;
}

Deno.test("install --yes sets OpenCode up without a question, and a second time has nothing to do", () =>
  withSession(async (session) => {
    const ran = await session.run(
      "install",
      "--yes",
      "--plugin",
      "opencode-multi-auth-codex@1.2.3",
    );
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /OpenCode is set up\. Restart it if it is running\./);
    assert.deepEqual(JSON.parse(read(session, CONFIG)).plugin, ["opencode-multi-auth-codex@1.2.3"]);
    assert.equal(JSON.parse(read(session, AUTH)).openai.type, "oauth");
    const before = session.files();
    const again = await session.run(
      "install",
      "--yes",
      "--plugin",
      "opencode-multi-auth-codex@1.2.3",
    );
    assert.match(again.out, /^OpenCode is set up already\./);
    assert.deepEqual(session.files(), before);
  }));

Deno.test("install --dry-run shows the plan and changes nothing", () =>
  withSession(async (session) => {
    const ran = await session.run("install", "--dry-run");
    assert.equal(ran.code, 0);
    assert.match(ran.out, /^1\. Add the plugin to /m);
    assert.match(ran.out, /^Nothing was changed \(--dry-run\)\.$/m);
    const plan = await session.json("install", "--dry-run", "--json");
    assert.equal(plan["dryRun"], true);
    assert.equal((plan["steps"] as unknown[]).length, 3);
    assert.deepEqual(session.files(), {});
  }));

Deno.test("install on a terminal asks before anything changes and takes no for an answer", () =>
  withSession(async (session) => {
    const asked: string[] = [];
    const no = await session.runWith(terminal([false], asked), "install");
    assert.equal(no.code, 1);
    assert.equal(no.err, "Error: Cancelled; nothing was changed.\n");
    assert.deepEqual(asked, ["Go on?"]);
    assert.deepEqual(session.files(), {});
    assert.equal((await session.runWith(terminal([true]), "install")).code, 0);
    assert.match(read(session, CONFIG), /opencode-multi-auth-codex/);
  }));

Deno.test("install makes OpenCode's own ChatGPT login an account, whose tokens then live in our store alone", () =>
  withSession(async (session) => {
    const refreshToken = putLogin(session);
    const ran = await session.run("install", "--yes");
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /OpenCode's login is now the account "you"\./);
    assert.ok(!read(session, AUTH).includes(refreshToken));
    const { accounts } = await session.json("list", "--json");
    assert.equal((accounts as { email: string }[])[0]?.email, "you@personal.example");
  }));

Deno.test("install --alias names the account that OpenCode's login becomes", () =>
  withSession(async (session) => {
    putLogin(session);
    await session.run("install", "--yes", "--alias", "mine");
    assert.match((await session.run("list")).out, /^ {2}mine: /m);
  }));

Deno.test("install leaves tokens that may be newer as they are when the login is an account already", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    putLogin(session);
    const before = read(session, ".config/opencode-multi-auth/accounts.json");
    const ran = await session.run("install", "--yes");
    assert.match(ran.out, /OpenCode's login is now the account "personal"\./);
    assert.equal(read(session, ".config/opencode-multi-auth/accounts.json"), before);
  }));

Deno.test("install where nobody can be asked names the question and changes nothing", () =>
  withSession(async (session) => {
    putLogin(session);
    const before = session.files();
    const ran = await session.run("install");
    assert.equal(ran.code, 1);
    assert.match(
      ran.err,
      /^Error: Nobody can be asked here: "Use OpenCode's ChatGPT login[^\n]+--yes\.\n$/,
    );
    assert.deepEqual(session.files(), before);
  }));

Deno.test("install with a locked store changes nothing, OpenCode's files included", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    putLogin(session);
    const before = session.files();
    const ran = await session.run("install", "--yes");
    assert.equal(ran.code, 1);
    assert.match(ran.err, /^Error: The store is locked[^\n]+\n$/);
    const { [".config/opencode"]: _folder, ...after } = session.files();
    assert.deepEqual(after, before);
  }));

Deno.test("install with a broken configuration gives one line with the place and changes nothing", () =>
  withSession(async (session) => {
    put(session, CONFIG, '{\n  "plugin": [\n}');
    const before = session.files();
    for (const argv of [["install", "--yes"], ["uninstall", "--yes"]]) {
      const ran = await session.run(...argv);
      assert.equal(ran.code, 1);
      assert.match(ran.err, /^Error: [^\n]*opencode\.json[^\n]*\b3\b[^\n]*\n$/);
      assert.deepEqual(session.files(), before);
    }
  }));

Deno.test("uninstall takes out what install put in and keeps the accounts", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    put(session, CONFIG, '{ "plugin": ["other"] }');
    await session.run("install", "--yes");
    const ran = await session.run("uninstall", "--yes");
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /The plugin is out of OpenCode\./);
    assert.match(ran.out, /Your accounts stay/);
    assert.deepEqual(JSON.parse(read(session, CONFIG)).plugin, ["other"]);
    assert.equal(JSON.parse(read(session, AUTH)).openai, undefined);
    assert.match((await session.run("list")).out, /personal/);
  }));

Deno.test("install --json prints one object with what was done", () =>
  withSession(async (session) => {
    const outcome = await session.json("install", "--yes", "--json");
    assert.equal(outcome["ok"], true);
    assert.deepEqual(
      (outcome["done"] as { action: string }[]).map(({ action }) => action),
      ["add plugin", "add plugin", "write entry"],
    );
  }));
