import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mayBeConsumed } from "../../src/store/consumed.ts";
import { isDismissed } from "../../src/store/dismissed.ts";
import { FIXTURES } from "../store/store_folder.ts";
import { accountOf, authJson, onDevice, person, tokens } from "./device_folder.ts";

const ANNA = person("anna");
const BERT = person("bert");

Deno.test("a login that appears becomes an account under its email's name", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA));
    const outcome = await at.device().sync();
    assert.equal(outcome.kind, "added");
    assert.equal(outcome.alias, "anna");
    assert.match(outcome.text, /now the account "anna" \(anna@example.com\)/);
    const { accounts: [account] } = await at.store.load();
    assert.equal(account?.source, "codex");
    assert.equal((await at.device().sync()).kind, "unchanged");
    assert.deepEqual(await at.aliases(), ["anna"]);
  }));

Deno.test("an alias that is taken gets a number, and --alias names the account", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(BERT, 1, "anna"));
    at.write(authJson(ANNA));
    assert.equal((await at.device().sync()).alias, "anna-2");
    at.write(authJson(person("cleo")));
    assert.equal((await at.device().sync({ alias: "work" })).alias, "work");
    assert.deepEqual(await at.aliases(), ["anna", "anna-2", "work"]);
  }));

Deno.test("newer tokens are taken, older and spent ones never", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(ANNA, 1));
    at.write(authJson(ANNA, 3));
    assert.equal((await at.device().sync()).kind, "updated");
    assert.deepEqual(await at.refreshTokens(), [tokens(ANNA, 3).refresh_token]);
    at.write(authJson(ANNA, 2));
    assert.equal((await at.device().sync()).kind, "left", "an older login of its own");
    assert.deepEqual(await at.refreshTokens(), [tokens(ANNA, 3).refresh_token]);
    assert.equal(at.read().tokens.refresh_token, tokens(ANNA, 2).refresh_token, "is left alone");
  }));

Deno.test("older backup restored: auth.json with a superseded token gets the newer ones", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA, 1));
    await at.device().sync();
    at.write(authJson(ANNA, 2));
    await at.device().sync();
    at.write(authJson(ANNA, 1, { some_future_top_level: [1] }));
    const outcome = await at.device().sync();
    assert.equal(outcome.kind, "updated");
    assert.match(outcome.text, /held spent tokens of "anna"/);
    assert.equal(at.read().tokens.refresh_token, tokens(ANNA, 2).refresh_token);
    assert.deepEqual(at.read().some_future_top_level, [1]);
  }));

Deno.test("a removed account that is still in auth.json does not come back by itself", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA));
    await at.device().sync();
    const { accounts: [account] } = await at.store.load();
    await at.store.remove(account?.id ?? "");
    for (const round of [1, 2]) {
      // Codex has renewed the tokens in the second round.
      at.write(authJson(ANNA, round));
      const outcome = await at.device().sync();
      assert.equal(outcome.kind, "left");
      assert.match(outcome.text, /anna@example.com, which was removed here/);
      assert.deepEqual(await at.aliases(), []);
    }
    const { content } = await at.device().state();
    assert.equal(content.kind, "stranger");
    assert.equal((await at.device().sync({ alias: "back" })).kind, "added");
    assert.deepEqual(await at.aliases(), ["back"]);
    // The person's word counts from then on, whatever becomes of the account.
    const noted = await at.store.files.readState((db) => isDismissed(db, accountOf(ANNA)), true);
    assert.equal(noted, false);
    at.write(authJson(ANNA, 3));
    assert.equal((await at.device().sync()).kind, "updated");
  }));

Deno.test("a removed account does not come back in an opaque form that names no member", () =>
  onDevice(async (at) => {
    const opaque = (round: number) => ({
      tokens: { ...tokens(ANNA), access_token: `opaque-${round}`, refresh_token: `r${round}` },
      last_refresh: "2026-11-23T17:00:00Z",
    });
    at.write({ ...opaque(1), tokens: { ...opaque(1).tokens, id_token: "x" } });
    assert.equal((await at.device().sync()).kind, "added");
    const { accounts: [account] } = await at.store.load();
    await at.store.remove(account?.id ?? "");
    at.write({ ...opaque(2), tokens: { ...opaque(2).tokens, id_token: "x" } });
    assert.equal((await at.device().sync()).kind, "left");
  }));

