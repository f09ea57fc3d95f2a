import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import type { Account } from "../../src/account/account.ts";
import { sharedTokens } from "../../src/codex_cli/shared_tokens.ts";
import type { RefreshResult } from "../../src/oauth/refresh.ts";
import { createRefresher } from "../../src/oauth/refresh_transaction.ts";
import { silentLog } from "../../src/platform/log.ts";
import { FIXTURE_NOW } from "../virtual_clock.ts";
import {
  accountOf,
  authJson,
  type DeviceFolder,
  ISSUER,
  onDevice,
  person,
  tokens,
} from "./device_folder.ts";

const ANNA = person("anna");
const BERT = person("bert");

/** A refresher whose issuer knows which tokens are spent, wired as the client wires it. */
function refresherOn(at: DeviceFolder, options: {
  /** Happens while the issuer is asked. */
  meanwhile?: () => void;
  answer?: RefreshResult;
  lock?: () => Promise<undefined>;
} = {}) {
  const sent: string[] = [];
  const notices: string[] = [];
  const shared = sharedTokens({
    store: at.store,
    env: at.env,
    issuer: ISSUER,
    clock: at.folder.clock,
    random: () => 0.5,
    log: silentLog,
    notice: (text) => notices.push(text),
    ...(options.lock ? { lock: options.lock } : {}),
  });
  const refresher = createRefresher({
    store: at.store,
    clock: at.folder.clock,
    random: () => 0.5,
    gapMs: () => 0,
    log: silentLog,
    adopt: (account) => shared.adopt(account),
    renewed: (account) => shared.give(account),
    exchange: (account): Promise<RefreshResult> => {
      sent.push(account.credentials.refreshToken);
      options.meanwhile?.();
      return Promise.resolve(
        options.answer ?? { kind: "renewed", credentials: accountOf(ANNA, 9).credentials },
      );
    },
  });
  const refresh = (account: Account, rejected = false) =>
    at.folder.clock.passUntil(refresher.refresh(account, rejected));
  return { shared, refresh, sent, notices };
}

/** The stored account with that alias. */
async function stored(at: DeviceFolder, alias = "anna"): Promise<Account> {
  const account = (await at.store.load()).accounts.find((one) => one.alias === alias);
  assert.ok(account);
  return account;
}

Deno.test("we refresh the account that is active in auth.json: auth.json gets the new tokens too", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA, 1, { some_future_top_level: 1 }));
    await at.device().sync();
    const { refresh, sent } = refresherOn(at);
    const outcome = await refresh(await stored(at));
    assert.equal(outcome.kind, "fresh");
    assert.deepEqual(sent, [tokens(ANNA, 1).refresh_token]);
    assert.deepEqual(at.read().tokens, tokens(ANNA, 9));
    assert.equal(at.read().some_future_top_level, 1);
    assert.equal(at.mode(), 0o600);
  }));

Deno.test("a refresh leaves an auth.json alone that holds somebody else, or another login of the same account", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(ANNA, 2));
    const apiKey = { ...authJson(ANNA, 1), auth_mode: "apikey", OPENAI_API_KEY: "sk-x" };
    for (const other of [authJson(BERT), authJson(ANNA, 1), { OPENAI_API_KEY: "sk-x" }, apiKey]) {
      at.write(other);
      const before = Deno.readTextFileSync(at.path);
      const account = await stored(at);
      assert.equal(await refresherOn(at).shared.give(account), false);
      assert.equal(Deno.readTextFileSync(at.path), before);
    }
  }));

Deno.test("tokens that Codex has renewed are adopted, and ours are not sent", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA, 1));
    await at.device().sync();
    at.write(authJson(ANNA, 2));
    const { refresh, sent } = refresherOn(at);
    const outcome = await refresh(await stored(at), true);
    assert.equal(outcome.kind, "fresh");
    assert.deepEqual(sent, []);
    assert.deepEqual(await at.refreshTokens(), [tokens(ANNA, 2).refresh_token]);
  }));

Deno.test("adopted tokens whose access token has ended are the ones that are renewed", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA, 1));
    await at.device().sync();
    at.write(authJson(ANNA, 2, { tokens: tokens(ANNA, 2, FIXTURE_NOW - 1000) }));
    const { refresh, sent } = refresherOn(at);
    assert.equal((await refresh(await stored(at))).kind, "fresh");
    assert.deepEqual(sent, [tokens(ANNA, 2).refresh_token]);
    assert.equal(at.read().tokens.refresh_token, tokens(ANNA, 9).refresh_token);
  }));

