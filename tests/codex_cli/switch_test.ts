import assert from "node:assert/strict";
import { chmodSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { changeAuthFile } from "../../src/codex_cli/auth_change.ts";
import { type FileSystem, systemFiles } from "../../src/platform/files.ts";
import { faultyFiles } from "../platform/faulty_files.ts";
import { accountOf, authJson, onDevice, person, tokens } from "./device_folder.ts";

const ANNA = person("anna");
const BERT = person("bert");
const NO_LOCK = () => Promise.resolve(undefined);

Deno.test("switch writes the account in Codex's own form, for its owner alone", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(BERT));
    rmSync(at.home, { recursive: true });
    await at.device().switchTo(accountOf(BERT));
    const { last_refresh, ...rest } = at.read();
    assert.deepEqual(rest, {
      auth_mode: "chatgpt",
      OPENAI_API_KEY: null,
      tokens: tokens(BERT),
    });
    assert.match(last_refresh, /^2026-11-23T17:01:00\.000Z$/);
    assert.equal(at.mode(), 0o600);
    assert.deepEqual(readdirSync(at.home).sort(), ["auth.json", "auth.json.lock", "auth.lock"]);
    assert.equal(Deno.statSync(join(at.home, "auth.lock")).mode! & 0o777, 0o644);
    assert.equal(Deno.statSync(join(at.home, "auth.json.lock")).mode! & 0o777, 0o600);
    assert.deepEqual((await at.device().state()).content, {
      kind: "account",
      accountId: "id-bert",
    });
  }));

Deno.test("unknown keys in auth.json are kept when we write; whose login it was is not", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(BERT));
    const provenance = {
      issuer: "https://auth.openai.com",
      client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
    };
    at.write(authJson(ANNA, 1, {
      OPENAI_API_KEY: "sk-test",
      some_future_top_level: { a: [1] },
      tokens: {
        ...tokens(ANNA),
        oauth_provenance: provenance,
        login_owner_id: "anna's",
        some_future_field: true,
      },
    }));
    await at.device().switchTo(accountOf(BERT));
    const written = at.read();
    assert.deepEqual(written.some_future_top_level, { a: [1] });
    assert.equal(written.OPENAI_API_KEY, "sk-test");
    assert.deepEqual(written.tokens, {
      ...tokens(BERT),
      oauth_provenance: provenance,
      some_future_field: true,
    });
  }));

Deno.test("a switch takes what Codex has renewed into the store first", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(ANNA, 1));
    await at.store.add(accountOf(BERT));
    at.write(authJson(ANNA, 2));
    await at.device().switchTo(accountOf(BERT));
    assert.deepEqual(await at.refreshTokens(), [
      tokens(ANNA, 2).refresh_token,
      tokens(BERT).refresh_token,
    ]);
    at.write(authJson(person("cleo")));
    await at.device().switchTo(accountOf(BERT));
    assert.deepEqual(await at.aliases(), ["anna", "bert", "cleo"]);
  }));

Deno.test("a switch takes the tokens that are stored now, not those the caller knew", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(BERT, 1));
    at.write(authJson(BERT, 2));
    await at.device().switchTo(accountOf(BERT, 1));
    assert.equal(at.read().tokens.refresh_token, tokens(BERT, 2).refresh_token);
  }));

Deno.test("a login that cannot be taken over is given up only when the person says so", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(BERT));
    const foreign = authJson(ANNA, 1, {
      tokens: { ...tokens(ANNA), oauth_provenance: { issuer: "https://evil.example" } },
    });
    for (const content of [foreign, '{"tokens": {"acc']) {
      at.write(content);
      const before = Deno.readTextFileSync(at.path);
      await assert.rejects(
        at.folder.clock.passUntil(at.device().switchTo(accountOf(BERT))),
        /lost.*--force/,
      );
      assert.equal(Deno.readTextFileSync(at.path), before);
      await at.folder.clock.passUntil(at.device().switchTo(accountOf(BERT), { overwrite: true }));
      assert.equal(at.read().tokens.account_id, "workspace-bert");
    }
    // An API key stays beside the login, and a removed account was given up before.
    at.write({ auth_mode: "apikey", OPENAI_API_KEY: "sk-test" });
    await at.device().switchTo(accountOf(BERT));
    assert.equal(at.read().OPENAI_API_KEY, "sk-test");
    assert.equal(at.read().auth_mode, "chatgpt");
  }));

