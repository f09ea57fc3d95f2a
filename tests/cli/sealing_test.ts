import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { atTerminal } from "./people.ts";
import { type Session, withSession } from "./session.ts";

const SECRET = "correct horse battery ";
const OTHER = "another passphrase";

function withEnv(session: Session, env: Record<string, string>) {
  return { env: { HOME: session.home, PATH: Deno.env.get("PATH"), ...env } };
}

/** A token of `v1.json` that must stand in no file once the store is sealed. */
function tokenOf(session: Session): string {
  const { accounts } = JSON.parse(readFileSync(join(session.folder, "accounts.json"), "utf8"));
  return accounts.work.refreshToken;
}

function filesWith(session: Session, text: string): string[] {
  return readdirSync(session.folder, { recursive: true, encoding: "utf8" }).filter((name) => {
    const path = join(session.folder, name);
    return !statSync(path).isDirectory() && readFileSync(path).includes(text);
  });
}

Deno.test("seal asks twice on a terminal, leaves no plain copy and says what must be set from now on", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const token = tokenOf(session);
    await session.run("disable", "work");
    for (const end of [".lkg", ".tmp-999999-1", ".bak.old"]) {
      writeFileSync(join(session.folder, `accounts.json${end}`), JSON.stringify({ token }));
    }
    assert.ok(filesWith(session, token).length > 4);
    const asked: string[] = [];
    const ran = await session.runWith(atTerminal({ secrets: [SECRET, SECRET], asked }), "seal");
    assert.equal(ran.err, "");
    assert.equal(ran.code, 0);
    assert.match(ran.out, /^Sealed 3 accounts in .*accounts\.json\.\nNo plain copy is left/);
    assert.match(ran.out, /CODEX_SOFT_STORE_PASSPHRASE.*\n.*also where OpenCode is started/);
    assert.equal(asked.length, 2);
    assert.deepEqual(filesWith(session, token), []);
    assert.match((await session.run("list")).out, /locked/);
    const opened = await session.runWith(
      withEnv(session, { CODEX_SOFT_STORE_PASSPHRASE: SECRET }),
      "list",
    );
    assert.match(opened.out, /work: you@work\.example/);
  }));

for (
  const [name, env] of [
    ["CODEX_SOFT_STORE_PASSPHRASE", { CODEX_SOFT_STORE_PASSPHRASE: SECRET }],
    ["CODEX_SOFT_STORE_PASSPHRASE_COMMAND", {
      CODEX_SOFT_STORE_PASSPHRASE_COMMAND: `printf '%s\\n' '${SECRET}'`,
    }],
  ] as const
) {
  Deno.test(`seal takes ${name} and asks nothing, on a terminal too`, () =>
    withSession(async (session) => {
      session.useFixture("v2.json");
      const terminal = { ...atTerminal({}), ...withEnv(session, env) };
      const ran = await session.runWith(terminal, "seal", "--json");
      assert.deepEqual([ran.code, ran.err], [0, ""]);
      assert.equal(JSON.parse(ran.out).changed, true);
      const { encrypted } = JSON.parse(
        readFileSync(join(session.folder, "accounts.json"), "utf8"),
      );
      assert.equal(encrypted, true);
      const again = await session.runWith(terminal, "seal", "--json");
      assert.equal(JSON.parse(again.out).changed, false);
    }));
}

for (
  const [name, secrets, said] of [
    ["differ", [SECRET, SECRET.trim()], /differ; nothing was changed/],
    ["are blank", ["  "], /must not be blank/],
  ] as const
) {
  Deno.test(`seal with passphrases that ${name} changes nothing`, () =>
    withSession(async (session) => {
      session.useFixture("v1.json");
      const before = session.files();
      const ran = await session.runWith(atTerminal({ secrets }), "seal");
      assert.equal(ran.code, 1);
      assert.match(ran.err, said);
      assert.match(ran.err, /^Error: [^\n]+\n$/);
      assert.deepEqual(session.files(), before);
    }));
}

Deno.test("seal without a terminal and without a passphrase names the variable and changes nothing", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const before = session.files();
    const ran = await session.run("seal");
    assert.equal(ran.code, 1);
    assert.match(ran.err, /Set CODEX_SOFT_STORE_PASSPHRASE, or run it on a terminal/);
    assert.deepEqual(session.files(), before);
  }));

Deno.test("seal of a store that an older project sealed gives it today's key", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    const env = withEnv(session, { CODEX_SOFT_STORE_PASSPHRASE: "fixture-passphrase" });
    const ran = await session.runWith(env, "seal", "--json");
    assert.equal(JSON.parse(ran.out).changed, true);
    const { N } = JSON.parse(readFileSync(join(session.folder, "accounts.json"), "utf8"));
    assert.equal(N, 131_072);
  }));