Deno.test("`refresh_token_reused` although Codex has refreshed meanwhile: auth.json is read once more", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA, 1));
    await at.device().sync();
    const { refresh, sent } = refresherOn(at, {
      meanwhile: () => at.write(authJson(ANNA, 2)),
      answer: { kind: "permanent", code: "refresh_token_reused" },
    });
    const outcome = await refresh(await stored(at), true);
    assert.equal(outcome.kind, "fresh");
    assert.deepEqual(sent, [tokens(ANNA, 1).refresh_token]);
    const account = await stored(at);
    assert.equal(account.credentials.refreshToken, tokens(ANNA, 2).refresh_token);
    assert.equal(account.setAside, undefined);
  }));

Deno.test("`refresh_token_reused` with nothing newer in auth.json sets the account aside", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA, 1));
    await at.device().sync();
    const { refresh } = refresherOn(at, {
      answer: { kind: "permanent", code: "refresh_token_reused" },
    });
    assert.equal((await refresh(await stored(at), true)).kind, "set aside");
    // A new login of Codex brings it back.
    at.write(authJson(ANNA, 3));
    assert.equal((await at.device().sync()).kind, "updated");
    assert.equal((await stored(at)).setAside, undefined);
  }));

Deno.test("an older login of the same account in auth.json is not adopted", () =>
  onDevice(async (at) => {
    await at.store.add(accountOf(ANNA, 2));
    at.write(authJson(ANNA, 1));
    assert.equal(await at.shared().adopt(await stored(at)), undefined);
  }));

Deno.test("a superseded token in auth.json is never adopted", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA, 2));
    await at.device().sync();
    const account = await stored(at);
    // Newer by the issuer's stamp, but replaced by what a person signed in with.
    await at.store.swapCredentials(account.id, 1, accountOf(ANNA, 1).credentials);
    assert.equal(await at.shared().adopt(await stored(at)), undefined);
  }));

Deno.test("a crash between our store and auth.json is healed by whoever looks next", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA, 1));
    await at.device().sync();
    const account = await stored(at);
    // What a process does before it dies.
    await at.store.swapCredentials(account.id, account.generation, accountOf(ANNA, 2).credentials);
    const crashed = Deno.readTextFileSync(at.path);
    const healed = async (heal: () => Promise<unknown>) => {
      at.write(crashed);
      await heal();
      return at.read().tokens.refresh_token === tokens(ANNA, 2).refresh_token;
    };
    assert.ok(await healed(async () => await at.shared().heal((await at.store.load()).accounts)));
    assert.ok(await healed(() => at.device().sync()));
    assert.ok(await healed(async () => await at.shared().give(await stored(at))));
    // With the snapshot of a process that has not heard of the renewal.
    assert.ok(await healed(() => at.shared().heal([account])));
    // A Codex that works with an API key waits for no tokens, and stays with its key.
    at.write({ ...JSON.parse(crashed), auth_mode: "apikey", OPENAI_API_KEY: "sk-x" });
    assert.equal(await at.shared().heal([account]), undefined);
    // What needs a login has nothing to give.
    const aside = { at: 1, reason: "needs login" as const };
    await at.store.edit(account.id, (now) => ({ ...now, setAside: aside }));
    assert.equal(await healed(() => at.device().sync()), false);
  }));

Deno.test("an auth.json that cannot be written is logged and said; the new tokens are safe here", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA, 1));
    await at.device().sync();
    const { refresh, notices } = refresherOn(at, {
      lock: () => Promise.reject(new Error("no space")),
    });
    const outcome = await refresh(await stored(at));
    assert.equal(outcome.kind, "fresh");
    assert.deepEqual(await at.refreshTokens(), [tokens(ANNA, 9).refresh_token]);
    assert.match(notices.join(), /Codex CLI did not get the new tokens of anna.*no space/);
    assert.doesNotMatch(notices.join(), /rt_|eyJ/);
    assert.equal((await at.device().sync()).kind, "updated", "healed later");
    assert.equal(at.read().tokens.refresh_token, tokens(ANNA, 9).refresh_token);
  }));

Deno.test("an auth.json that cannot be read does not keep a refresh from its work", () =>
  onDevice(async (at) => {
    at.write(authJson(ANNA, 1));
    await at.device().sync();
    at.write('{"tokens"');
    chmodSync(at.path, 0o600);
    const { refresh, sent } = refresherOn(at);
    assert.equal((await refresh(await stored(at))).kind, "fresh");
    assert.equal(sent.length, 1);
  }));
