import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "smol-toml";
import {
  clearSandboxes,
  COPIED,
  prepareSandbox,
  sandboxLogin,
  sandboxName,
  withoutPrograms,
} from "../../src/codex_cli/sandbox.ts";
import { readClaims } from "../../src/account/claims.ts";
import { systemFiles } from "../../src/platform/files.ts";
import { fixture } from "../cli/session.ts";
import { testAccount } from "../store/store_folder.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";

const JWT = JSON.parse(fixture("auth-json/access-only.json")).tokens;

const account = testAccount("work", {
  credentials: {
    accessToken: JWT.access_token,
    refreshToken: "rt_the-one-and-only",
    idToken: JWT.id_token,
    expiresAt: FIXTURE_NOW + 3_600_000,
  },
});

/** A home folder that is thrown away. */
function inHome(work: (home: string, env: Record<string, string>) => void): void {
  const home = mkdtempSync(join(tmpdir(), "codex-sandbox-"));
  try {
    mkdirSync(join(home, ".codex"));
    work(home, { HOME: home });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const prepare = (env: Record<string, string>, of = account) =>
  prepareSandbox(of, [of.alias], env, FIXTURE_NOW);

for (
  const [alias, others, name] of [
    ["work", [], "work"],
    ["me@work", [], "me_work"],
    ["a b/c", [], "a_b_c"],
    ["Ünïcode", [], "_n_code"],
    ["me@work", ["me_work"], /^me_work~[0-9a-f]{12}$/],
    ["me_work", ["me@work"], "me_work"],
    ["me@work", ["me+work"], /^me_work~[0-9a-f]{12}$/],
    ["me+work", ["me@work"], "me_work"],
    ["..", [], /^\.\.~[0-9a-f]{12}$/],
    [".", [], /^\.~[0-9a-f]{12}$/],
    ["", [], /^~[0-9a-f]{12}$/],
    ["../../etc", [], ".._.._etc"],
    ["__proto__", [], "__proto__"],
    ["x".repeat(300), [], /^x{200}~[0-9a-f]{12}$/],
  ] as const
) {
  Deno.test(`sandbox: the alias ${JSON.stringify(alias).slice(0, 30)} beside ${others}`, () => {
    const found = sandboxName(alias, [alias, ...others], false);
    if (typeof name === "string") assert.equal(found, name);
    else assert.match(found, name);
  });
}

Deno.test("sandbox: no two aliases ever share a folder, whatever the order and the file system", () => {
  // Letters that come to the same name often.
  const alias = fc.oneof(
    fc.string({ unit: fc.constantFrom("a", "A", "_", " ", "@", ".", "é", "/"), maxLength: 4 }),
    fc.string({ maxLength: 20 }),
  );
  fc.assert(
    fc.property(fc.uniqueArray(alias, { maxLength: 12 }), fc.boolean(), (aliases, foldCase) => {
      const names = aliases.map((one) => sandboxName(one, aliases, foldCase));
      const seen = names.map((name) => foldCase ? name.toLowerCase() : name);
      assert.equal(new Set(seen).size, aliases.length, JSON.stringify([aliases, names]));
      for (const name of names) assert.match(name, /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,220}$/);
      const turned = aliases.toReversed();
      assert.deepEqual(aliases.map((one) => sandboxName(one, turned, foldCase)), names);
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("sandbox: its login can neither be renewed nor revoked, and is for its owner alone", () => {
  inHome((home, env) => {
    const folder = prepare(env);
    assert.equal(folder, join(home, ".codex-multi", "work"));
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(join(home, ".codex-multi")).mode & 0o777, 0o700);
    const path = join(folder, "auth.json");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const text = readFileSync(path, "utf8");
    assert.ok(!text.includes("the-one-and-only"));
    const login = JSON.parse(text);
    assert.equal(login.auth_mode, "chatgptAuthTokens");
    assert.equal(login.tokens.refresh_token, "");
    assert.equal(login.tokens.access_token, account.credentials.accessToken);
    assert.equal(login.tokens.account_id, "workspace-work");
    assert.equal(login.OPENAI_API_KEY, null);
  });
});

Deno.test("sandbox: an account without an id token, or with opaque tokens, still gets a readable one", () => {
  const idTokenOf = (credentials: Partial<typeof account.credentials>) => {
    const { idToken: _none, ...rest } = account.credentials;
    const login = sandboxLogin({ ...account, credentials: { ...rest, ...credentials } }, 0);
    return JSON.parse(login).tokens.id_token;
  };
  assert.equal(idTokenOf({}), JWT.access_token);
  const made = readClaims(idTokenOf({ accessToken: "opaque" }));
  assert.equal(made?.email, "work@example.com");
  assert.equal(made?.workspaceId, "workspace-work");
  assert.equal(made?.expiresAt, FIXTURE_NOW + 3_600_000);
});

Deno.test("sandbox: the device's config.toml is used, and followed when it changes or goes", () => {
  inHome((home, env) => {
    const device = join(home, ".codex", "config.toml");
    const copy = join(home, ".codex-multi", "work", "config.toml");
    prepare(env);
    assert.ok(!existsSync(copy));
    writeFileSync(device, `model = "gpt-6-astra"\n`);
    prepare(env);
    assert.equal(readFileSync(copy, "utf8"), `${COPIED}model = "gpt-6-astra"\n`);
    writeFileSync(device, `model = "gpt-5.5"\n`);
    prepare(env);
    assert.equal(readFileSync(copy, "utf8"), `${COPIED}model = "gpt-5.5"\n`);
    rmSync(device);
    prepare(env);
    assert.ok(!existsSync(copy));
  });
});

Deno.test("sandbox: a config.toml of its own is never touched", () => {
  inHome((home, env) => {
    const folder = join(home, ".codex-multi", "work");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "config.toml"), `model = "mine"\n`);
    writeFileSync(join(home, ".codex", "config.toml"), `model = "device"\n`);
    prepare(env);
    assert.equal(readFileSync(join(folder, "config.toml"), "utf8"), `model = "mine"\n`);
  });
});

Deno.test("sandbox: CODEX_HOME says where the device's config.toml lies", () => {
  inHome((home, env) => {
    const elsewhere = join(home, "elsewhere");
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, "config.toml"), `model = "elsewhere"\n`);
    const folder = prepare({ ...env, CODEX_HOME: elsewhere });
    assert.match(readFileSync(join(folder, "config.toml"), "utf8"), /elsewhere/);
  });
});

Deno.test("sandbox: servers and hooks of the person's are left out of the copy, however they are written", () => {
  const text = `model = "a" # why
mcp_servers.dotted.command = "docs"
hooks = { start = [{ command = "x" }] }
prompt = """
[mcp_servers.none]
kept"""
share = 1.0
size = 9007199254740993
[mcp_servers."my server".env] # mine
KEY = "[features]"
[features]
web = true
[ model_providers . x ]
name = "x"
`;
  const left = parse(withoutPrograms(text), { integersAsBigInt: true });
  assert.deepEqual(structuredClone(left), {
    model: "a",
    prompt: "[mcp_servers.none]\nkept",
    share: 1,
    size: 9007199254740993n,
    features: { web: true },
    model_providers: { x: { name: "x" } },
  });
  assert.match(withoutPrograms(text), /^share = 1\.0$/m);
  // What starts nothing, or cannot be read, is copied to the letter.
  for (const plain of [`model = "a" # why\n`, "[[[", ""]) {
    assert.equal(withoutPrograms(plain), plain);
  }
});

Deno.test("sandbox: a link to the device's login is replaced, never followed", () => {
  inHome((home, env) => {
    const device = join(home, ".codex", "auth.json");
    writeFileSync(device, "the device's own");
    const folder = join(home, ".codex-multi", "work");
    mkdirSync(folder, { recursive: true });
    symlinkSync(device, join(folder, "auth.json"));
    prepare(env);
    assert.equal(readFileSync(device, "utf8"), "the device's own");
    assert.ok(!lstatSync(join(folder, "auth.json")).isSymbolicLink());
  });
});

Deno.test("sandbox: a login of another making is kept beside ours, once", () => {
  inHome((home, env) => {
    const folder = join(home, ".codex-multi", "work");
    mkdirSync(folder, { recursive: true });
    const theirs = fixture("auth-json/modern.json");
    writeFileSync(join(folder, "auth.json"), theirs);
    for (let round = 0; round < 2; round++) prepare(env);
    const kept = readdirSync(folder).filter((name) => name.endsWith(".bak"));
    assert.deepEqual(kept, [`auth.json.${FIXTURE_NOW}.bak`]);
    assert.equal(readFileSync(join(folder, kept[0] ?? ""), "utf8"), theirs);
    assert.match(readFileSync(join(folder, "auth.json"), "utf8"), /"refresh_token": ""/);
    clearSandboxes(env);
    assert.deepEqual(readdirSync(folder), kept);
  });
});

Deno.test("sandbox: a folder that leads to the device's own is refused", () => {
  inHome((home, env) => {
    const device = join(home, ".codex", "auth.json");
    writeFileSync(device, "the device's own");
    mkdirSync(join(home, ".codex-multi"));
    symlinkSync(join(home, ".codex"), join(home, ".codex-multi", "work"));
    assert.throws(() => prepare(env), /leads to the Codex CLI's own folder.*Remove that link/);
    assert.equal(readFileSync(device, "utf8"), "the device's own");
  });
});

Deno.test("sandbox: clearing takes our logins away and leaves those that could be renewed", () => {
  inHome((home, env) => {
    const folder = prepare(env);
    const older = join(home, ".codex-multi", "older");
    mkdirSync(older);
    writeFileSync(join(older, "auth.json"), fixture("auth-json/modern.json"));
    writeFileSync(join(home, ".codex-multi", "a file"), "");
    // One that is in use is younger than that.
    clearSandboxes(env, systemFiles, Date.now() - 60_000);
    assert.ok(existsSync(join(folder, "auth.json")));
    clearSandboxes(env);
    assert.ok(!existsSync(join(folder, "auth.json")));
    assert.ok(existsSync(join(older, "auth.json")));
    clearSandboxes({ HOME: join(home, "nowhere") });
  });
});