Deno.test("removing one member of a workspace does not keep another one out", () =>
  onDevice(async (at) => {
    const team = { workspaceId: "team" };
    at.write(authJson(person("anna", team)));
    await at.device().sync();
    const { accounts: [account] } = await at.store.load();
    await at.store.remove(account?.id ?? "");
    at.write(authJson(person("bert", team)));
    assert.equal((await at.device().sync()).kind, "added");
  }));

Deno.test("two members of one workspace; one person in two workspaces with one email", () =>
  onDevice(async (at) => {
    const people = [
      person("anna", { workspaceId: "team" }),
      person("bert", { workspaceId: "team" }),
      person("bert", { workspaceId: "own", accountUserId: "bert-own" }),
      person("anna", { workspaceId: "own-a", accountUserId: "anna-own" }),
    ];
    for (const one of people) {
      at.write(authJson(one));
      assert.equal((await at.device().sync()).kind, "added");
    }
    assert.deepEqual(await at.aliases(), ["anna", "bert", "bert-2", "anna-2"]);
    const identities = (await at.store.load()).accounts.map(({ identity }) => identity?.memberId);
    assert.deepEqual(identities, people.map(({ accountUserId }) => accountUserId));
  }));

Deno.test("`oauth_provenance.issuer` points elsewhere", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(ANNA, 1));
    const foreign = { issuer: "https://evil.example", client_id: "app_x" };
    at.write(authJson(ANNA, 2, { tokens: { ...tokens(ANNA, 2), oauth_provenance: foreign } }));
    const outcome = await at.device().sync();
    assert.equal(outcome.kind, "left");
    assert.match(outcome.text, /from the issuer https:\/\/evil\.example/);
    assert.deepEqual(await at.refreshTokens(), [tokens(ANNA, 1).refresh_token]);
    const { accounts: [account] } = await at.store.load();
    assert.ok(account);
    assert.equal(await at.shared().adopt(account), undefined, "nor in a refresh");
  }));

for (
  const [name, expected] of [
    ["modern.json", "added"],
    ["older.json", "added"],
    ["tokens-only.json", "added"],
    ["unknown-keys.json", "added"],
    ["flat-camel.json", "added"],
    ["flat-snake.json", "added"],
    ["expired.json", "added"],
    ["access-only.json", "left"],
    ["api-key.json", "left"],
    ["foreign-issuer.json", "left"],
  ] as const
) {
  Deno.test(`every known form of auth.json is read: ${name}`, () =>
    onDevice(async (at) => {
      at.write(readFileSync(join(FIXTURES, "auth-json", name), "utf8"));
      const before = readFileSync(at.path, "utf8");
      const outcome = await at.device().sync();
      assert.equal(outcome.kind, expected, outcome.text);
      assert.equal(readFileSync(at.path, "utf8"), before);
      const { content } = await at.device().state();
      const kinds = { added: ["account"], left: ["stranger", "api key"] };
      assert.ok((kinds[expected] as string[]).includes(content.kind), content.kind);
    }));
}

Deno.test("tokens beside an API key that Codex is told to use are left alone, a key beside a login is not", () =>
  onDevice(async (at) => {
    at.write({ ...authJson(ANNA), auth_mode: "apikey", OPENAI_API_KEY: "sk-x" });
    const outcome = await at.device().sync();
    assert.match(outcome.text, /uses an API key/);
    assert.equal((await at.device().state()).content.kind, "api key");
    // As Codex wrote it before it named the mode: it had swapped the login for a key.
    at.write({ OPENAI_API_KEY: "sk-x", tokens: tokens(ANNA) });
    assert.equal((await at.device().sync()).kind, "added");
  }));

Deno.test("auth.json written half is read when it is whole", () =>
  onDevice(async (at) => {
    const text = JSON.stringify(authJson(ANNA));
    at.write(text.slice(0, text.length / 2));
    const syncing = at.device().sync();
    await at.folder.clock.advance(60);
    writeFileSync(at.path, text);
    const outcome = await at.folder.clock.passUntil(syncing);
    assert.equal(outcome.kind, "added");
  }));