Deno.test("an account that needs a login, was removed or has no id token is not switched to", () =>
  onDevice(async (at) => {
    const gone = accountOf(person("gone"));
    await assert.rejects(at.device().switchTo(gone), /removed meanwhile/);
    const { idToken: _idToken, ...credentials } = accountOf(BERT).credentials;
    const opaque = { ...accountOf(BERT), credentials: { ...credentials, accessToken: "opaque" } };
    await at.store.add(opaque);
    await assert.rejects(at.device().switchTo(opaque), /no id token.*add bert/);
    const dead = { at: 1, reason: "needs login" as const };
    await at.store.edit("id-bert", (now) => ({ ...now, setAside: dead }));
    await assert.rejects(
      at.device().switchTo(opaque),
      /cannot be used: needs login\. Sign in again: opencode-multi-auth add bert$/,
    );
    const deactivated = { at: 1, reason: "workspace deactivated" as const };
    await at.store.edit("id-bert", (now) => ({ ...now, setAside: deactivated }));
    await assert.rejects(
      at.device().switchTo(opaque, { overwrite: true }),
      /workspace deactivated\. If that is over: opencode-multi-auth restore bert$/,
    );
    assert.equal((await at.device().state()).content.kind, "absent");
  }));

Deno.test("a symlinked or read-only auth.json is written where it really is, and made 0600", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(BERT));
    const real = join(at.folder.root, "dotfiles.json");
    writeFileSync(real, JSON.stringify(authJson(BERT, 1, { mine: 1 })));
    chmodSync(real, 0o400);
    symlinkSync(real, at.path);
    await at.store.add(accountOf(ANNA));
    await at.device().switchTo(accountOf(ANNA));
    assert.ok(Deno.lstatSync(at.path).isSymlink);
    assert.equal(JSON.parse(Deno.readTextFileSync(real)).tokens.account_id, "workspace-anna");
    assert.equal(Deno.statSync(real).mode! & 0o777, 0o600);
    assert.ok(Deno.statSync(`${real}.lock`), "the lock lies beside the real file");
  }));

Deno.test("switch while Codex runs tells the person to restart it; where nobody can tell, too", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(BERT));
    const device = (pids: number[] | undefined) =>
      at.device({ findCodex: () => Promise.resolve(pids) });
    assert.deepEqual(await device([7]).switchTo(accountOf(BERT)), { codexRuns: true });
    assert.deepEqual(await device(undefined).switchTo(accountOf(BERT)), { codexRuns: true });
    assert.deepEqual(await device([]).switchTo(accountOf(BERT)), { codexRuns: false });
  }));

Deno.test("what is written between our look and our write without a lock is not lost", () =>
  onDevice(async (at) => {
    at.write({ n: 0 });
    const place = { path: at.path, clock: at.folder.clock, random: () => 0, lock: NO_LOCK };
    let others = 2;
    const seen: unknown[] = [];
    const spying = new Proxy(systemFiles, {
      get(target, name: keyof FileSystem) {
        const value = target[name];
        if (name !== "fsync" || others === 0) return value;
        return (file: number) => {
          // Right before the new file would take its place.
          if (others-- > 0) at.write({ n: 10 + others });
          return (value as (file: number) => void)(file);
        };
      },
    });
    const wrote = await changeAuthFile({ ...place, files: spying }, (reading) => {
      const json = reading.kind === "read" ? reading.json : {};
      seen.push(json["n"]);
      return Promise.resolve({ ...json, ours: true });
    });
    assert.equal(wrote, true);
    assert.deepEqual(seen, [0, 11, 10]);
    assert.deepEqual(at.read(), { n: 10, ours: true });
    assert.deepEqual(readdirSync(at.home).filter((name) => name.includes("tmp")), []);
  }));

Deno.test("a disk that is full leaves the old file whole, and the failure names it", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(BERT));
    at.write(authJson(ANNA));
    await at.device().sync();
    const before = Deno.readTextFileSync(at.path);
    for (const call of ["open", "write", "fsync", "rename"]) {
      const faulty = faultyFiles();
      faulty.fail = (name) => name === call ? "ENOSPC" : undefined;
      await assert.rejects(
        at.device({ files: faulty.files, lock: NO_LOCK }).switchTo(accountOf(BERT)),
        /auth\.json cannot be written \(ENOSPC\)/,
      );
      assert.equal(Deno.readTextFileSync(at.path), before, call);
    }
    assert.deepEqual(readdirSync(at.home).filter((name) => name.includes("tmp")), []);
  }));

Deno.test("temporary files of writers that were killed are cleared away, those of living ones stay", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(BERT));
    const dead = join(at.home, "auth.json.tmp-999999999-abc");
    const living = join(at.home, `auth.json.tmp-${Deno.ppid}-abc`);
    for (const path of [dead, living]) writeFileSync(path, "{}");
    await at.device({ files: systemFiles }).switchTo(accountOf(BERT));
    const left = readdirSync(at.home).filter((name) => name.includes("tmp"));
    assert.deepEqual(left, [`auth.json.tmp-${Deno.ppid}-abc`]);
  }));
