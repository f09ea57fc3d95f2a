import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { atTerminal } from "./people.ts";
import { fixture, withSession } from "./session.ts";
import { actions, bring, EXPORT, put, SECRET, TOKENS, withEnv } from "./transfer_scene.ts";

const THREE = ["personal: add", "work: add", "backup: add"];
const FIVE = ["personal: add", "work: add", "mate: add", "side: add", "backup: add"];

for (
  const [name, path, env] of [
    ["version 1", "store/v1.json", {}],
    ["version 2", "store/v2.json", {}],
    ["version 1, sealed", "store/v1-encrypted.json", { [EXPORT]: "fixture-passphrase" }],
    ["version 2, sealed", "store/v2-encrypted.json", { [EXPORT]: "Pässwort mit Leerzeichen " }],
    ["version 1, sealed with this store's passphrase", "store/v1-encrypted.json", {
      CODEX_SOFT_STORE_PASSPHRASE: "fixture-passphrase",
    }],
    ["version 1, sealed, passphrase of the store from a command", "store/v1-encrypted.json", {
      [EXPORT]: "another one",
      CODEX_SOFT_STORE_PASSPHRASE_COMMAND: "echo fixture-passphrase",
    }],
  ] as const
) {
  Deno.test(`import reads an accounts.json: ${name}`, () =>
    withSession(async (session) => {
      const file = bring(session, path);
      const ran = await session.runWith(withEnv(session, env), "import", file, "--json");
      assert.equal(ran.code, 0, ran.err);
      assert.deepEqual(actions(ran.out), path.includes("v2") ? FIVE : THREE);
      assert.doesNotMatch(ran.out + ran.err, TOKENS);
    }));
}

Deno.test("import reads an accounts.json of today's version, plain and sealed", () =>
  withSession(async (session) => {
    session.useFixture("v1.json");
    await session.run("disable", "work");
    copyFileSync(join(session.folder, "accounts.json"), join(session.home, "plain.json"));
    await session.runWith(atTerminal({ secrets: [SECRET, SECRET] }), "seal");
    copyFileSync(join(session.folder, "accounts.json"), join(session.home, "sealed.json"));
    await withSession(async (other) => {
      for (const [name, expected] of [["plain", "add"], ["sealed", "unchanged"]] as const) {
        copyFileSync(join(session.home, `${name}.json`), join(other.home, "file.json"));
        const env = withEnv(other, { [EXPORT]: SECRET });
        const { out } = await other.runWith(env, "import", "file.json", "--json");
        assert.deepEqual(actions(out), THREE.map((one) => one.replace("add", expected)));
      }
    });
  }));

Deno.test("import of a Codex auth.json names the account after its email, or as --alias says", () =>
  withSession(async (session) => {
    const file = bring(session, "auth-json/modern.json");
    const ran = await session.run("import", file);
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /^ {2}you {2}you@personal\.example {2}add$/m);
    assert.match(ran.out, /The Codex CLI holds the same refresh token/);
    assert.match(ran.out, /opencode-multi-auth install/);
    await session.run("remove", "you");
    const named = await session.run("import", file, "--alias", "mine", "--json");
    assert.deepEqual(actions(named.out), ["mine: add"]);
    const bad = await session.run("import", file, "--alias", "../x");
    assert.equal(bad.code, 1);
    assert.match(bad.err, /cannot be an alias/);
  }));

Deno.test("import of an auth.json from another issuer is refused, naming it", () =>
  withSession(async (session) => {
    const file = bring(session, "auth-json/foreign-issuer.json");
    const before = session.files();
    for (const more of [[], ["--json"], ["--dry-run"], ["--yes"]]) {
      const ran = await session.run("import", file, ...more);
      assert.deepEqual([ran.code, ran.out], [1, ""]);
      assert.match(
        ran.err,
        /^Error: [^\n]*https:\/\/auth\.attacker\.example[^\n]*Nothing was changed\.\n$/,
      );
      assert.doesNotMatch(ran.err, TOKENS);
    }
    assert.deepEqual(session.files(), before);
    const own = { OPENCODE_MULTI_AUTH_ISSUER_URL: "http://127.0.0.1:9" };
    bring(session, "auth-json/modern.json", "modern.json");
    const ran = await session.runWith(withEnv(session, own), "import", "modern.json");
    assert.match(ran.err, /issuer https:\/\/auth\.openai\.com, not from http:\/\/127\.0\.0\.1:9/);
  }));

for (const [name, said] of [["access-only", /nobody can renew/], ["api-key", /API key/]] as const) {
  Deno.test(`import of an auth.json with ${name} is refused with the reason`, () =>
    withSession(async (session) => {
      const file = bring(session, `auth-json/${name}.json`);
      const ran = await session.run("import", file);
      assert.equal(ran.code, 1);
      assert.match(ran.err, said);
      assert.match(ran.err, /^Error: [^\n]+\n$/);
    }));
}

Deno.test("import --dry-run shows the table and changes nothing", () =>
  withSession(async (session) => {
    const file = bring(session, "store/v2.json");
    const before = session.files();
    const ran = await session.run("import", file, "--dry-run");
    assert.equal(ran.code, 0);
    assert.match(ran.out, /^ {2}work {6}you@work\.example {6}add$/m);
    assert.match(ran.out, /Nothing was changed \(--dry-run\)/);
    assert.deepEqual(session.files(), before);
    session.useFixture("v2.json");
    const known = session.files();
    const { dryRun, accounts } = await session.json("import", file, "--dry-run", "--json");
    assert.equal(dryRun, true);
    assert.deepEqual(
      (accounts as Record<string, unknown>[]).map(({ action, why }) => [action, why]),
      Array(5).fill(["unchanged", "the same tokens are here"]),
    );
    assert.deepEqual(session.files(), known);
  }));

