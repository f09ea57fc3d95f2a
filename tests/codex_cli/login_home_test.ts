import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loginWithCodex, type RunInTerminal } from "../../src/codex_cli/login_home.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import { authJson, ISSUER, onDevice, person, tokens } from "./device_folder.ts";

const ANNA = person("anna");

/** Runs a login in a folder, and tells how Codex was started. */
function login(folder: string, run: RunInTerminal, env: Record<string, string> = {}) {
  return loginWithCodex({
    env,
    issuer: ISSUER,
    folder,
    args: ["--device-auth"],
    run,
    now: FIXTURE_NOW,
  });
}

Deno.test("`codex login` in a home that holds tokens revokes them first: ours is fresh, private and gone afterwards", () =>
  onDevice(async (at) => {
    const folder = join(at.folder.root, "store");
    at.write(authJson(person("bert")));
    let home = "";
    const found = await login(folder, (command, args, env) => {
      home = env["CODEX_HOME"] ?? "";
      assert.equal(command, "/opt/codex");
      assert.deepEqual(args, ["login", "--device-auth"]);
      assert.equal(statSync(home).mode & 0o777, 0o700);
      assert.deepEqual(readdirSync(home), ["config.toml"], "nothing that could be revoked");
      assert.match(
        Deno.readTextFileSync(join(home, "config.toml")),
        /^cli_auth_credentials_store = "file"$/m,
      );
      writeFileSync(join(home, "auth.json"), JSON.stringify(authJson(ANNA)));
      return Promise.resolve(0);
    }, { CODEX_HOME: at.home, CODEX_CLI_BIN: "/opt/codex" });
    assert.equal(found.email, "anna@example.com");
    assert.deepEqual(readdirSync(folder), []);
    assert.equal(at.read().tokens.account_id, "workspace-bert");
    assert.notEqual(home, at.home);
  }));

Deno.test("an issuer that was moved is handed on", () =>
  onDevice(async (at) => {
    const run: RunInTerminal = (_command, args) => {
      assert.deepEqual(args, ["login", "--experimental_issuer", ISSUER, "--device-auth"]);
      return Promise.resolve(1);
    };
    await assert.rejects(
      login(at.folder.root, run, { OPENCODE_MULTI_AUTH_ISSUER_URL: ISSUER }),
      /ended with status 1; nothing was changed/,
    );
  }));

for (
  const [name, content, code, said] of [
    ["ends without a login", undefined, 0, /ended without a login/],
    ["exits 1 though it wrote something", authJson(ANNA), 1, /ended with status 1/],
    ["writes a broken file", "{", 0, /cannot be used: it is not JSON/],
    [
      "signs in elsewhere",
      {
        tokens: { ...tokens(ANNA), oauth_provenance: { issuer: "https://evil.example" } },
      },
      0,
      /from the issuer https:\/\/evil/,
    ],
    ["stores an API key", { auth_mode: "apikey", OPENAI_API_KEY: "sk-x" }, 0, /API key/],
  ] as const
) {
  Deno.test(`a codex login that ${name} is a failure, and its folder is gone`, () =>
    onDevice(async (at) => {
      const folder = join(at.folder.root, "store");
      await assert.rejects(
        login(folder, (_command, _args, env) => {
          const text = typeof content === "string" ? content : JSON.stringify(content);
          if (content) writeFileSync(join(env["CODEX_HOME"] ?? "", "auth.json"), text);
          return Promise.resolve(code);
        }),
        said,
      );
      assert.deepEqual(readdirSync(folder), []);
    }));
}

Deno.test("`codex` missing: the failure says how to get it", () =>
  onDevice(async (at) => {
    await assert.rejects(
      login(
        at.folder.root,
        () => Promise.reject(Object.assign(new Error("x"), { code: "ENOENT" })),
      ),
      /codex cannot be started \(ENOENT\)\. Install the Codex CLI .* CODEX_CLI_BIN/,
    );
  }));

Deno.test("folders of logins that were killed are cleared away, those of running ones stay", () =>
  onDevice(async (at) => {
    const folder = join(at.folder.root, "store");
    for (const name of ["codex-login-999999999-a", `codex-login-${Deno.ppid}-b`, "codex-login-x"]) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    await assert.rejects(login(folder, () => Promise.resolve(1)));
    assert.deepEqual(readdirSync(folder).sort(), [`codex-login-${Deno.ppid}-b`, "codex-login-x"]);
  }));
