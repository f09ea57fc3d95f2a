import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../src/cli/context.ts";
import { authJson, person } from "../codex_cli/device_folder.ts";
import { type Ran, type Session, withSession } from "./session.ts";

const ANNA = person("anna");
const BERT = person("bert");

/** No Codex runs, whatever runs on the machine of the tests. */
const QUIET: Partial<Context> = { findCodex: () => Promise.resolve([]) };

const run = (session: Session, ...argv: string[]): Promise<Ran> => session.runWith(QUIET, ...argv);

function authPath(session: Session): string {
  return join(session.home, ".codex", "auth.json");
}

function put(session: Session, content: unknown): void {
  mkdirSync(join(session.home, ".codex"), { recursive: true });
  writeFileSync(authPath(session), JSON.stringify(content), { mode: 0o600 });
}

Deno.test("sync, switch and device in the words that people read", () =>
  withSession(async (session) => {
    const path = authPath(session);
    assert.deepEqual(await run(session, "device"), {
      code: 0,
      out: "Account: none, Codex is not signed in\n" +
        `Credential store: file (${path})\nRunning: no\n`,
      err: "",
    });
    put(session, authJson(ANNA));
    assert.deepEqual(await run(session, "sync"), {
      code: 0,
      out: `The Codex CLI's login is now the account "anna" (anna@example.com).\n`,
      err: "",
    });
    put(session, authJson(BERT));
    await run(session, "sync", "--alias", "work");
    assert.deepEqual(await run(session, "switch", "anna"), {
      code: 0,
      out: `The Codex CLI of this machine uses "anna" now (${path}).\n`,
      err: "",
    });
    assert.match((await run(session, "device")).out, /^Account: anna \(anna@example\.com\)\n/);
    assert.equal(JSON.parse(readFileSync(path, "utf8")).tokens.account_id, "workspace-anna");
  }));

Deno.test("switch names the processes that must be restarted", () =>
  withSession(async (session) => {
    put(session, authJson(ANNA));
    await run(session, "sync");
    for (
      const [processes, said] of [
        [[41], /A Codex runs \(pid 41\)\. Restart it: until then it keeps the account/],
        [[41, 42], /2 Codex run \(pids 41, 42\)\. Restart them/],
        [undefined, /If a Codex runs, restart it/],
      ] as const
    ) {
      const changes = { findCodex: () => Promise.resolve(processes) };
      const ran = await session.runWith(changes, "switch", "anna");
      assert.match(ran.out, said);
    }
  }));

Deno.test("sync, switch and device --json", () =>
  withSession(async (session) => {
    put(session, authJson(ANNA));
    const path = authPath(session);
    const json = async (...argv: string[]) => JSON.parse((await run(session, ...argv)).out);
    const synced = await json("sync", "--json");
    assert.deepEqual([synced.ok, synced.result, synced.alias], [true, "added", "anna"]);
    assert.deepEqual(await json("switch", "anna", "--json"), {
      ok: true,
      alias: "anna",
      path,
      codexRuns: false,
      processes: [],
    });
    const device = await json("device", "--json");
    assert.deepEqual({ ...device, changedAt: typeof device.changedAt }, {
      path,
      credentialStore: "file",
      content: "account",
      alias: "anna",
      email: "anna@example.com",
      why: null,
      changedAt: "number",
      processes: [],
    });
    const { accounts: [account] } = await json("status", "--json");
    assert.equal(account.onDevice, true);
  }));

Deno.test("status marks the account that the Codex CLI holds, after the lines that scripts read", () =>
  withSession(async (session) => {
    put(session, authJson(ANNA));
    await run(session, "sync");
    put(session, authJson(BERT));
    await run(session, "sync");
    const { out } = await run(session, "status");
    assert.match(out, / {2}bert\n {4}Email: bert@example\.com\n {4}Uses: 0\n {4}Token expires: /);
    assert.equal(out.match(/On device: Codex CLI/g)?.length, 1);
    assert.ok(out.indexOf("On device") > out.indexOf("bert"));
  }));