Deno.test("import on a terminal shows the table, asks, and takes no for no; --yes asks nothing", () =>
  withSession(async (session) => {
    const file = bring(session, "store/v1.json");
    const before = session.files();
    const asked: string[] = [];
    const person = atTerminal({ confirms: [false], asked });
    const no = await session.runWith(person, "import", file);
    assert.equal(no.code, 1);
    assert.match(no.out, /^ {2}personal .* add$/m);
    assert.deepEqual(asked, ["Import 3 accounts?"]);
    assert.deepEqual(session.files(), before);
    const yes = await session.runWith(atTerminal({}), "import", file, "--yes", "--json");
    assert.deepEqual(actions(yes.out), THREE);
  }));

Deno.test("import of an older backup keeps the newer tokens, and says so for each account", () =>
  withSession(async (session) => {
    const store = JSON.parse(fixture("store/v1.json"));
    session.useFixture("v1.json");
    // The same seat with tokens that were issued before.
    const { identities } = JSON.parse(fixture("identities.json"));
    store.accounts = {
      personal: {
        ...store.accounts.personal,
        accessToken: identities.personal.accessTokenExpired,
        refreshToken: "rt_fixture_personal_older",
      },
    };
    const before = readFileSync(join(session.folder, "accounts.json"), "utf8");
    const ran = await session.run("import", put(session, JSON.stringify(store)));
    assert.equal(ran.code, 0, ran.err);
    assert.match(
      ran.out,
      /^ {2}personal {2}you@personal\.example {2}kept ours {2}the tokens here are newer$/m,
    );
    assert.equal(readFileSync(join(session.folder, "accounts.json"), "utf8"), before);
  }));

Deno.test("import takes the good accounts of a damaged store and names what is wrong with the others", () =>
  withSession(async (session) => {
    const file = bring(session, "store/mixed-bad.json");
    const ran = await session.run("import", file);
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /refused {2,}\w+ (is missing|must be)/);
    assert.match(ran.out, /\d added, .*\d refused\./);
  }));

for (
  const [name, text, said] of [
    ["not JSON", "rt_fixture_secret and more", /is not JSON, or was cut short/],
    ["cut short", `{"accounts": {"a": {"refreshToken": "rt_fixture_s`, /cut short/],
    ["something else", `{"hello": 1}`, /no accounts in a form that is known/],
    ["OpenCode's auth.json", `{"openai": {"type": "oauth"}}`, /opencode-multi-auth install/],
    ["an empty store", `{"version": 2, "accounts": {}}`, /holds no accounts/],
    ["a seal in pieces", `{"encrypted": true, "data": "AAAA"}`, /parts of the seal are missing/],
    ["a newer export", `{"format": "opencode-multi-auth export", "version": 2}`, /newer than this/],
    ["all refused", `[1, 2]`, /All 2 accounts are refused, the first because it is no object/],
  ] as const
) {
  Deno.test(`import of a file that is ${name} is one line, exits 1 and changes nothing`, () =>
    withSession(async (session) => {
      session.useFixture("v1.json");
      const file = put(session, text);
      const before = session.files();
      const ran = await session.run("import", file);
      assert.equal(ran.code, 1);
      assert.match(ran.err, said);
      assert.match(ran.err, /^Error: [^\n]+\n$/);
      assert.doesNotMatch(ran.err, TOKENS);
      assert.deepEqual(session.files(), before);
    }));
}

Deno.test("import of a missing file, a folder, a huge file, a sealed one without its passphrase", () =>
  withSession(async (session) => {
    mkdirSync(join(session.home, "folder"));
    put(session, "x".repeat(8 * 1024 * 1024 + 1), "huge");
    bring(session, "store/v1-encrypted.json", "sealed");
    for (
      const [file, said] of [
        ["missing", /There is no file/],
        ["folder", /is a folder/],
        ["huge", /larger than 8 MiB/],
        ["sealed", new RegExp(`passphrase is not known\\. Set ${EXPORT}`)],
      ] as const
    ) {
      const ran = await session.run("import", file);
      assert.equal(ran.code, 1);
      assert.match(ran.err, said);
      assert.match(ran.err, /^Error: [^\n]+\n$/);
    }
  }));

Deno.test("import --alias with a file of several accounts exits 2", () =>
  withSession(async (session) => {
    const ran = await session.run("import", bring(session, "store/v1.json"), "--alias", "x");
    assert.equal(ran.code, 2);
    assert.match(ran.err, /--alias names one account, and the file holds 3/);
  }));

Deno.test("import into a locked store leaves every file as it is", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    const file = bring(session, "auth-json/modern.json");
    const before = session.files();
    const ran = await session.run("import", file);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /^Error: The store is locked[^\n]*\n$/);
    assert.deepEqual(session.files(), before);
  }));

Deno.test("what a file calls an account cannot steer the terminal", () =>
  withSession(async (session) => {
    const login = JSON.parse(fixture("auth-json/flat-camel.json"));
    const file = put(
      session,
      JSON.stringify([{ ...login, alias: "\u001b[2Jevil" }, { alias: "\u001b]0;x\u0007" }]),
    );
    const ran = await session.run("import", file, "--dry-run");
    assert.equal(ran.code, 0, ran.err);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(ran.out, /[\u001b\u0007]/);
  }));