Deno.test("auth.json that stays broken, is a folder, or is gone, loses nothing of ours", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(ANNA, 1));
    for (const content of ['{"tokens": {"acc', "", "[]", "null", `"${"x".repeat(2_000_000)}"`]) {
      at.write(content);
      const outcome = await at.folder.clock.passUntil(at.device().sync());
      assert.equal(outcome.kind, "left", content.slice(0, 10));
      assert.match(outcome.text, /was left alone/);
      const { content: seen } = await at.folder.clock.passUntil(at.device().state());
      assert.equal(seen.kind, "unreadable");
    }
    rmSync(at.path);
    assert.equal((await at.device().sync()).kind, "unchanged");
    assert.equal((await at.device().state()).content.kind, "absent");
    mkdirSync(at.path);
    assert.match((await at.device().sync()).text, /it is a folder/);
    assert.deepEqual(await at.refreshTokens(), [tokens(ANNA, 1).refresh_token]);
  }));

Deno.test("auth.json symlinked: the real file is read, its mode mended, and the link stays", () =>
  onDevice(async (at) => {
    const real = join(at.folder.root, "dotfiles.json");
    writeFileSync(real, JSON.stringify(authJson(ANNA)));
    chmodSync(real, 0o644);
    symlinkSync(real, at.path);
    assert.equal((await at.device().sync()).kind, "added");
    assert.equal((await at.device().state()).path, real);
    assert.equal(Deno.statSync(real).mode! & 0o777, 0o600);
    assert.ok(Deno.lstatSync(at.path).isSymlink);
  }));

Deno.test("keyring or auto credential store in config.toml: said plainly, not guessed at", () =>
  onDevice(async (at) => {
    const config = join(at.home, "config.toml");
    for (
      const [kind, said] of [
        ["keyring", /system's keyring.*not read or changed from here/],
        ["auto", /keyring where there is one.*= "auto".*only it knows/],
        ["ephemeral", /in memory only/],
      ] as const
    ) {
      rmSync(at.path, { force: true });
      writeFileSync(config, `model = "x"\ncli_auth_credentials_store = "${kind}"\n`);
      const outcome = await at.device().sync();
      assert.equal(outcome.kind, "left");
      assert.match(outcome.text, said);
      assert.equal((await at.device().state()).credentialStore, kind);
      at.write(authJson(ANNA));
      await assert.rejects(at.device().switchTo(accountOf(BERT)), said);
      assert.equal(at.read().tokens.account_id, "workspace-anna");
    }
    // A file that lies there from before the keyring is not the login that Codex uses.
    writeFileSync(config, 'cli_auth_credentials_store = "keyring"\n');
    const left = await at.device().sync();
    assert.equal(left.kind, "left");
    assert.match(left.text, /To have its account here too: opencode-multi-auth add <alias>$/);
    assert.deepEqual(await at.aliases(), []);
    await assert.rejects(
      at.device().switchTo(accountOf(BERT)),
      /set cli_auth_credentials_store = "file" in .*config\.toml, then opencode-multi-auth switch bert/,
    );
    // Where there is no keyring, auto uses the file.
    writeFileSync(config, 'cli_auth_credentials_store = "auto"\n');
    const added = await at.device().sync();
    assert.equal(added.kind, "added");
    assert.match(added.text, /is now the account "anna".*= "auto".*only it knows which it uses/);
    assert.equal((await at.device().state()).content.kind, "account");
    for (const kind of ["keyring", "ephemeral"]) {
      writeFileSync(config, `cli_auth_credentials_store = "${kind}"\n`);
      assert.equal((await at.device().state()).content.kind, "elsewhere", kind);
    }
  }));

Deno.test("a config.toml that cannot be understood is named, without a word of what is in it", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA));
    writeFileSync(join(at.home, "config.toml"), "a = 1\nkey = sk-secret\n");
    await assert.rejects(at.device().sync(), (error: Error) => {
      assert.match(error.message, /config\.toml is not TOML \(line 2\)/);
      assert.doesNotMatch(error.message, /sk-/);
      return true;
    });
    assert.equal((await at.device().state()).content.kind, "unreadable");
    writeFileSync(join(at.home, "config.toml"), 'cli_auth_credentials_store = "moon"\n');
    await assert.rejects(at.device().sync(), /"moon" is not known\. Use one of file, keyring/);
  }));

Deno.test("a login whose token may be consumed is known by its account's id", () =>
  onDevice(async (at) => {
    const account = accountOf(ANNA, 1);
    await at.store.add(account);
    assert.equal(await mayBeConsumed(at.store, account), false);
    await at.store.beginRefresh(account.id, account.generation);
    assert.equal(await mayBeConsumed(at.store, account), true);
  }));