Deno.test("remove of an account active in auth.json says that Codex still holds it", () =>
  withSession(async (session) => {
    put(session, authJson(ANNA));
    await run(session, "sync");
    const before = readFileSync(authPath(session), "utf8");
    const removed = await run(session, "remove", "anna");
    assert.match(removed.out, /^Account "anna" removed\.\nThe Codex CLI of this machine is still/);
    assert.equal(readFileSync(authPath(session), "utf8"), before);
    const synced = await run(session, "sync");
    assert.match(synced.out, /was removed here; to bring it back: .* sync --alias <alias>/);
    assert.match((await run(session, "device")).out, /anna@example\.com, not in the store: it was/);
    assert.equal((await run(session, "sync", "--alias", "anna")).code, 0);
    assert.match((await run(session, "list")).out, /anna/);
  }));

Deno.test("import of an auth.json brings a removed account back: it is the person's own word", () =>
  withSession(async (session) => {
    put(session, authJson(ANNA));
    await run(session, "sync");
    await run(session, "remove", "anna");
    const ran = await run(session, "import", authPath(session));
    assert.equal(ran.code, 0, ran.err);
    assert.doesNotMatch(ran.out, /the other's is dead/, "tokens are shared with this one");
    assert.match((await run(session, "sync")).out, /hold the same tokens/);
    const copy = join(session.home, "copy.json");
    writeFileSync(copy, JSON.stringify(authJson(BERT)));
    assert.match((await run(session, "import", copy)).out, /the other's is dead/);
  }));

Deno.test("switch to an unknown account, with a login that would be lost, or with another store, changes nothing", () =>
  withSession(async (session) => {
    put(session, authJson(ANNA));
    await run(session, "sync");
    put(session, { ...authJson(BERT), oauth_provenance: { issuer: "https://evil.example" } });
    const before = readFileSync(authPath(session), "utf8");
    const unknown = await run(session, "switch", "nobody");
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /no account "nobody"\. Accounts: anna\./);
    const lost = await run(session, "switch", "anna");
    assert.equal(lost.code, 1);
    assert.match(lost.err, /bert@example\.com that is not in the store.*--force\n$/);
    assert.equal(lost.err.split("\n").length, 2, "one line");
    writeFileSync(
      join(session.home, ".codex", "config.toml"),
      'cli_auth_credentials_store = "keyring"',
    );
    const keyring = await run(session, "switch", "anna", "--force");
    assert.equal(keyring.code, 1);
    assert.match(
      keyring.err,
      /keyring.*set cli_auth_credentials_store = "file".*config\.toml, then opencode-multi-auth switch anna/,
    );
    assert.equal(readFileSync(authPath(session), "utf8"), before);
    assert.match((await run(session, "device")).out, /Credential store: keyring/);
  }));

Deno.test("a login in the keyring: an auth.json that was left names nobody, and what to do is said", () =>
  withSession(async (session) => {
    put(session, authJson(ANNA));
    await run(session, "sync");
    const config = join(session.home, ".codex", "config.toml");
    const use = (kind: string) => writeFileSync(config, `cli_auth_credentials_store = "${kind}"`);
    const onDevice = async () =>
      JSON.parse((await run(session, "status", "--json")).out).accounts[0].onDevice;
    const toDo = 'To switch it from here: set cli_auth_credentials_store = "file" in ' +
      `${config}, then opencode-multi-auth switch <alias>\n`;
    use("keyring");
    assert.equal(
      (await run(session, "device")).out,
      "Account: not known from here\nCredential store: keyring of the system; it is neither " +
        `read nor changed from here\nRunning: no\n${toDo}`,
    );
    const { content, alias, email } = JSON.parse((await run(session, "device", "--json")).out);
    assert.deepEqual([content, alias, email], ["elsewhere", null, null]);
    assert.equal(await onDevice(), false);
    assert.match((await run(session, "sync")).out, /keyring.*opencode-multi-auth add <alias>\n$/);
    use("auto");
    const auto = (await run(session, "device")).out;
    assert.match(
      auto,
      /^Account: anna \(anna@example\.com\), if Codex uses its file and no keyring/,
    );
    assert.match(auto, /^Credential store: auto .*only Codex knows which/m);
    assert.ok(auto.endsWith(toDo));
    assert.match((await run(session, "sync")).out, /same tokens\. .*= "auto"/);
    assert.equal(await onDevice(), true);
    use("ephemeral");
    assert.match((await run(session, "remove", "anna")).out, /^Account "anna" removed\.\n$/);
  }));

Deno.test("CODEX_HOME is honoured", () =>
  withSession(async (session) => {
    const home = join(session.home, "elsewhere");
    mkdirSync(home);
    writeFileSync(join(home, "auth.json"), JSON.stringify(authJson(ANNA)));
    const env = { HOME: session.home, CODEX_HOME: home };
    assert.match((await session.runWith({ ...QUIET, env }, "sync")).out, /account "anna"/);
  }));

Deno.test("codex login passes the options on, stores the account and cleans up", () =>
  withSession(async (session) => {
    put(session, authJson(BERT));
    const before = readFileSync(authPath(session), "utf8");
    const started: string[] = [];
    const runInTerminal: Context["runInTerminal"] = (command, args, env) => {
      started.push([command, ...args].join(" "));
      const home = env["CODEX_HOME"] ?? "";
      assert.equal(statSync(home).mode & 0o777, 0o700);
      writeFileSync(join(home, "auth.json"), JSON.stringify(authJson(ANNA)));
      return Promise.resolve(0);
    };
    const ran = await session.runWith(
      { ...QUIET, runInTerminal },
      "codex",
      "login",
      "work",
      "--",
      "--device-auth",
    );
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, /Account "work" added successfully!\nEmail: anna@example\.com\n/);
    assert.match(ran.out, /For the Codex CLI itself: opencode-multi-auth switch work\n/);
    assert.deepEqual(started, ["codex login --device-auth"]);
    assert.equal(readFileSync(authPath(session), "utf8"), before);
    assert.ok(!Object.keys(session.files()).some((name) => name.includes("codex-login-")));
  }));

