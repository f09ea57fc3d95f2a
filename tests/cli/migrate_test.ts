import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fixtureIdentity } from "../simulator/simulator.ts";
import { atTerminal } from "./people.ts";
import { fixture, type Session, withSession } from "./session.ts";

const CONFIG = ".config/opencode/opencode.json";
const AUTH = ".local/share/opencode/auth.json";
/** Where other projects keep their accounts. */
const CODEX_MULTI = ".opencode/oc-codex-multi-auth-accounts.json";
const CODEX_AUTH = ".config/opencode/codex-accounts.json";

function put(session: Session, path: string, content: unknown): void {
  const file = join(session.home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
}

const plugins = (session: Session): string[] =>
  JSON.parse(readFileSync(join(session.home, CONFIG), "utf8")).plugin;

const aliases = async (session: Session): Promise<string[]> =>
  ((await session.json("list", "--json"))["accounts"] as { alias: string }[])
    .map(({ alias }) => alias);

/** Plugin entries of earlier projects, as their instructions have people write them. */
const ENTRIES = [
  "github:guard22/opencode-multi-auth-codex",
  "@guard22/opencode-multi-auth-codex@1.0.7",
  "@nguyenthdat/opencode-multi-auth-codex@latest",
  "oc-codex-multi-auth",
  "oc-codex-multi-auth@6.14.0",
  "opencode-codex-auth@latest",
  "@iam-brain/opencode-openai-multi@latest",
  "opencode-openai-codex-auth@4.4.0",
];

for (const entry of ENTRIES) {
  Deno.test(`migrate puts our plugin in the place of ${entry}, and leaves other plugins alone`, () =>
    withSession(async (session) => {
      session.useFixture("v2.json");
      put(session, CONFIG, `{\n  // mine\n  "plugin": ["oh-my-opencode", "${entry}"]\n}\n`);
      const ran = await session.run("migrate", "--yes");
      assert.equal(ran.code, 0, ran.err);
      assert.match(ran.out, /You have moved in\. Restart OpenCode if it is running\./);
      const config = readFileSync(join(session.home, CONFIG), "utf8");
      assert.match(config, /\/\/ mine/);
      const ours = /opencode-multi-auth-codex@\d+\.\d+\.\d+/.exec(config)?.[0];
      assert.deepEqual(
        JSON.parse(config.replace(/\/\/.*/g, "")).plugin,
        ["oh-my-opencode", ours],
      );
      assert.equal(
        JSON.parse(readFileSync(join(session.home, AUTH), "utf8")).openai.type,
        "oauth",
      );
    }));
}

Deno.test("migrate brings an entry of our own package up to this version", () =>
  withSession(async (session) => {
    put(session, CONFIG, { plugin: ["opencode-multi-auth-codex@0.0.9"] });
    assert.equal((await session.run("migrate", "--yes")).code, 0);
    assert.equal(plugins(session).length, 1);
    assert.doesNotMatch(plugins(session)[0] ?? "", /0\.0\.9/);
  }));

for (
  const [file, format, env] of [
    ["v1.json", "format 1", {}],
    ["v2.json", "format 2", {}],
    ["v1-encrypted.json", "format 1", {
      CODEX_SOFT_STORE_PASSPHRASE: "fixture-passphrase",
    }],
  ] as const
) {
  Deno.test(`migrate uses a store of an earlier project as it is (${file})`, () =>
    withSession(async (session) => {
      session.useFixture(file);
      const before = fixture(`store/${file}`);
      const ran = await session.runWith(
        { env: { HOME: session.home, ...env } },
        "migrate",
        "--yes",
      );
      assert.equal(ran.code, 0, ran.err);
      assert.match(ran.out, new RegExp(`accounts, used as they are \\(${format};`));
      assert.equal(readFileSync(join(session.folder, "accounts.json"), "utf8"), before);
    }));
}

Deno.test("migrate with a sealed store and no passphrase says so and changes nothing", () =>
  withSession(async (session) => {
    session.useFixture("v2-encrypted.json");
    put(session, CONFIG, { plugin: ["github:guard22/opencode-multi-auth-codex"] });
    const before = session.files();
    const ran = await session.run("migrate", "--yes");
    assert.equal(ran.code, 1);
    assert.match(ran.err, /^Error: The store is locked[^\n]+\n$/);
    assert.deepEqual(session.files(), before);
  }));

/** Files of other projects with one account each, as those write them. */
function putOthers(session: Session): void {
  const work = fixtureIdentity("work").tokens;
  put(session, CODEX_MULTI, {
    version: 3,
    activeIndex: 0,
    accounts: [{
      accountId: "x",
      email: "you@work.example",
      refreshToken: work.refreshToken,
      accessToken: work.accessToken,
      expiresAt: 1796148000000,
      addedAt: 1,
      lastUsed: 1,
    }, { refreshToken: "rt_alone", email: "old@work.example", addedAt: 1, lastUsed: 1 }],
  });
  const backup = fixtureIdentity("backup").tokens;
  put(session, CODEX_AUTH, {
    openai: {
      type: "oauth",
      native: {
        strategy: "sticky",
        accounts: [{
          access: backup.accessToken,
          refresh: backup.refreshToken,
          expires: 1796148000000,
          email: "you@backup.example",
          enabled: true,
        }],
      },
    },
  });
}

Deno.test("migrate takes over the accounts of other projects, whose files stay and are named", () =>
  withSession(async (session) => {
    putOthers(session);
    put(session, CONFIG, { plugin: ["oc-codex-multi-auth", "opencode-codex-auth"] });
    const ran = await session.run("migrate", "--yes");
    assert.equal(ran.code, 0, ran.err);
    assert.equal((await aliases(session)).length, 2);
    const { accounts } = await session.json("list", "--json");
    assert.deepEqual(
      (accounts as { email: string }[]).map(({ email }) => email).sort(),
      ["you@backup.example", "you@work.example"],
    );
    assert.match(ran.out, /refused +it holds no access token/);
    for (const path of [CODEX_MULTI, CODEX_AUTH]) {
      assert.ok(existsSync(join(session.home, path)));
      assert.ok(
        ran.out.includes(`${join(session.home, path)} still holds the same refresh tokens.`),
      );
    }
    assert.equal(plugins(session).length, 1);
    // A second time there is nothing to do.
    const before = session.files();
    const again = await session.run("migrate", "--yes");
    assert.match(again.out, /^OpenCode is set up already/m);
    assert.equal(session.files()[CONFIG], before[CONFIG]);
    assert.equal((await aliases(session)).length, 2);
  }));

/** A pool of oc-codex-multi-auth with the account of one fixture. */
function pool(name: "personal" | "work" | "backup") {
  const { accessToken, refreshToken } = fixtureIdentity(name).tokens;
  const account = {
    email: `you@${name}.example`,
    refreshToken,
    accessToken,
    addedAt: 1,
    lastUsed: 1,
  };
  return { version: 3, activeIndex: 0, accounts: [{ ...account, expiresAt: 1796148000000 }] };
}

Deno.test("migrate takes over the accounts that oc-codex-multi-auth keeps for each project, its standard", () =>
  withSession(async (session) => {
    const FILE = "oc-codex-multi-auth-accounts.json";
    put(session, `.opencode/projects/site-1a2b/${FILE}`, pool("personal"));
    put(session, ".opencode/projects/work-3c4d/openai-codex-accounts.json", pool("work"));
    put(session, `elsewhere/projects/moved-5e6f/${FILE}`, pool("backup"));
    put(session, ".opencode/projects/empty-7a8b/cache.json", {});
    put(session, CONFIG, { plugin: ["oc-codex-multi-auth"] });
    const asked: string[] = [];
    const person = atTerminal({ confirms: [true, true, true], asked });
    const env = { HOME: session.home, OC_CODEX_MULTI_AUTH_DIR: join(session.home, "elsewhere") };
    const ran = await session.runWith({ ...person, env }, "migrate");
    assert.equal(ran.code, 0, ran.err);
    assert.equal(
      asked[0],
      "Take over the accounts of oc-codex-multi-auth and oc-codex-multi-auth, older?",
    );
    const { accounts } = await session.json("list", "--json");
    assert.deepEqual(
      (accounts as { email: string }[]).map(({ email }) => email).sort(),
      ["you@backup.example", "you@personal.example", "you@work.example"],
    );
    assert.equal(ran.out.match(/still holds the same refresh tokens/g)?.length, 3);
  }));

Deno.test("migrate says it where a plugin goes and none of its accounts comes along", () =>
  withSession(async (session) => {
    const says = /No account comes along from "oc-codex-multi-auth": .*import <file>.*add personal/;
    put(session, CONFIG, { plugin: ["oc-codex-multi-auth"] });
    assert.match((await session.run("migrate", "--dry-run")).out, says);
    assert.match((await session.run("migrate", "--yes")).out, says);
    // There is none left to say it of.
    assert.doesNotMatch((await session.run("migrate", "--yes")).out, /comes along/);
    putOthers(session);
    put(session, CONFIG, { plugin: ["oc-codex-multi-auth"] });
    assert.doesNotMatch((await session.run("migrate", "--yes")).out, /comes along/);
  }));

Deno.test("migrate says it where an older package goes whose store is not here; it is ours where it is", () =>
  withSession(async (session) => {
    const entry = "github:guard22/opencode-multi-auth-codex";
    put(session, CONFIG, { plugin: [entry] });
    const { out } = await session.run("migrate", "--dry-run");
    assert.ok(out.includes(`No account comes along from "${entry}": `), out);
    session.useFixture("v1.json");
    assert.doesNotMatch((await session.run("migrate", "--dry-run")).out, /comes along/);
  }));

Deno.test("migrate reads the file that OPENCODE_MULTI_AUTH_STORE_FILE named in an earlier project", () =>
  withSession(async (session) => {
    put(session, "elsewhere/store.json", fixture("store/v2.json"));
    const env = {
      HOME: session.home,
      OPENCODE_MULTI_AUTH_STORE_FILE: join(session.home, "elsewhere/store.json"),
    };
    const ran = await session.runWith({ env }, "migrate", "--yes");
    assert.equal(ran.code, 0, ran.err);
    assert.ok((await aliases(session)).includes("personal"));
  }));

Deno.test("migrate --dry-run shows everything and changes nothing; --json as one object", () =>
  withSession(async (session) => {
    putOthers(session);
    put(session, CONFIG, { plugin: ["oc-codex-multi-auth"] });
    const before = session.files();
    const { code, out } = await session.run("migrate", "--dry-run");
    assert.equal(code, 0);
    assert.match(out, /\(of oc-codex-multi-auth\):/);
    assert.match(out, /Remove another plugin that claims "openai" from/);
    assert.match(out, /^Nothing was changed \(--dry-run\)\.$/m);
    const json = await session.json("migrate", "--dry-run", "--json");
    assert.equal((json["files"] as unknown[]).length, 2);
    assert.equal((json["steps"] as unknown[]).length, 4);
    assert.deepEqual(session.files(), before);
  }));

Deno.test("migrate asks before it takes accounts over, and takes no for an answer", () =>
  withSession(async (session) => {
    putOthers(session);
    const before = session.files();
    const asked: string[] = [];
    const no = await session.runWith(atTerminal({ confirms: [false], asked }), "migrate");
    assert.equal(no.code, 1);
    assert.deepEqual(asked, [
      "Take over the accounts of oc-codex-multi-auth and opencode-codex-auth?",
    ]);
    assert.deepEqual(session.files(), before);
    const piped = await session.run("migrate");
    assert.match(piped.err, /^Error: Nobody can be asked here whether[^\n]+--yes\.\n$/);
    assert.deepEqual(session.files(), before);
  }));

Deno.test("migrate passes over a broken file of another project and says so", () =>
  withSession(async (session) => {
    put(session, CODEX_MULTI, '{"version": 3, "accounts": [');
    const ran = await session.run("migrate", "--yes");
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /Not taken over: .*oc-codex-multi-auth-accounts\.json is not JSON/);
  }));

Deno.test("migrate tells of a service that still starts an older program", () =>
  withSession(async (session) => {
    put(session, ".config/systemd/user/codex-soft.service", fixture("older/codex-soft.service"));
    const bin = join(session.home, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "systemctl"), "", { mode: 0o755 });
    const on = {
      env: { HOME: session.home, PATH: bin },
      machine: { platform: "linux", execPath: "/opt/oma" },
    };
    const ran = await session.runWith(on, "migrate", "--yes");
    assert.match(ran.out, /codex-soft\.service starts another program; .*service install/);
  }));