Deno.test("unseal asks, and says that a variable which is still set would seal it again", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    const env = withEnv(session, { CODEX_SOFT_STORE_PASSPHRASE: "fixture-passphrase" });
    const before = session.files();
    const no = await session.runWith({ ...env, ...atTerminal({ confirms: [false] }) }, "unseal");
    assert.equal(no.code, 1);
    assert.match(no.err, /stays sealed/);
    assert.deepEqual(session.files(), before);
    const nobody = await session.runWith(env, "unseal");
    assert.equal(nobody.code, 1);
    assert.match(nobody.err, /--yes/);
    assert.deepEqual(session.files(), before);
    const asked: string[] = [];
    const yes = await session.runWith(
      { ...env, ...atTerminal({ confirms: [true], asked }) },
      "unseal",
    );
    assert.equal(yes.code, 0);
    assert.match(asked.join(), /plain text.*Whoever can read the file can use the accounts/);
    assert.match(yes.out, /CODEX_SOFT_STORE_PASSPHRASE is still set: unset it/);
    assert.match((await session.run("list")).out, /work: you@work\.example/);
  }));

Deno.test("a sealed store is opened with a typed passphrase where the environment has none", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    const person = { secrets: ["wrong", "fixture-passphrase"] };
    const ran = await session.runWith(atTerminal(person), "unseal", "--yes", "--json");
    assert.equal(ran.code, 0);
    assert.deepEqual(JSON.parse(ran.out), { ok: true, changed: true, accounts: 3, notices: [] });
    assert.equal((await session.json("list", "--json"))["locked"], false);
    const again = await session.run("unseal", "--json");
    assert.equal(JSON.parse(again.out).changed, false);
  }));

Deno.test("three wrong passphrases leave a sealed store as it is", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    const before = session.files();
    const person = { secrets: ["a", "b", "c"] };
    const ran = await session.runWith(atTerminal(person), "passphrase", "change");
    assert.equal(ran.code, 1);
    assert.match(ran.err, /Error: No passphrase opened the store/);
    assert.deepEqual(session.files(), before);
  }));

Deno.test("passphrase change takes the old one from the environment and asks for the new one twice", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    const env = withEnv(session, { CODEX_SOFT_STORE_PASSPHRASE: "fixture-passphrase" });
    const person = { secrets: [OTHER, OTHER] };
    const ran = await session.runWith({ ...env, ...atTerminal(person) }, "passphrase", "change");
    assert.equal(ran.code, 0, ran.err);
    assert.match((await session.runWith(env, "list")).out, /locked/);
    const now = withEnv(session, { CODEX_SOFT_STORE_PASSPHRASE: OTHER });
    assert.match((await session.runWith(now, "list")).out, /work: you@work\.example/);
  }));

Deno.test("passphrase change without a terminal takes CODEX_SOFT_STORE_PASSPHRASE_NEW", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    const env = withEnv(session, {
      CODEX_SOFT_STORE_PASSPHRASE: "fixture-passphrase",
      CODEX_SOFT_STORE_PASSPHRASE_NEW: OTHER,
    });
    const ran = await session.runWith(env, "passphrase", "change", "--json");
    assert.equal(JSON.parse(ran.out).ok, true);
    const now = withEnv(session, { CODEX_SOFT_STORE_PASSPHRASE: OTHER });
    assert.match((await session.runWith(now, "list")).out, /work: you@work\.example/);
  }));

Deno.test("passphrase change of a plain store points to seal", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    const before = session.files();
    const ran = await session.run("passphrase", "change");
    assert.equal(ran.code, 1);
    assert.match(ran.err, /is not sealed\. Seal it with: opencode-multi-auth seal/);
    assert.deepEqual(session.files(), before);
  }));

for (const argv of [["passphrase"], ["passphrase", "chagne"]]) {
  Deno.test(`${argv.join(" ")} names the actions and exits 2`, () =>
    withSession(async (session) => {
      const ran = await session.run(...argv);
      assert.equal(ran.code, 2);
      assert.match(ran.err, /^Error: [^\n]*Actions: change\.\n$/);
    }));
}

Deno.test("no passphrase is shown by seal, passphrase change or export, in text or JSON", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    let shown = "";
    const person = (secrets: string[]) => atTerminal({ secrets });
    const words = ["pass-one-7", "pass-two-7", "pass-three-7"] as const;
    const [one, two, three] = words;
    for (
      const [secrets, ...argv] of [
        [[one, one], "seal"],
        [[one, two, two], "passphrase", "change", "--json"],
        [[two, three, three], "export", "out.sealed", "--json"],
        [["nope", "nope", "nope"], "export", "--force", "out.sealed"],
      ] as [string[], ...string[]][]
    ) {
      const { out, err } = await session.runWith(person(secrets), ...argv);
      shown += out + err;
    }
    assert.match(shown, /Sealed 3 accounts/);
    for (const word of [...words, "nope"]) assert.ok(!shown.includes(word), word);
    for (const word of words) assert.deepEqual(filesWith(session, word), []);
  }));