Deno.test("codex login without a Codex, with a bad alias or a login that is none, starts nothing", () =>
  withSession(async (session) => {
    const missing = await session.runWith(
      { ...QUIET, env: { HOME: session.home, PATH: "", CODEX_CLI_BIN: "/no/such/codex" } },
      "codex",
      "login",
      "work",
    );
    assert.equal(missing.code, 1);
    assert.match(missing.err, /\/no\/such\/codex cannot be started \(ENOENT\)/);
    const never: Partial<Context> = { runInTerminal: () => Promise.reject(new Error("started")) };
    for (
      const [argv, code, said] of [
        [["codex", "login", "../x"], 1, /cannot be an alias/],
        [["codex", "login", "a", "--", "--with-api-key"], 2, /makes no ChatGPT login/],
        [["codex"], 2, /No codex action was given.*Actions: login/],
        [["codex", "logout"], 2, /no codex action "logout"/],
      ] as const
    ) {
      const ran = await session.runWith(never, ...argv);
      assert.equal(ran.code, code, argv.join(" "));
      assert.match(ran.err, said);
    }
  }));

Deno.test("a locked store: sync and switch refuse, device says so", () =>
  withSession(async (session) => {
    session.useFixture("v1-encrypted.json");
    put(session, authJson(ANNA));
    for (const argv of [["sync"], ["switch", "anna"]]) {
      const ran = await run(session, ...argv);
      assert.equal(ran.code, 1);
      assert.match(ran.err, /locked/);
    }
    const device = await run(session, "device");
    assert.equal(device.code, 0);
    assert.match(device.out, /locked/);
    assert.doesNotMatch(device.out, /not in the store|take it over/);
    assert.equal(JSON.parse((await run(session, "device", "--json")).out).why, null);
  }));
